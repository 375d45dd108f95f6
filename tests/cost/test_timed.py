"""Measured costs: counted by what really runs, in the order of the formulas where these say much."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from widgets.panels.cost import CostExplorer
from workbench.cost.table import dense_sizes, rule_costs
from workbench.cost.timed import TIMED, NotTimed, example, timed, timed_costs
from workbench.rule import StepReport

pytestmark = pytest.mark.usefixtures("unchecked")

RULES = [rule.label for rule in TIMED]
SIZES = {"inputs": 60, "width": 40, "depth": 2, "classes": 5}


def found(steps: int, learning_steps: int, **sizes: int) -> dict[str, Any]:
    costs = list(timed_costs(**{**SIZES, **sizes}, steps=steps, learning_steps=learning_steps, repeats=1))
    assert [cost.rule for cost in costs] == list(RULES)
    return {cost.rule: cost for cost in costs}


def test_the_rules_are_those_of_the_formulas():
    assert set(RULES) == set(rule_costs(dense_sizes(**SIZES), 10, 10))


def test_memory_grows_with_the_steps_for_bptt_alone():
    short, long = found(17, 17, depth=1), found(51, 51, depth=1)
    growth = {rule: long[rule].memory / short[rule].memory for rule in RULES}
    assert growth["BPTT"] > 2.6
    assert all(growth[rule] < 1.05 for rule in RULES if rule != "BPTT"), growth
    assert all(cost.seconds > 0 for cost in long.values())


def test_eprop_keeps_a_number_for_each_synapse():
    costs = found(16, 16)
    synapses = 60 * 40 + 40 * 40 + 40 * 5
    assert costs["e-prop"].memory > 4 * synapses > costs["S-TLLR"].memory


def test_fewer_learning_steps_cost_fewer_products_and_k_is_at_most_t():
    few, all_ = found(8, 1), found(8, 8)
    assert few["S-TLLR"].counted.macs < all_["S-TLLR"].counted.macs
    more = found(8, 1000)
    assert more["S-TLLR"].counted.macs == all_["S-TLLR"].counted.macs


def test_a_rule_that_refuses_says_why_and_the_others_go_on():
    costs = found(4, 4, width=4)
    assert isinstance(costs["TESS"], NotTimed)
    assert "4 latents have the frequencies 1..3, but 5 were asked for" in costs["TESS"].reason
    assert costs["e-prop"].memory


def test_the_example_is_the_same_each_time_and_leaves_the_generator_alone():
    state = torch.random.get_rng_state()
    one, other = (example(6, 4, 1, 3, 5) for _ in range(2))
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(one[1:], other[1:], strict=True))
    assert all(torch.equal(a, b) for a, b in zip(one[0].parameters(), other[0].parameters(), strict=True))


def test_what_is_compiled_at_first_use_is_not_timed(monkeypatch):
    """The batch that is counted goes other ways than those that are timed: loops are compiled by the one after it."""
    now, batches = 0.0, iter([1000.0, 100.0, 1.0, 3.0, 1.0])

    def rule(network: nn.Module, x: Tensor, y: Tensor) -> StepReport:
        nonlocal now
        now += next(batches)
        return StepReport(0.0, torch.zeros(1, 2), {}, 0)

    monkeypatch.setattr("workbench.cost.timed.time.perf_counter", lambda: now)
    assert timed("a rule", rule, *example(6, 4, 1, 2, 5), repeats=2).seconds == 2.0
    assert list(batches) == [1.0]  # there was enough


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match=r"at least 1, got \(60, 40, 0, 5, 3, 3, 3\)"):
        next(timed_costs(60, 40, 0, 5, 3, 3))


def test_the_formula_of_the_measurement_is_of_the_right_size():
    """The dearest rule keeps the bytes of one batch, counted by `measure`, within twice the price."""
    from workbench.cost.timed import BATCH, TimedCost, timed_costs

    price = CostExplorer(steps=20, width=100, depth=2, learning_steps=20).price().bytes
    measured = [cost for cost in timed_costs(700, 100, 2, 20, 20, 20, repeats=1) if isinstance(cost, TimedCost)]
    most = BATCH * max(cost.memory for cost in measured)
    assert most / 2 < price < 4 * most
