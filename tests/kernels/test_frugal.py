"""Connections that keep less: exact maps, and all that another connection had."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from workbench.compression.events import EventsConv2d, EventsLinear
from workbench.kernels.frugal import Frugal

pytestmark = pytest.mark.usefixtures("in_double_precision")


class Doubled(nn.Module):
    """Something that stands before a weight, and wants to know whose."""

    def forward(self, weight):
        return 2 * weight

    def stand_before(self, connection):
        self.of = (connection,)


@pytest.mark.parametrize("make", [lambda: (nn.Linear(5, 3), EventsLinear), lambda: (nn.Conv2d(2, 3, 3), EventsConv2d)])
def test_a_connection_takes_over_weight_hooks_and_guards(make):
    old, new = make()
    heard = []
    old.register_forward_pre_hook(lambda module, inputs: heard.append(inputs[0]))
    parametrize.register_parametrization(old, "weight", Doubled(), unsafe=True)
    parameter, x = (
        old.parametrizations.weight.original,
        torch.randn(4, *((5,) if isinstance(old, nn.Linear) else (2, 6, 6))),
    )
    wanted = old(x)
    taken = new(old)
    assert isinstance(taken, Frugal)
    assert isinstance(taken, type(old).__mro__[1])
    assert taken.parametrizations.weight.original is parameter
    assert taken.parametrizations.weight[0].of == (taken,)
    torch.testing.assert_close(taken(x), wanted)
    assert len(heard) == 2


@pytest.mark.parametrize("frozen", [False, True])
def test_gradients_are_those_of_the_connection(frozen):
    x = (torch.rand(4, 2, 6, 6) < 0.2).double().requires_grad_()
    plain = nn.Conv2d(2, 3, 3, padding=1)
    plain.weight.requires_grad_(not frozen)
    expected = torch.autograd.grad(plain(x).square().sum(), [x, plain.bias, *([] if frozen else [plain.weight])])
    lean = EventsConv2d(plain)
    found = torch.autograd.grad(lean(x).square().sum(), [x, lean.bias, *([] if frozen else [lean.weight])])
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
