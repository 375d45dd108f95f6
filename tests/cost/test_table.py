"""The table of costs: formulas against counting by hand, and measurements beside them."""

from functools import partial

import pytest
import torch

from workbench.cost.formulas import layer_sizes, mac_saving
from workbench.cost.table import break_even, cost_curves, cost_table, dense_sizes, rule_costs, written
from workbench.networks.spiking import SpikingMLP
from workbench.rules import bptt, eprop, stllr
from workbench.rules.stllr import STLLR

pytestmark = pytest.mark.usefixtures("unchecked")

SIZES = dense_sizes(10, 4, 2, 3)  # 40 + 16 + 12 MACs, 10 + 4 + 4 + 3 neurons


def test_sizes_are_those_of_a_real_network():
    assert [size[1:] for size in SIZES] == [
        size[1:] for size in layer_sizes(SpikingMLP([10, 4, 4], 3), torch.zeros(1, 1, 10))
    ]
    with pytest.raises(ValueError, match=r"must be positive, got \(10, 4, 0, 3\)"):
        dense_sizes(10, 4, 0, 3)


def test_every_formula_by_hand():
    costs = rule_costs(SIZES, steps=20, learning_steps=5)
    assert {rule: cost.macs for rule, cost in costs.items()} == {
        "BPTT": 2 * 20 * 68,
        "S-TLLR": 3 * 5 * 68,
        "S-TLLR, causal": 2 * 5 * 68,
        "OTTT": 2 * 5 * 68,
        "e-prop": 20 * 68 + 2 * 5 * 68,
        "TESS": 2 * 5 * 68 + 5 * 2 * 3 * 8,
    }
    assert {rule: cost.memory // 4 for rule, cost in costs.items()} == {
        "BPTT": 20 * 21,
        "S-TLLR": 42,
        "S-TLLR, causal": 21,
        "OTTT": 21,
        "e-prop": 21 + 68,
        "TESS": 42,
    }
    with pytest.raises(ValueError, match=r"1\.\.20, got 21"):
        rule_costs(SIZES, 20, 21)


@pytest.mark.parametrize("steps", [3, 20, 90, 100])
def test_break_even_is_where_the_saving_passes_one(steps):
    most = break_even(steps)
    assert mac_saving(steps, most) >= 1.0 > mac_saving(steps, most + 1)
    assert mac_saving(steps, break_even(steps, non_causal=False), non_causal=False) == 1.0


def test_curves_are_costs_for_each_number_of_steps():
    curves = cost_curves(SIZES, [4, 8, 16], learning_steps=8)
    assert curves["BPTT"].macs == [2 * t * 68 for t in (4, 8, 16)]
    assert curves["S-TLLR"].macs == [3 * k * 68 for k in (4, 8, 8)]
    assert len(set(curves["S-TLLR"].memory)) == 1


def test_measured_memory_grows_with_time_for_bptt_only():
    torch.manual_seed(0)
    network = SpikingMLP([30, 20], 4)
    rules = {
        "BPTT": bptt.gradients,
        "S-TLLR": partial(stllr.gradients, params=STLLR(chunk=4)),
        "e-prop": eprop.gradients,
        "mine": eprop.gradients,
    }
    short, long = (
        {row.rule: row for row in cost_table(network, (torch.rand(t, 3, 30) < 0.3).float(), torch.arange(3), rules)}
        for t in (8, 32)
    )
    assert long["BPTT"].measured.saved_bytes > 2 * short["BPTT"].measured.saved_bytes
    for rule in ("S-TLLR", "e-prop"):
        assert long[rule].measured.saved_bytes == pytest.approx(short[rule].measured.saved_bytes, rel=0.2)
    assert long["e-prop"].measured.state_bytes >= 4 * 20 * 30
    assert short["mine"].formula is None
    _, first, second = written([short["BPTT"], short["mine"]]).splitlines()
    row = short["BPTT"]
    assert first.split()[:5] == ["BPTT", f"{row.formula.macs / 1e6:.2f}", "M", f"{row.measured.macs / 1e6:.2f}", "M"]
    assert f"{short['mine'].measured.saved_bytes / 1e3:.1f}" in second
