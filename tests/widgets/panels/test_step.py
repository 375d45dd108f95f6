"""`StepByStep` draws the stages of `workbench.watch.one_update`, lights up what acts, and walks by itself."""

import re

import numpy as np
import pytest
from gate import PATIENCE
from house import check_house_rules, equal, walk_and_compare

from widgets.panels import step
from widgets.panels.step import LAST, RULES, StepByStep
from widgets.panels.step_pictures import MATRICES, STRIPS, TINT
from widgets.panels.step_words import EQUATIONS, SENTENCES, number
from workbench.watch.one_update import UPDATES

pytestmark = pytest.mark.usefixtures("unchecked")

EVERY = [(rule, at) for rule in RULES for at in range(LAST + 1)]


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


def test_house_rules():
    check_house_rules(StepByStep)


def test_every_control_at_both_ends_and_its_code():
    def compare(panel, names):
        update, at = names["update"], panel.values["at"]
        assert names["stage"].name == panel.numbers.stage.name
        assert equal(update.total(at), panel.numbers.update.total(at))
        i, j = panel.numbers.i, panel.numbers.j
        assert names["change"] == pytest.approx(float(panel.numbers.update.total(at)[i, j]))

    walk_and_compare(StepByStep(), compare)
    walk_and_compare(StepByStep(rule="LLS", at=3), compare)


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


@pytest.mark.parametrize(("rule", "at"), EVERY)
def test_what_acts_is_framed_and_lit_up(rule, at):
    panel = StepByStep(rule=rule, at=at)
    stage = panel.numbers.stage
    acting = frames(panel.rounds, "#E69F00") + frames(panel.matrices, "#E69F00")
    assert acting
    assert all(column == stage.place for _, column, *_ in frames(panel.rounds, "#E69F00"))
    marked = " ".join(panel.formula.lines)
    assert "<mark>" in marked
    assert panel.text.startswith(("Step", "Sample"))
    assert not re.search(r"nan|None|\{|-\d", panel.text + marked)


@pytest.mark.parametrize("rule", RULES)
def test_each_stage_of_a_rule_has_a_term_a_sentence_and_a_tile(rule):
    name = RULES[rule]
    terms = {stage.name for stage in UPDATES[name](0).stages}
    assert set(SENTENCES[name]) == terms
    assert all(any(f"[[{term}|" in line for line in EQUATIONS[name]) for term in terms)
    shown = {strip.name for strip in STRIPS[name]} | {term for matrix in MATRICES[name] for term in matrix.acts}
    assert terms <= shown


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "Step 2: the pre trace of synapse 1 is 1.00, ψ is 0.27 (and −0.04 for a spike behind the neuron’s own"),
        ({}, "the signal −0.72: the weight grows by 0.166 (0.166 so far)."),
        ({"at": 7}, "the trace of input 1 keeps 0.75 of its 0.00 + 1 for the spike: q = 1.00."),
        ({"at": 8}, "neuron 1 fires, its membrane 0.69 is 0.09 over the threshold: ψ = 0.27"),
        ({"at": 3}, "neuron 1 has no past yet, its trace is h = 0."),
        (
            {"at": 10, "rule": "TESS"},
            "with p = 0.63; its row of B tells neuron 1 δ = −0.34, that is: fire more. No other",
        ),
        ({"at": 6, "rule": "LLS"}, "units 1 and 2 give 0.81 and 2.55; latent 1 is their mean, 1.68."),
        ({"at": 10, "rule": "LLS"}, "half of it goes to each of its two units: unit 1 gets 0.032. Nothing comes from"),
        ({"at": 9, "rule": "CODE-CL"}, "the old task claims 69% of this input’s length"),
        ({"rule": "CODE-CL"}, "An old input’s answer in neuron 1 has moved by 0.012; without C it would be 0.349."),
        ({"at": 7, "rule": "LANCE"}, "of three numbers, 1 is kept, 1.14; x itself is let go."),
        ({"at": 10, "rule": "LANCE"}, "The cosine of both gradients so far is 0.75."),
    ],
)
def test_the_sentence(state, words):
    assert words in StepByStep(**state).text


def test_the_equation_with_numbers_fills_up_as_they_are_found():
    panel = StepByStep(at=6)
    assert panel.formula.plain[1] == "Δw_11 = − … · (1 · … · … + (−1) · 1.00 · …) = …"
    panel.state = {"at": 11}
    assert panel.formula.plain[1] == "Δw_11 = − (−0.72) · (1 · 0.27 · 1.00 + (−1) · 1.00 · 0.04) = 0.166"


def test_back_and_next_go_a_stage_and_stop_at_the_ends():
    panel = StepByStep(at=1)
    panel.controls["back"].click()
    assert panel.state["at"] == 0
    assert panel.controls["back"].disabled
    panel.go(-1)
    assert panel.state["at"] == 0
    for _ in range(LAST):
        panel.controls["forward"].click()
    assert panel.state["at"] == LAST
    assert panel.controls["forward"].disabled
    panel.go(1)
    assert panel.state["at"] == LAST


def test_play_walks_to_the_end_and_from_there_from_the_beginning(monkeypatch):
    monkeypatch.setattr(step, "PERIOD", 0.0)
    panel, places = StepByStep(at=LAST), []
    panel.on_change(lambda: places.append(panel.values["at"]))
    panel.controls["play"].click()
    panel.player.join(PATIENCE)
    assert places == list(range(LAST + 1))
    assert not panel.playing
    assert panel.controls["play"].description == "Play"
    assert panel.text == StepByStep(at=LAST).text


def test_play_is_held_by_a_second_click():
    panel = StepByStep(at=5)
    panel.play()
    assert panel.playing
    assert panel.controls["play"].description == "Hold"
    panel.play()
    panel.player.join(PATIENCE)
    assert not panel.playing
    assert panel.state["at"] <= 6


def test_numbers_are_written_with_a_minus_and_without_minus_zero():
    assert [number(-0.251), number(-0.001), number(0.0612, 3), number(1, 0)] == ["−0.25", "0.00", "0.061", "1"]
