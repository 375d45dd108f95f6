"""What rules really cost: one batch of each on a dense spiking network, timed and counted.

The formulas of `workbench.cost.table` count multiplications and numbers to be kept. A machine has its own mind about
both: products are skipped where nothing spikes, memory has to be read, and a rule that does little arithmetic in many
small steps is slow all the same. Here the six rules of the table run on random spikes.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor, nn

from workbench.cost.formulas import Measured, measure
from workbench.credit.bases import dct
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.traces import Factors
from workbench.rule import Rule
from workbench.rules import bptt, eprop, ottt, stllr, tess
from workbench.rules.bptt import BPTT
from workbench.rules.eprop import EProp
from workbench.rules.ottt import OTTT
from workbench.rules.stllr import STLLR
from workbench.rules.tess import TESS, make_heads

BATCH, RATE = 8, 0.03  # samples, and spikes per input and step
ENOUGH = 2.0  # seconds of timing after which no further batch of a rule is timed


class TimedCost(NamedTuple):
    """One rule: seconds per batch (median), and what was counted per sample."""

    rule: str
    seconds: float
    counted: Measured

    @property
    def memory(self) -> int:
        """Bytes per sample: what autograd keeps at most, or the state between steps where that is more."""
        return max(self.counted.state_bytes, self.counted.saved_bytes)


class Refusal(NamedTuple):
    """A rule that cannot run on the network, and why."""

    rule: str
    reason: str


def timed_costs(
    inputs: int, width: int, depth: int, classes: int, steps: int, learning_steps: int, repeats: int = 3
) -> Iterator[TimedCost | Refusal]:
    """Yield each rule's cost as soon as it is measured; K is `learning_steps`, or T where that is smaller.

    The first batch of a rule is counted and not timed. TESS refuses where a layer has no
    more neurons than there are classes. Raises ValueError for sizes below 1.
    """
    sizes = (inputs, width, depth, classes, steps, learning_steps, repeats)
    if min(sizes) < 1:
        raise ValueError(f"sizes, steps and repeats must be at least 1, got {sizes}")
    network, x, y = example(inputs, width, depth, classes, steps)
    for name, make in RULES.items():
        try:
            rule = make(network, x, classes, min(learning_steps, steps))
        except ValueError as error:
            yield Refusal(name, str(error))
        else:
            yield timed(name, rule, network, x, y, repeats)


def example(inputs: int, width: int, depth: int, classes: int, steps: int) -> tuple[SpikingMLP, Tensor, Tensor]:
    """A network, spikes (steps, batch, inputs) and labels: the same ones in every call."""
    with seeded(0):
        x = (torch.rand(steps, BATCH, inputs) < RATE).float()
        return SpikingMLP([inputs, *[width] * depth], classes), x, torch.randint(0, classes, (BATCH,))


def timed(name: str, rule: Rule, network: nn.Module, x: Tensor, y: Tensor, repeats: int) -> TimedCost:
    """Count one batch of a rule, then time some; a slow rule fewer."""
    counted = measure(rule, network, x, y).per_sample(len(y))
    seconds: list[float] = []
    while len(seconds) < repeats and sum(seconds) < ENOUGH:
        network.zero_grad(set_to_none=True)
        start = time.perf_counter()
        rule(network, x, y)
        seconds.append(time.perf_counter() - start)
    return TimedCost(name, median(seconds), counted)


def _tess(network: nn.Module, x: Tensor, classes: int, k: int) -> Rule:
    return partial(tess.gradients, params=TESS(make_heads(network, x[:1, :1], classes, basis=dct), last_steps=k))


RULES: Mapping[str, Callable[[nn.Module, Tensor, int, int], Rule]] = {
    "BPTT": lambda network, x, classes, k: partial(bptt.gradients, params=BPTT(k)),
    "S-TLLR": lambda network, x, classes, k: partial(stllr.gradients, params=STLLR(Factors(0.2, 0.75, -1.0, 1.0), k)),
    "S-TLLR, causal": lambda network, x, classes, k: partial(
        stllr.gradients, params=STLLR(Factors(0.2, 0.75, 0.0, 1.0), k)
    ),
    "OTTT": lambda network, x, classes, k: partial(ottt.gradients, params=OTTT(k)),
    "TESS": _tess,
    "e-prop": lambda network, x, classes, k: partial(eprop.gradients, params=EProp(k)),
}
