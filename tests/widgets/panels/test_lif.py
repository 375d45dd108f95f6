"""`LIFExplorer` draws what `run_lif` computes, and says what it is."""

import numpy as np
import pytest
from house import check_house_rules, drawn, same, walk_and_compare

from widgets.panels.lif import STEPS, LIFExplorer
from workbench.neurons.firing import rate_curve
from workbench.neurons.lif import Neuron, hard_reset, run_lif, soft_reset
from workbench.neurons.stimuli import constant_current, random_spikes


def test_house_rules():
    check_house_rules(LIFExplorer)


def test_it_draws_the_neuron_it_says():
    panel = LIFExplorer(input="random spikes", strength=0.4, interval=4, seed=3, decay=0.8, threshold=0.7)
    current = 0.4 * random_spikes(STEPS, 4, 3)
    membrane = run_lif(current, Neuron(0.8, 0.7), reset=soft_reset)
    fired = membrane.spikes.nonzero()[:, 0]
    assert same(drawn(panel.time, "input I")[1], current)
    assert same(drawn(panel.time, "spikes z")[0], fired)
    assert same(drawn(panel.time, "threshold v_th")[1], [0.7, 0.7])
    x, y = drawn(panel.time, "membrane u")
    drops = np.flatnonzero(np.diff(x) == 0)
    assert same(x[drops], fired)
    assert np.allclose(y[drops + 1], membrane.potential[fired] - 0.7)
    assert same(np.delete(y, drops + 1), membrane.potential)
    assert same(drawn(panel.time, "before the reset")[1], membrane.potential)
    after = drawn(panel.time, "after the reset")[1]
    assert np.allclose(after, membrane.potential - 0.7 * membrane.spikes)
    currents, rates = drawn(panel.rate, "rate at a constant current")
    assert same(rates, rate_curve(panel.numbers.currents, Neuron(0.8, 0.7)))
    assert currents[-1] == pytest.approx(1.5 * 0.7)
    assert same(drawn(panel.rate, "the neuron above"), [[current.mean()], [membrane.spikes.mean()]])


def test_every_control_at_both_ends_and_its_code():
    def compare(panel, names):
        assert same(names["current"], panel.numbers.current)
        assert same(names["membrane"].potential, panel.numbers.membrane.potential)
        assert same(names["rates"], panel.numbers.rates)
        assert same(drawn(panel.time, "spikes z")[0], names["membrane"].spikes.nonzero()[:, 0])

    walk_and_compare(LIFExplorer(input="random spikes", strength=0.3), compare)


def test_the_hard_reset_goes_to_zero():
    panel = LIFExplorer(reset="hard: back to 0", strength=0.4)
    membrane = run_lif(constant_current(STEPS, 0.4), Neuron(0.9, 0.6), reset=hard_reset)
    assert same(drawn(panel.time, "after the reset")[1], membrane.potential * (1 - membrane.spikes))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"strength": 0.03}, "Silent: in 100 steps the membrane u reaches 0.30"),
        ({"strength": 0.03}, "constant current must exceed v_th (1 − γ) = 0.060"),
        ({"strength": 0.1}, "Tonic firing: one spike every 9 steps (rate 0.11"),
        ({"strength": 2.0}, "Tonic firing: at every step (rate 1.00"),
        ({"strength": 0.3, "input": "random spikes", "interval": 5}, "Irregular firing: spikes 3 to 25 steps apart"),
        ({"strength": 0.7, "input": "regular spikes", "interval": 20}, "one spike every 20 steps"),
        (
            {"strength": 0.7, "input": "regular spikes", "interval": 20},
            "this input of 0.035 per step would be too weak",
        ),
        ({"strength": 0.7, "input": "regular spikes", "interval": 40, "threshold": 0.7}, "One spike in 100 steps"),
        ({"decay": 0.9}, "time constant of 9.5 steps"),
        ({"decay": 1.0}, "forgets nothing"),
        ({"decay": 0.0}, "forgets everything at each step"),
    ],
)
def test_the_text_says_what_a_student_should_see(state, words):
    assert words in LIFExplorer(**state).text


def test_controls_that_do_not_count_are_gone():
    panel = LIFExplorer()
    disabled = [
        {name for name in ("interval", "seed") if panel.controls[name].layout.display == "none"}
        for panel.state in ({"input": label} for label in ("constant current", "regular spikes", "random spikes"))
    ]
    assert disabled == [{"interval", "seed"}, {"seed"}, set()]


def test_spikes_that_are_placed_arrive_and_are_in_the_hand():
    panel = LIFExplorer(input="spikes you place", strength=0.5, input_spikes=2, input_1=10, input_2=12)
    assert same(panel.numbers.current.nonzero()[:, 0], [10, 12])
    assert same(drawn(panel.time, "input spikes"), [[10, 12], [0.5, 0.5]])
    panel.time.dragged = {"handle": 2, "x": 10.0, "y": 0.0, "count": 1}
    assert same(drawn(panel.time, "input spikes"), [[10, 10], [1.0, 1.0]])
    panel.state = {"input": "constant current"}
    assert len(panel.time.handles) == 1
    assert panel.controls["input_1"].layout.display == "none"


def test_the_threshold_is_in_the_hand():
    panel = LIFExplorer()
    panel.time.dragged = {"handle": 0, "x": 50.0, "y": 1.217, "count": 1}
    assert panel.state["threshold"] == 1.2
    assert panel.text.startswith("Silent")
