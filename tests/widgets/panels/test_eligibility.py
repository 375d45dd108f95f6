"""`EligibilityTimeline` draws what `workbench.neurons.synapse` computes, and its words follow."""

import numpy as np
import pytest
from house import check_house_rules, drawn, equal, same, walk_and_compare

from widgets.panels.eligibility import STEPS, EligibilityTimeline

pytestmark = pytest.mark.usefixtures("unchecked")


def test_house_rules():
    check_house_rules(EligibilityTimeline)


@pytest.mark.parametrize("rule", ["S-TLLR", "e-prop", "OTTT", "pair STDP"])
def test_every_control_at_both_ends_and_its_code(rule):
    def compare(panel, names):
        for name, values in (("causal part", names["run"].causal), ("weight change", names["run"].weight)):
            assert same(drawn(panel.time, name)[1], values), name
        assert same(panel.matrix.data[0].z, names["pairs"])
        assert equal(panel.numbers.run.weight[-1], names["pairs"].sum())

    walk_and_compare(EligibilityTimeline(rule=rule), compare)


def test_spikes_and_signal_lie_where_the_sliders_say():
    panel = EligibilityTimeline(pre_1=3, pre_2=7, post_1=5, post_2=5, signal_at=57, signal_steps=10, signal=-0.5)
    assert same(drawn(panel.time, "pre spikes x"), [[3, 7], [1, 1]])
    assert same(drawn(panel.time, "post spikes z"), [[5, 5], [0, 0]])
    signal = drawn(panel.time, "learning signal −δ")[1]
    assert same(signal, np.where(np.arange(STEPS) < 57, 0.0, -0.5))


def test_only_the_controls_of_the_rule_are_shown():
    panel = EligibilityTimeline(rule="pair STDP")
    hidden = {name for name, control in panel.controls.items() if control.layout.display == "none"}
    assert {"decay", "kappa", "decay_pre", "signal_at", "width"} <= hidden
    panel.state = {"rule": "e-prop"}
    hidden = {name for name, control in panel.controls.items() if control.layout.display == "none"}
    assert hidden == {"decay_pre", "decay_post", "alpha_pre", "alpha_post", "tau", "a_minus", "pre_3", "post_3"}


def test_the_matrix_shows_the_pairs_that_count_and_little_besides():
    panel = EligibilityTimeline()
    low, high = panel.matrix.layout.xaxis.range
    assert (low, high) == (10 - 3.5, 34 + 3.5)
    pairs = np.asarray(panel.matrix.data[0].z)
    bottom, top = panel.matrix.layout.yaxis.range
    inside = pairs[int(bottom + 0.5) : int(top + 0.5), int(low + 0.5) : int(high + 0.5)]
    assert np.abs(inside).sum() == pytest.approx(np.abs(pairs).sum())
    panel.state = {"signal": 0.0}
    assert list(panel.matrix.layout.xaxis.range) == [-0.5, STEPS - 0.5]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "Pre fires at step 10 and 34, post at step 16 and 30."),
        ({}, "When the learning signal comes at step 18, the synapse remembers"),
        ({"signal": 0.0}, "nothing is learned"),
        ({"rule": "pair STDP"}, "Nobody teaches"),
        ({"rule": "OTTT"}, "+0.000 from pairs where post came first"),
    ],
)
def test_the_text(state, words):
    assert words in EligibilityTimeline(**state).text


def test_spikes_and_signal_are_in_the_hand():
    panel = EligibilityTimeline(signal_at=20, signal_steps=10)
    assert same(drawn(panel.time, "ends of the signal"), [[20, 29], [1, 1]])
    panel.time.dragged = {"add": 3, "x": 44.0, "count": 1}
    panel.time.dragged = {"remove": 0, "count": 2}
    assert same(drawn(panel.time, "pre spikes x")[0], [34])
    assert same(drawn(panel.time, "post spikes z")[0], [16, 30, 44])
    panel.time.dragged = {"handle": 7, "x": 24.2, "y": 0.0, "count": 3}
    panel.time.dragged = {"handle": 6, "x": 40.0, "y": -0.52, "count": 4}
    assert (panel.state["signal_at"], panel.state["signal_steps"], panel.state["signal"]) == (40, 5, -0.5)
    panel.state = {"rule": "pair STDP"}
    assert panel.time.data[7].visible is False
