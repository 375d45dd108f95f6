"""Keep the events of an input instead of the input: exact, and small where most of it is zero.

    x (n, …)      places of what is not zero, 4 bytes each, and their values, unless all of them are 1 (spikes)
    else          x itself, where the list would be larger

An input of which the share ρ is not zero takes 4 ρ bytes per number as spikes and 8 ρ with values in float32, against 4
in full. LANCE's core of rank r of d features takes 4 r / d: with spikes the list is smaller when ρ < r / d.
"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn.grad import conv2d_weight

from workbench.compression.lance import trainable_layers
from workbench.kernels.convolution import steps_of
from workbench.kernels.frugal import Frugal, Kept, exchange, take_over

PLACES = 2**31  # as many as int32 numbers from 0


class EventList(Frugal):
    """Beside `nn.Linear` or `nn.Conv2d` as a base: keeps the events of its input, or the input where these are more."""

    size: torch.Size  # of the last input but its first axis

    def keep(self, x: Float[Tensor, "n ..."], again: bool = False) -> tuple[Shaped[Tensor, "..."] | None, ...]:
        """x, or what `events_of` makes of it."""
        self.size = x.shape[1:]
        return events_of(x)

    def gradient_from(self, kept: Kept, g: Float[Tensor, "n ..."]) -> Float[Tensor, "n_out *fan"]:
        """The exact gradient of the weight."""
        x = from_events(kept, torch.Size((len(g), *self.size)), g)
        if isinstance(self, nn.Conv2d):
            shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
            return conv2d_weight(x, shape, g, *steps_of(self))  # pyright: ignore
        return g.flatten(0, -2).T @ x.flatten(0, -2)


class EventsLinear(EventList, nn.Linear):
    """A linear layer that keeps events."""

    def __init__(self, linear: nn.Linear):
        nn.Module.__init__(self)
        take_over(self, linear)


class EventsConv2d(EventList, nn.Conv2d):
    """A convolution that keeps events."""

    def __init__(self, conv: nn.Conv2d):
        nn.Module.__init__(self)
        take_over(self, conv)


def events_of(x: Float[Tensor, "n ..."]) -> tuple[Shaped[Tensor, "..."] | None, ...]:
    """(x, None, None), or (None, places, values) where that is smaller; values None where all are 1.

    >>> events_of(torch.tensor([[0.0, 1.0, 0.0]]))
    (None, tensor([1], dtype=torch.int32), None)
    """
    places = x.reshape(-1).nonzero()[:, 0]
    values = x.reshape(-1)[places]
    spikes = bool((values == 1).all())
    each = 4 + (0 if spikes else x.element_size())
    if each * len(places) >= x.nbytes or x.numel() > PLACES:
        return x, None, None
    return None, places.int(), None if spikes else values


def from_events(kept: Kept, shape: torch.Size, like: Shaped[Tensor, "..."]) -> Float[Tensor, "n ..."]:
    """x again."""
    x, places, values = kept
    if x is not None:
        return x
    assert places is not None
    flat = torch.zeros(shape.numel(), dtype=like.dtype, device=like.device)
    flat[places.long()] = 1.0 if values is None else values
    return flat.view(shape)


def keep_events(network: nn.Module, layers: list[str] | None = None) -> nn.Module:
    """Make the connections of these names (all that learn) keep events, in place; returns the network."""
    for name in trainable_layers(network) if layers is None else layers:
        exchange(network, name, EventsLinear, EventsConv2d)
    return network
