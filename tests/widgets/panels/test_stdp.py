"""`STDPWindow`: the window and the weight change by pairs and by traces are drawn on one another and agree."""

import numpy as np
import pytest
import torch
from house import check_house_rules, drawn, equal, run_code, same, walk_and_compare

from widgets.drawing.handles import pulled
from widgets.panels.stdp import REACH, STEPS, STDPWindow
from workbench.neurons.stimuli import spikes_at
from workbench.neurons.traces import Factors
from workbench.neurons.windows import PairRule, stdp_by_traces, stdp_pair_sum, stdp_window, stllr_pair_sum, stllr_window

pytestmark = pytest.mark.usefixtures("unchecked")


def test_house_rules():
    check_house_rules(STDPWindow)


def test_pair_stdp_is_drawn_by_its_own_formula():
    panel = STDPWindow(a_plus=1.2, a_minus=0.4, tau_plus=10.0, tau_minus=30.0, spikes=3)
    rule = PairRule(1.2, 0.4, 10.0, 30.0)
    lags = torch.arange(-REACH, REACH + 1).double()
    window = stdp_window(lags, rule)
    assert np.allclose(drawn(panel.window, "non-causal: post first")[1], window[:REACH])
    assert np.allclose(drawn(panel.window, "causal: pre first")[1], window[REACH:])
    assert np.allclose(drawn(panel.window, "by two traces")[1], window[::4])
    pre, post = ([panel.state[f"{side}_{k}"] for k in (1, 2, 3)] for side in ("pre", "post"))
    total = stdp_pair_sum(torch.tensor(pre).double(), torch.tensor(post).double(), rule)
    over_time = stdp_by_traces(spikes_at(pre, STEPS), spikes_at(post, STEPS), rule)
    assert np.allclose(drawn(panel.time, "weight by two traces")[1], over_time)
    steps, by_pairs = drawn(panel.time, "weight by all pairs so far")
    assert steps.tolist() == sorted({*pre, *post})
    assert np.allclose(by_pairs, over_time[steps.astype(int)])
    assert by_pairs[-1] == pytest.approx(float(total))
    lags, changes = drawn(panel.window, "your pairs of spikes")
    assert len(lags) == 9
    assert np.allclose(changes, stdp_window(torch.from_numpy(lags), rule))


@pytest.mark.parametrize(("form", "released"), [("paper", False), ("released code", True)])
def test_the_general_window_in_both_forms(form, released):
    panel = STDPWindow(rule="S-TLLR", form=form, decay_pre=0.8, decay_post=0.5, alpha_pre=0.6, alpha_post=0.7)
    factors = Factors(0.5, 0.8, 0.7, 0.6)
    window = stllr_window(torch.arange(-REACH, REACH + 1).double(), factors, released)
    left, right = (drawn(panel.window, name)[1] for name in ("non-causal: post first", "causal: pre first"))
    assert np.allclose(np.concatenate([left, right]), window)
    assert left[-1] == pytest.approx(0.7 if released else 0.35)
    x, psi = (spikes_at([panel.state[f"{side}_{k}"] for k in (1, 2)], STEPS)[:, None] for side in ("pre", "post"))
    assert float(panel.numbers.by_traces[-1]) == pytest.approx(float(stllr_pair_sum(x, psi, factors, released)))


def test_terms_can_be_switched_off():
    panel = STDPWindow(causal=False)
    assert not drawn(panel.window, "causal: pre first")[1].any()
    assert drawn(panel.window, "non-causal: post first")[1].any()
    panel.state = {"causal": True, "non_causal": False}
    assert not drawn(panel.window, "non-causal: post first")[1].any()
    assert drawn(panel.time, "weight by two traces")[1].min() >= 0.0
    assert "(pre first, or together) give +0.917" in panel.text
    assert "(post first) give +0.000" in panel.text


@pytest.mark.parametrize(("preset", "value"), [("antisymmetric", -1.0), ("causal_only", 0.0), ("symmetric", 1.0)])
def test_presets(preset, value):
    panel = STDPWindow(rule="S-TLLR", alpha_post=0.5)
    panel.controls[preset].click()
    assert panel.state["alpha_post"] == value
    left, right = (drawn(panel.window, name)[1] for name in ("non-causal: post first", "causal: pre first"))
    assert np.allclose(left[::-1], value * right[1:])


@pytest.mark.parametrize("rule", ["pair STDP", "S-TLLR"])
def test_every_control_at_both_ends_and_its_code(rule):
    def compare(panel, names):
        assert same(names["window"], panel.numbers.window)
        assert same(names["measured"], panel.numbers.window_by_traces)
        assert same(names["by_traces"], panel.numbers.by_traces)
        assert equal(names["by_pairs"], panel.numbers.by_traces)
        assert equal(panel.numbers.window, panel.numbers.window_by_traces)
        assert "agree at every step" in panel.text

    walk_and_compare(STDPWindow(rule=rule, spikes=3), compare)


def test_the_code_knows_what_is_switched_off():
    panel = STDPWindow(rule="S-TLLR", non_causal=False, form="released code")
    assert same(run_code(panel)["window"], panel.numbers.window)


def test_only_the_controls_that_count_are_shown():
    panel = STDPWindow(spikes=1)
    shown = {name for name, control in panel.controls.items() if control.layout.display != "none"}
    assert shown == {
        "rule", "causal", "non_causal", "a_plus", "a_minus", "tau_plus", "tau_minus", "pre_spikes", "pre_1",
        "post_spikes", "post_1",
    }  # fmt: skip
    panel.state = {"rule": "S-TLLR", "pre_spikes": 2, "post_spikes": 2}
    shown = {name for name, control in panel.controls.items() if control.layout.display != "none"}
    assert {"form", "decay_pre", "alpha_post", "symmetric", "pre_2", "post_2"} <= shown
    assert not shown & {"a_plus", "tau_minus", "pre_3"}


def test_the_text_of_one_pair():
    panel = STDPWindow(spikes=1, pre_1=20, post_1=40)
    assert panel.text.startswith(
        "Pre spikes at step 20, post spikes at step 40. 1 causal pair (pre first, or together) gives +0.368, "
        "0 non-causal pairs (post first) give +0.000: the weight changes by +0.368."
    )
    panel.state = {"pre_1": 60}
    assert "1 non-causal pair (post first) gives −0.368: the weight changes by −0.368" in panel.text


def test_an_older_link_counts_the_spikes_of_both_sides():
    panel = STDPWindow(spikes=3)
    assert (panel.state["pre_spikes"], panel.state["post_spikes"]) == (3, 3)
    panel.state = {"spikes": 1}
    assert (len(panel.numbers.pre), len(panel.numbers.post)) == (1, 1)
    with pytest.raises(ValueError, match="pre_spikes must lie from 1 to 3, got 4"):
        panel.state = {"spikes": 4}


def test_each_side_has_its_own_number_of_spikes():
    panel = STDPWindow(pre_spikes=1, post_spikes=3)
    assert panel.text.startswith("Pre spikes at step 20, post spikes at step 28 and 48 and 88.")
    assert same(drawn(panel.time, "post spikes")[0], [28, 48, 88])


@pytest.mark.parametrize(
    ("rule", "heights", "reaches"),
    [
        ("pair STDP", {"a_plus": 0.5, "a_minus": 1.5}, {"tau_plus": 10.0, "tau_minus": 30.0}),
        ("S-TLLR", {"alpha_pre": 0.5, "alpha_post": -0.25}, {"decay_pre": 0.8, "decay_post": 0.95}),
    ],
)
def test_the_handles_of_the_window_stand_where_they_set_what_is_set(rule, heights, reaches):
    panel = STDPWindow(rule=rule, **heights, **reaches)
    x, y = drawn(panel.window, "handles")
    for number, (name, value) in enumerate({**heights, **reaches}.items()):
        at = {"handle": number, "x": float(x[number]), "y": float(y[number])}
        assert pulled(panel.window.handles, at, panel.values) == {name: pytest.approx(value)}
    lags, change = drawn(panel.window, "causal: pre first")
    assert np.interp(x[2], lags, change) == pytest.approx(y[2], rel=0.01)


def test_a_side_that_is_switched_off_has_no_handles():
    panel = STDPWindow(causal=False)
    assert np.isnan(drawn(panel.window, "handles")[1]).tolist() == [True, False, True, False]
