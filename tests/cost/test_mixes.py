"""The formula of a mix gives what the rules' own files say, and tells where a memory keeps less."""

import pytest

from workbench.cost.mixes import mix_cost
from workbench.cost.table import dense_sizes, rule_costs
from workbench.mixes import AXES, Mix, mix_named

SIZES = dense_sizes(162, 40, 2, 4)


@pytest.mark.parametrize(
    ("mix", "label"), [("bptt", "BPTT"), ("stllr", "S-TLLR"), ("tess", "TESS"), ("eprop", "e-prop")]
)
@pytest.mark.parametrize("learning", [20, 5])
def test_rules_with_a_formula_of_their_own(mix, label, learning):
    cost = rule_costs(SIZES, 20, learning)[label]
    assert mix_cost(mix_named(mix), SIZES, 20, learning) == (cost, False)


def test_every_answer_has_a_cost():
    for space in dict(AXES)["space"]:
        for time in dict(AXES)["time"]:
            cost, at_most = mix_cost(Mix(time, space), SIZES, 20)
            assert cost.macs > 0 < cost.memory
            assert not at_most


def test_a_local_signal_is_cheaper_than_the_way_through_the_layers():
    macs = {name: mix_cost(mix_named(f"traces+{name}"), SIZES, 20).cost.macs for name in ("backprop", "tess", "reward")}
    assert macs["backprop"] > macs["tess"] > macs["reward"]


def test_memory_keeps_at_most_what_is_counted():
    whole, less = (mix_cost(mix_named(f"bptt+backprop{memory}"), SIZES, 20) for memory in ("", "+lance"))
    assert (whole.cost, less.cost) == (less.cost, whole.cost)
    assert (whole.at_most, less.at_most) == (False, True)
    pieces = mix_cost(mix_named("bptt+backprop+checkpoint"), SIZES, 20, at_once=4)
    assert pieces.cost.memory == 4 * sum(size.neurons for size in SIZES) * (4 + 5)


@pytest.mark.parametrize("name", ["steps", "at_once"])
@pytest.mark.usefixtures("unchecked")
def test_steps_count(name):
    with pytest.raises(ValueError, match=name):
        mix_cost(Mix(), SIZES, **{"steps": 20, name: 0})
