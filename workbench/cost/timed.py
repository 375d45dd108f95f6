"""What rules really cost: one batch of each on a dense spiking network, timed and counted.

The formulas of `workbench.cost.table` count multiplications and numbers to be kept. A machine has its own mind about
both: products are skipped where nothing spikes, memory has to be read, and a rule that does little arithmetic in many
small steps is slow all the same. Here the rules of the table run on random spikes.
"""

import time
from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from workbench.cost.counted import Measured, measure
from workbench.cost.table import COSTED
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP
from workbench.rule import Rule, Steps

TIMED = tuple(rule for rule in COSTED if rule.for_spiking is not None)  # in the order of the table
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


class NotTimed(NamedTuple):
    """A rule that cannot run on the network, and why."""

    rule: str
    reason: str


def timed_costs(
    inputs: int, width: int, depth: int, classes: int, steps: int, learning_steps: int, repeats: int = 3
) -> Iterator[TimedCost | NotTimed]:
    """Yield each rule's cost as soon as it is measured; K is `learning_steps`, or T where that is smaller.

    The first two batches of a rule are not timed: one is counted, and one compiles inner loops. A rule may refuse: TESS
    does where a layer has no more neurons than there are classes. Raises ValueError for sizes below 1.
    """
    sizes = (inputs, width, depth, classes, steps, learning_steps, repeats)
    if min(sizes) < 1:
        raise ValueError(f"sizes, steps and repeats must be at least 1, got {sizes}")
    network, x, y = example(inputs, width, depth, classes, steps)
    for chosen in TIMED:
        assert chosen.for_spiking is not None
        try:
            rule = chosen.for_spiking(network, x[:1, :1], classes, Steps(min(learning_steps, steps)))
        except ValueError as error:
            yield NotTimed(chosen.label, str(error))
        else:
            yield timed(chosen.label, rule.gradients, network, x, y, repeats)


def example(
    inputs: int, width: int, depth: int, classes: int, steps: int
) -> tuple[SpikingMLP, Float[Tensor, "steps batch inputs"], Int[Tensor, "batch"]]:
    """A network, spikes (steps, batch, inputs) and labels: the same ones in every call."""
    with seeded(0):
        x = (torch.rand(steps, BATCH, inputs) < RATE).float()
        return SpikingMLP([inputs, *[width] * depth], classes), x, torch.randint(0, classes, (BATCH,))


def timed(
    name: str,
    rule: Rule,
    network: nn.Module,
    x: Shaped[Tensor, "time batch ..."],
    y: Shaped[Tensor, "batch ..."],
    repeats: int,
) -> TimedCost:
    """Count one batch of a rule, run one that compiles loops at first use, then time some; a slow rule fewer."""
    counted = measure(rule, network, x, y).per_sample(len(y))
    rule(network, x, y)
    seconds: list[float] = []
    while len(seconds) < repeats and sum(seconds) < ENOUGH:
        network.zero_grad(set_to_none=True)
        start = time.perf_counter()
        rule(network, x, y)
        seconds.append(time.perf_counter() - start)
    return TimedCost(name, median(seconds), counted)
