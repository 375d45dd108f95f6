"""Parts and wires: values go where the wires say, and operations do what they are named after."""

import pytest
import torch
from torch import nn

from workbench.networks.description import describe, rebuild
from workbench.networks.wiring import BatchSize, Cut, Operation, Slot, Wired


def test_values_go_where_the_wires_say():
    x = torch.randn(3, 4, dtype=torch.double)
    parts = [nn.ReLU(), nn.Tanh(), Operation("sub", (Slot(0), Slot(1))), Operation("mul", (Slot(0), 3.0))]
    assert torch.equal(Wired(parts, [(0,), (1,), (0, 2), (3,)])(x), 3.0 * (x - x.relu().tanh()))


def test_a_rule_runs_the_parts_and_not_the_operations():
    ran = []
    wired = Wired([nn.Linear(4, 4), Operation("add", (Slot(0), Slot(1)))], [(0,), (0, 1)])
    wired(torch.ones(2, 4), lambda part, x: ran.append(part) or part(x))
    assert ran == [wired.parts[0]]


@pytest.mark.parametrize(
    ("operation", "plain"),
    [
        (Operation("reshape", (Slot(0), BatchSize(), -1)), lambda x: x.flatten(1)),
        (Operation("getitem", (Slot(0), (Cut(), Cut(None, None, 2), 1))), lambda x: x[:, ::2, 1]),
        (Operation("cat", ([Slot(0), Slot(0)],), {"dim": 1}), lambda x: torch.cat([x, x], 1)),
        (Operation("mean", (Slot(0), (2, 3))), lambda x: x.mean((2, 3))),
    ],
    ids=lambda each: each.name if isinstance(each, Operation) else "",
)
def test_operations_and_their_description(operation, plain):
    x = torch.randn(3, 4, 5, 6)
    again = rebuild(describe(operation), {})
    assert torch.equal(operation(x), plain(x))
    assert torch.equal(again(x), plain(x))
    assert operation.name in repr(operation)


def test_what_cannot_be_wired():
    with pytest.raises(ValueError, match="there is no operation 'sqrt'; there are adaptive_avg"):
        Operation("sqrt")
    with pytest.raises(ValueError, match="takes values that are there before it"):
        Wired([nn.ReLU()], [(1,)])
    with pytest.raises(ValueError, match="each part needs its wires"):
        Wired([nn.ReLU()], [])
