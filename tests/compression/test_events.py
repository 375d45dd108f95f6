"""Lists of events: exact, and as small as is said."""

import pytest
import torch
from torch import nn

from workbench.compression import events
from workbench.compression.events import EventsConv2d, EventsLinear, events_of, from_events, keep_events
from workbench.meters.timeline import saved_bytes


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.4, 1.0])
@pytest.mark.parametrize("spikes", [True, False])
def test_what_is_kept_gives_the_input_again_and_is_never_larger(dtype, share, spikes):
    x = (torch.rand(20, 3, 5) < share).to(dtype) * (1 if spikes else torch.randn(20, 3, 5, dtype=dtype))
    kept = events_of(x)
    assert torch.equal(from_events(kept, x.shape, x), x)
    size = sum(part.nbytes for part in kept if part is not None)
    assert size == min(x.nbytes, int(x.count_nonzero()) * (4 + (0 if spikes or share == 0 else x.element_size())))


def test_a_layer_of_spikes_keeps_a_tenth():
    x = (torch.rand(200, 100) < 0.03).float()
    plain = nn.Sequential(nn.Linear(100, 10))
    lean = keep_events(nn.Sequential(nn.Linear(100, 10)))
    lean.load_state_dict(plain.state_dict())
    assert isinstance(lean[0], EventsLinear)
    kept = [saved_bytes(lambda n=n: n(x).sum(), n.parameters()) for n in (lean, plain)]
    assert kept[0] < 0.1 * kept[1]
    for network in (lean, plain):
        network(x).square().sum().backward()
    torch.testing.assert_close(lean[0].weight.grad, plain[0].weight.grad)


def test_places_are_those_that_int32_numbers(monkeypatch):
    assert torch.iinfo(torch.int32).max == events.PLACES - 1
    monkeypatch.setattr(events, "PLACES", 4)
    assert [events_of(torch.zeros(n))[0] is None for n in (4, 5)] == [True, False]


@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_of_spikes_learns_as_before(groups):
    plain = nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=groups))
    lean = keep_events(plain)
    assert isinstance(lean[0], EventsConv2d)
    x = (torch.rand(5, 4, 7, 7) < 0.2).float()
    grads = [torch.autograd.grad(n(x).square().sum(), list(n.parameters())) for n in (lean, plain)]
    torch.testing.assert_close(*grads)


def test_a_name_that_is_no_connection():
    with pytest.raises(ValueError, match=r"layer '1' is a ReLU, expected nn.Conv2d or nn.Linear"):
        keep_events(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), ["1"])
