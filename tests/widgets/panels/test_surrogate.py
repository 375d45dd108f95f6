"""`SurrogateExplorer` draws Ψ, its integral and the spike, and says area and width."""

from functools import partial

import numpy as np
import pytest
import torch
from house import check_house_rules, drawn, equal, run_code, same, walk_and_compare

from widgets.panels.surrogate import FORMS, PUBLISHED, STEPS, SurrogateExplorer
from workbench.neurons.surrogate import area, area_up_to, fast_sigmoid, heaviside, passing_interval, psi_images_printed


def test_house_rules():
    check_house_rules(SurrogateExplorer)


def test_it_draws_both_bumps_and_their_integrals():
    panel = SurrogateExplorer(form="fast sigmoid", slope=10.0, published="images, as printed", span=3.0)
    v = torch.linspace(-3, 3, 401, dtype=torch.double)
    ours = partial(fast_sigmoid, slope=10.0)
    assert same(drawn(panel.fig, "your Ψ"), torch.stack([v, ours(v)]))
    assert same(drawn(panel.fig, "published Ψ")[1], psi_images_printed(v))
    assert same(drawn(panel.fig, "spike z")[1], heaviside(v))
    assert same(drawn(panel.fig, "∫ your Ψ")[1], area_up_to(ours, v))
    assert same(drawn(panel.fig, "∫ published Ψ")[1], area_up_to(psi_images_printed, v))
    assert drawn(panel.fig, "∫ your Ψ")[1][-1] < area(ours) == pytest.approx(0.2, rel=1e-4)
    mine, theirs = panel.fig.data[2:4]
    assert tuple(mine.x) == passing_interval(ours)
    assert np.allclose(mine.y, 0.1)
    assert tuple(theirs.x) == passing_interval(psi_images_printed)


def test_the_published_one_can_be_left_out():
    panel = SurrogateExplorer(published="none")
    assert [trace.visible for trace in panel.fig.data] == [True, False, True, False, None, True, False]
    assert "published" not in panel.text
    panel.state = {"published": "speech"}
    assert all(trace.visible is not False for trace in panel.fig.data)


@pytest.mark.parametrize("form", FORMS)
def test_every_control_at_both_ends_and_its_code(form):
    def compare(panel, names):
        assert same(names["psi"] if names["published"] is None else names["yours"](names["v"]), panel.numbers.yours.psi)
        assert same(names["step"], panel.numbers.yours.step)
        assert same(names["spike"], panel.numbers.spike)
        assert area(names["yours"]) == panel.numbers.yours.area
        assert (names["published"] is None) == (panel.numbers.published is None)

    walk_and_compare(SurrogateExplorer(form=form, published="none"), compare)


@pytest.mark.parametrize("published", PUBLISHED)
def test_the_code_of_each_published_one(published):
    panel = SurrogateExplorer(published=published)
    names: dict = {}
    exec(panel.code(), names)
    if names["published"] is not None:
        assert same(names["published"](names["v"]), panel.numbers.published.psi)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "Your Ψ (the triangle) has the area 1.00 and passes gradients while u is within 0.9 of the threshold"),
        ({"published": "images, as printed"}, "the area 4.00"),
        ({"published": "images, as printed"}, "the paper asks for an area of at most 1"),
        ({"height": 2.0}, "the paper asks for an area of at most 1"),
        ({"published": "speech"}, "the published one (speech) has the area 0.02"),
    ],
)
def test_the_text(state, words):
    assert words in SurrogateExplorer(**state).text


def test_a_narrow_one_is_drawn_narrow_and_unused_controls_are_off():
    panel = SurrogateExplorer(form="arctan", span=0.1)
    assert tuple(panel.fig.layout.xaxis.range) == (-0.1, 0.1)
    assert [panel.controls[name].layout.display for name in ("slope", "height", "width")] == ["", "none", "none"]


@pytest.mark.parametrize("form", ["triangle", "fast sigmoid", "arctan", "logistic"])
def test_peak_and_reach_are_in_the_hand(form):
    panel = SurrogateExplorer(form=form, slope=4.0, height=1.0, width=1.0)
    _, end = panel.numbers.yours.passing
    panel.fig.dragged = {"handle": 0, "x": -end / 2, "y": 0.0, "count": 1}
    assert panel.numbers.yours.passing[1] == pytest.approx(end / 2, rel=1e-3)
    peak = float(panel.numbers.yours.psi.max())
    panel.fig.dragged = {"handle": 2, "x": 0.0, "y": 2.0 * peak, "count": 2}
    has_height = form in ("triangle", "logistic")
    assert len(panel.fig.handles) == 2 + has_height
    assert float(panel.numbers.yours.psi.max()) == pytest.approx(peak * (1 + has_height))


def test_the_steps_that_learn_are_those_near_the_threshold():
    panel = SurrogateExplorer(form="triangle", width=0.2)
    x, y = drawn(panel.time, "learns")
    rest = drawn(panel.time, "does not learn")
    assert sorted([*x, *rest[0]]) == list(range(STEPS))
    low, high = panel.numbers.yours.passing
    assert 0 < len(x) < STEPS
    assert all(low - 1e-9 <= v <= high + 1e-9 for v in y)
    assert not any(low + 1e-9 < v < high - 1e-9 for v in rest[1])
    assert f"{len(x)} of {STEPS} steps learn" in panel.text
    wide = SurrogateExplorer(form="triangle", width=2.0)
    assert len(drawn(wide.time, "learns")[0]) > len(x)
    assert equal(run_code(panel)["felt"], panel.numbers.felt)
