"""`TraceDecay` draws the recursion and the sum over all spikes, and both are the same."""

import numpy as np
import pytest
from house import check_house_rules, drawn, equal, same, walk_and_compare

from widgets.panels.traces import STEPS, TraceDecay
from workbench.neurons.stimuli import random_spikes, spikes_at
from workbench.neurons.traces import post_trace, run_trace


def test_house_rules():
    check_house_rules(TraceDecay)


def test_it_draws_both_traces_and_both_sums():
    panel = TraceDecay(spikes="random", seed=4, interval=6, decay_pre=0.85, decay_post=0.6)
    x = random_spikes(STEPS, 6, 4)
    assert same(drawn(panel.fig, "spikes x")[0], x.nonzero()[:, 0])
    assert same(drawn(panel.fig, "q by recursion")[1], run_trace(x, 0.85))
    assert same(drawn(panel.fig, "h by recursion")[1], post_trace(x, 0.6))
    q, h = (drawn(panel.fig, f"{name} by the sum over all{word} spikes")[1] for name, word in (("q", ""), ("h", "")))
    by_hand = [[sum(d ** (t - k) * x[k] for k in range(t + 1)) for t in range(STEPS)] for d in (0.85, 0.6)]
    assert np.allclose(q, by_hand[0])
    assert np.allclose(h, np.array(by_hand[1]) - x.numpy())


def test_spikes_can_be_placed_and_each_has_its_own_part():
    panel = TraceDecay(spikes="three spikes", first=5, second=5, third=70, decay_pre=0.5)
    assert same(drawn(panel.fig, "spikes x"), [[5, 5, 70], [2, 2, 1]])
    x, y = drawn(panel.fig, "each spike on its own")
    breaks = np.flatnonzero(np.isnan(x))
    assert len(breaks) == 1
    first, last = x[: breaks[0]].astype(int), x[breaks[0] + 1 :].astype(int)
    assert (first[0], last[0]) == (5, 70)
    assert np.allclose(y[: breaks[0]], 2 * 0.5 ** (first - 5.0))
    assert np.allclose(y[breaks[0] + 1 :], 0.5 ** (last - 70.0))
    assert equal(panel.numbers.parts.sum(0), run_trace(spikes_at([5, 5, 70], STEPS), 0.5))


def test_the_limit_is_drawn_where_a_spike_comes_at_every_step():
    panel = TraceDecay(decay_pre=0.75)
    assert not panel.fig.data[5].visible
    panel.state = {"spikes": "at every step"}
    assert panel.fig.data[5].visible
    assert same(drawn(panel.fig, "limit of q")[1], [4.0, 4.0])
    assert drawn(panel.fig, "q by recursion")[1][-1] == pytest.approx(4.0)
    assert drawn(panel.fig, "limit of h")[1][0] == pytest.approx(drawn(panel.fig, "h by recursion")[1][-1])


def test_a_trace_that_forgets_nothing_counts_and_has_no_limit():
    panel = TraceDecay(decay_pre=1.0, decay_post=1.0, spikes="at every step")
    assert same(drawn(panel.fig, "q by recursion")[1], np.arange(1, STEPS + 1))
    assert same(drawn(panel.fig, "h by recursion")[1], np.arange(STEPS))
    assert not len(panel.fig.data[5].y)
    assert not len(panel.fig.data[6].y)
    assert "inf" not in panel.text


def test_every_control_at_both_ends_and_its_code():
    def compare(panel, names):
        for name in ("x", "q", "h", "q_by_sum", "h_by_sum"):
            assert same(names[name], getattr(panel.numbers, name)), name
        assert same(drawn(panel.fig, "q by recursion")[1], names["q"])
        assert equal(panel.numbers.q, names["q_by_sum"])

    for spikes in ("random", "three spikes"):
        walk_and_compare(TraceDecay(spikes=spikes), compare)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"spikes": "random"}, "one number each stands for all 7 spikes"),
        ({}, "one number each stands for all 3 spikes"),
        ({"decay_pre": 0.5}, "q halves every 1.0 steps"),
        ({"decay_pre": 0.75}, "1/(1 − λ_pre) = 4.0"),
        ({}, "The recursion and the sum over all spikes give the same trace."),
        ({"decay_pre": 0.0}, "q halves every 0.0 steps"),
        ({"decay_pre": 1.0}, "q forgets nothing, h halves every 1.0 steps. A spike at every step would let q grow"),
        ({"decay_post": 1.0, "decay_pre": 0.5}, "q halves every 1.0 steps, h forgets nothing. A spike at every step "),
        ({"decay_post": 1.0, "decay_pre": 1.0}, "q and h forget nothing"),
    ],
)
def test_the_text(state, words):
    assert words in TraceDecay(**state).text


def test_controls_that_do_not_count_are_gone():
    panel = TraceDecay()
    gone = [
        {name for name, control in panel.controls.items() if control.layout.display == "none"}
        for panel.state in ({"spikes": "three spikes"}, {"count": 2}, {"spikes": "random"})
    ]
    assert gone == [{"seed", "interval"}, {"seed", "interval", "third"}, {"count", "first", "second", "third"}]


def test_spikes_are_in_the_hand_where_they_are_placed():
    panel = TraceDecay(count=2)  # at once: a spike can be dragged before anything is chosen
    assert same(drawn(panel.fig, "spikes x")[0], [10, 20])
    panel.fig.dragged = {"handle": 1, "x": 33.4, "y": 9.0, "count": 1}
    assert same(panel.numbers.x.nonzero()[:, 0], [10, 33])
    panel.fig.dragged = {"add": 0, "x": 50.0, "count": 2}
    panel.fig.dragged = {"remove": 0, "count": 3}
    assert same(drawn(panel.fig, "spikes x")[0], [33, 50])
    panel.state = {"spikes": "random"}
    assert not panel.fig.handles
