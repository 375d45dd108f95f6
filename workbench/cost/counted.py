"""What a rule costs when it is run: products and bytes of one batch, counted."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from workbench.kernels.choice import Loops, taking
from workbench.meters.kept import KeptBytes
from workbench.rule import StepReport


class Measured(NamedTuple):
    """A rule on one batch: MACs of all products that were executed, forward too; bytes of state between steps; bytes
    that autograd kept at the worst moment."""

    macs: int
    state_bytes: int
    saved_bytes: int

    def per_sample(self, batch: int) -> "Measured":
        """The same for one of `batch` samples, rounded down."""
        return Measured(*(number // batch for number in self))


def measure(
    rule: Callable[[nn.Module, Tensor, Tensor], StepReport],
    network: nn.Module,
    x: Shaped[Tensor, "..."],
    y: Shaped[Tensor, "batch *target"],
) -> Measured:
    """Run one batch of a rule and count. `.grad` is cleared before and filled after.

    Rules that choose their inner loops take the plain ones here: what compiled loops multiply goes past the counter.
    """
    network.zero_grad(set_to_none=True)
    counter = FlopCounterMode(display=False, custom_mapping=UNKNOWN_TO_TORCH)
    with taking(Loops.PLAIN), counter, KeptBytes(*network.parameters(), x) as kept:
        report = rule(network, x, y)
    return Measured(counter.get_total_flops() // 2, report.state_bytes, kept.peak)


def _events_flops(weight_shape: Sequence[int], columns_shape: Sequence[int], *_: object, **__: object) -> int:
    """A product that skips zeros: one MAC per event and output."""
    return 2 * columns_shape[0] * weight_shape[1]


def _batched_flops(_: Sequence[int], a: Sequence[int], b: Sequence[int], **__: object) -> int:
    """Products of a batch of matrices that are added to others in place."""
    return 2 * a[0] * a[1] * a[2] * b[2]


UNKNOWN_TO_TORCH = {
    torch.ops.aten._embedding_bag: _events_flops,
    torch.ops.aten._embedding_bag_forward_only: _events_flops,
    torch.ops.aten.baddbmm_: _batched_flops,
}
