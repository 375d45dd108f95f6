"""`LocalityMap` draws what `workbench.watch.dependence` measures; clicks and words follow."""

import numpy as np
import pytest
from house import check_house_rules, drawn, equal, same, walk_and_compare
from plotly.callbacks import InputDeviceState, Points

from widgets.panels.locality import LocalityMap
from widgets.panels.locality_pictures import QUIET
from workbench.watch.dependence import STEPS, dependence, mapped_rules, shade

pytestmark = pytest.mark.usefixtures("unchecked")


def click(trace, x, y):
    """What plotly does when a point of `trace` is clicked."""
    points = Points(point_inds=[0], xs=[x], ys=[y], trace_name=trace.name, trace_index=trace._trace_ind)
    trace._dispatch_on_click(points, InputDeviceState(button=0, buttons=1))


def test_house_rules():
    check_house_rules(LocalityMap)


def test_every_rule_is_there():
    rules = dict(LocalityMap().controls["rule"].options)
    assert rules == {rule.label: rule.name for rule in mapped_rules()}
    assert {"BPTT", "S-TLLR", "S-TLLR with DFA", "e-prop", "OTTT", "TESS", "TESS as released", "pair STDP"} < set(rules)


def test_every_control_at_both_ends_and_its_code():
    def compare(panel, names):
        found, layer, step = names["found"], panel.values["layer"], panel.values["step"]
        assert equal(panel.numbers.layers, names["layers"])
        assert equal(panel.numbers.steps, names["steps"])
        earlier, later = drawn(panel.chosen, "steps up to t"), drawn(panel.chosen, "later steps")
        assert same(np.concatenate([earlier[0], later[0]]), range(STEPS))
        assert same(np.concatenate([earlier[1], later[1]]), names["steps"])
        assert same(panel.chosen.data[0].z, shade(names["layers"])[:, None])
        for each, there in zip(panel.maps, (found, names["beside"]), strict=True):
            assert same(each.data[0].z, shade(there.space.change))
            assert same(each.data[1].z, shade(there.of_steps(layer)))
        assert same(drawn(panel.chosen, "step t")[0], [step])
        for figure, trace, row in ((panel.chosen, "chosen layer", layer), (panel.maps[1], "row t", step)):
            assert drawn(figure, trace)[1].mean() == pytest.approx(row, abs=0.2)

    walk_and_compare(LocalityMap(), compare)
    walk_and_compare(LocalityMap(rule="BPTT"), compare)


def test_zero_is_called_no_and_nothing_else_is():
    panel = LocalityMap(rule="TESS", layer="layer 2", step=3)
    assert [text for (text,) in panel.chosen.data[0].text][2:] == ["no", "no"]
    assert list(panel.chosen.data[3].text) == ["no"] * (STEPS - 4)
    words, changes = panel.maps[0].data[1].text, dependence("tess").of_steps(1)
    assert [[word == "no" for word in row] for row in words] == (changes == 0).tolist()
    panel.state = {"rule": "BPTT", "layer": "layer 3", "step": 0}
    words = [list(row) for row in panel.maps[0].data[1].text]
    assert all("no" not in row for row in words)
    assert words[0][-1] in ("0.01", "<.01")


def test_two_rules_stand_side_by_side():
    panel = LocalityMap()
    titles = [figure.layout.annotations[0].text for figure in panel.maps]
    assert ["TESS" in titles[0], "BPTT" in titles[1]] == [True, True]
    panel.state = {"beside": "e-prop"}
    assert "e-prop" in panel.maps[1].layout.annotations[0].text
    assert "Under e-prop it depends on" in panel.text


def test_cells_that_say_no_step_back():
    """Their colour lets the page through, and their word is the quietest."""
    panel = LocalityMap()
    lowest = panel.maps[0].layout.coloraxis.colorscale[0][1]
    assert float(lowest.rstrip(")").split(",")[3]) < 0.2
    words = panel.maps[0].data[5]
    assert {colour for word, colour in zip(words.text, words.textfont.color, strict=True) if word == "no"} == {QUIET}
    assert all(
        (word == "no") == (colour == QUIET) for word, colour in zip(words.text, words.textfont.color, strict=True)
    )
    assert list(zip(words.x, words.y, strict=True))[:9] == [(k, 0) for k in range(8)] + [(0, 1)]


def test_clicks_set_the_controls():
    panel = LocalityMap()
    click(panel.chosen.data[0], 0, 3)
    assert panel.state["layer"] == "readout"
    for trace, step in ((1, 7), (2, 0), (3, 6)):
        click(panel.chosen.data[trace], step, 0.3)
        assert panel.state["step"] == step
    click(panel.maps[0].data[0], 2, 0)
    assert panel.state["layer"] == "layer 1"
    click(panel.maps[1].data[1], 3, 5)
    assert panel.state["step"] == 5
    assert panel.text == LocalityMap(layer="layer 1", step=5).text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            {},
            "TESS: the update of layer 2 depends on itself and on layer 1 below it, but on no layer above it: local in",
        ),
        (
            {"step": 5},
            "Its part made at step 5 depends on the input of steps 0 to 5, but of no later step: local in time.",
        ),
        ({}, "Under BPTT it depends on layer 1, layer 2, layer 3 and the readout, and on steps 0 to 7."),
        ({"step": 0}, "depends on the input of step 0, but of no later step"),
        ({"layer": "readout"}, "nothing lies above it, and no other update depends on a layer above: local in space."),
        ({"rule": "TESS as released"}, ", and on layer 3 and the readout above it, by up to D = 1.4"),
        ({"rule": "S-TLLR", "layer": "readout"}, "but other updates depend on layers above: not local in space."),
        ({"rule": "OTTT", "step": 7}, "depends on the input of steps 0 to 7; no step is later: local in time."),
        ({"rule": "BPTT"}, ", and of the later steps 5 to 7, by up to D = 0.5"),
        (
            {"rule": "BPTT", "step": 7},
            "but the updates before it do depend on later steps: not local in time. BPTT waits",
        ),
    ],
)
def test_the_text(state, words):
    assert words in LocalityMap(**state).text


def test_no_axis_fits_itself_so_that_a_step_moves_marks_alone():
    panel = LocalityMap()
    for figure in (panel.chosen, *panel.maps):
        axes = ("xaxis", "yaxis", "xaxis2", "yaxis2")
        assert all(figure.layout[name].range is not None for name in axes)
