"""The tiles of `StepByStep` hold the numbers of `workbench.watch.one_update`; what acts is framed and lit up."""

import re

import numpy as np
import pytest

from widgets.panels.step import LAST, RULES, StepByStep
from widgets.panels.step_pictures import STRIPS, TINT
from workbench.watch.one_update import UPDATES

pytestmark = pytest.mark.usefixtures("unchecked")


def texts(figure):
    """The numbers on the tiles."""
    return np.array([list(row) for row in figure.data[0].text])


def frames(figure, colour):
    """Row, column, rows and columns of the frames of this colour."""
    found = []
    for shape in figure.layout.shapes:
        if shape.type == "rect" and shape.line.color == colour:
            found.append(
                (round(shape.y0 + 0.5), round(shape.x0 + 0.5), round(shape.y1 - shape.y0), round(shape.x1 - shape.x0))
            )
    return found


@pytest.mark.parametrize("rule", RULES)
def test_tiles_show_what_was_found_and_nothing_else(rule):
    panel, name = StepByStep(rule=rule), RULES[rule]
    for at in (0, 4, 11, LAST):
        panel.state = {"at": at}
        seen, row = UPDATES[name](0).seen(at), 0
        tints = np.array(panel.rounds.data[0].z, dtype=float)
        for strip in STRIPS[name]:
            rows = len(UPDATES[name](0).seen(LAST)[strip.name][0])
            shown = tints[row : row + rows]
            found = np.full(shown.shape, np.nan)
            for k, values in enumerate(seen.get(strip.name, [])):
                found[:, k] = values
            known = ~np.isnan(found)
            assert np.array_equal(known, ~np.isnan(shown))
            assert np.array_equal(np.sign(found[known]), np.sign(shown[known]))
            assert (np.abs(shown[known]) <= TINT + 1e-12).all()
            row += rows
        assert row == len(tints) == len(texts(panel.rounds)) == len(panel.rounds.layout.yaxis.ticktext)
    totals = np.array(panel.matrices.data[0].text[-len(UPDATES[name](0).weight) :])
    expected = UPDATES[name](0).total()
    assert [[float(text.replace("−", "-")) for text in line] for line in totals] == pytest.approx(
        expected.numpy(), abs=0.0051
    )


@pytest.mark.parametrize("rule", RULES)
def test_what_acts_is_framed_and_lit_up(rule):
    panel = StepByStep(rule=rule)
    for at in range(LAST + 1):
        panel.state = {"at": at}
        stage = panel.numbers.stage
        assert frames(panel.rounds, "#E69F00") + frames(panel.matrices, "#E69F00")
        assert all(column == stage.place for _, column, *_ in frames(panel.rounds, "#E69F00"))
        marked = " ".join(panel.formula.lines)
        assert "<mark>" in marked
        assert panel.text.startswith(("Step", "Sample"))
        assert not re.search(r"nan|None|\{|-\d", panel.text + marked)
