"""Twelve mixes beside their plain rule: seconds of a batch, and bytes kept for it, on the same network and samples.

The peer of a mix is the mix without its last answer, and of one that answers only time and space the function of the
rule itself. A mix with a direction is a step of its method on a second task, `Method.learn`, against that of
`FineTuning` with the same rule. `bytes` is what autograd keeps at the worst moment, inputs of layers counted and
parameters left out; `state_bytes` is what the rule carries from step to step. A batch is 32 recordings of clothes on a
578–128–128–10 network, 20 steps, or 32 photographs on blocks of 16–32–64 channels.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bench.measure import compared, one_thread, timings
from workbench.continual import SharedHead, SpikingTasks
from workbench.data import fashion_events, fashion_mnist_small
from workbench.experiments import fashion_pictures
from workbench.meters import KeptBytes
from workbench.mixes import ANYWHERE, Mix, learner, mix_named, prepare
from workbench.networks import SpikingMLP, mini_conv, seeded
from workbench.neurons import Factors, Neuron
from workbench.rule import StepReport
from workbench.rules import STLLR, EProp, eprop, stllr

CLASSES = 10
PLAIN = {  # the rules themselves, where a mix has no more than a rule
    "traces+backprop": partial(stllr.gradients, params=STLLR(Factors())),
    "eprop+backprop": partial(eprop.gradients, params=EProp()),
}


class Size(NamedTuple):
    """Neurons of each of two spiking layers, samples of a batch, timed runs of each side, and every how many-th input
    of a spiking network is taken."""

    neurons: int = 128
    batch: int = 32
    repeats: int = 7
    every: int = 1


class Side(NamedTuple):
    """A batch of one side, and what is there without it."""

    run: Callable[[], StepReport]
    existing: Sequence[Tensor]


def samples(of_blocks: bool, size: Size, task: int) -> tuple[Tensor, Tensor]:
    """A batch `(batch, ...)` of a task: samples of their own for each of two tasks."""
    per_class = -(-2 * size.batch // CLASSES)
    rows = torch.arange(task * size.batch, (task + 1) * size.batch)
    if of_blocks:
        return fashion_pictures(fashion_mnist_small()).train.batch(rows)
    x, y = fashion_events(train_per_class=per_class, test_per_class=1).train.batch(rows)
    return x.flatten(2)[..., :: size.every].float().transpose(0, 1), y


def network_for(of_blocks: bool, size: Size) -> Any:
    """The same weights at each call."""
    if of_blocks:
        return mini_conv(CLASSES, 1)
    inputs = len(range(0, 578, size.every))
    with seeded(0):
        return SpikingMLP([inputs, size.neurons, size.neurons], CLASSES, Neuron(0.8, 0.6), readout_decay=0.9)


def side(words: str, size: Size, itself: bool = False) -> Side:
    """One side, ready to run. itself: the rule of `PLAIN` in place of the mix."""
    mix, of_blocks = mix_named(words), words.startswith("instant")
    network = network_for(of_blocks, size)
    (first, first_y), (x, y) = (samples(of_blocks, size, task) for task in range(2))
    if words.count("+") == 3:  # its direction is named
        return second_task(mix, network, (first, first_y), (x, y))
    x = x if of_blocks else x.transpose(0, 1).contiguous()
    rule = PLAIN[words] if itself else prepare(mix, network, [x], CLASSES).gradients

    def run() -> StepReport:
        network.zero_grad(set_to_none=True)
        return rule(network, x, y)

    return Side(run, [*network.parameters(), *network.buffers(), y])


def second_task(mix: Mix, network: Any, old: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor]) -> Side:
    """A step on a second task, after a first one was finished."""
    of_blocks = not isinstance(network, SpikingMLP)
    tasks = SharedHead(network) if of_blocks else SpikingTasks(network)
    method = learner(mix, tasks, [old[0] if of_blocks else old[0].transpose(0, 1)], CLASSES)
    optimizer = torch.optim.SGD([p for p in tasks.parameters() if p.requires_grad], lr=1e-3)
    method.before_task(0, *old)
    method.learn(optimizer, *old, 0)
    method.after_task(0, *old)
    method.before_task(1, *new)
    optimizer = torch.optim.SGD([p for p in tasks.parameters() if p.requires_grad], lr=1e-3)
    return Side(lambda: method.learn(optimizer, *new, 1), [*tasks.parameters(), *tasks.buffers(), new[1]])


def peer_of(words: str) -> str:
    """The mix without its last answer; itself, where only time and space are answered.

    >>> peer_of("traces+tess+lance+gpm"), peer_of("traces+tess+lance"), peer_of("traces+backprop")
    ('traces+tess+lance+anywhere', 'traces+tess', 'traces+backprop')
    """
    mix = mix_named(words)
    if mix.direction != ANYWHERE:
        return str(mix._replace(direction=ANYWHERE))
    return "+".join(words.split("+")[:2])


def kept(one: Side) -> tuple[int, int]:
    """Bytes that autograd keeps at most in a batch, and those that the rule carries."""
    with KeptBytes(*one.existing) as meter:
        report = one.run()
    return meter.peak, report.state_bytes


def beside_its_rule(words: str, size: Size = Size()) -> dict[str, object]:
    """Time and bytes of a mix and of its peer, and their ratios: above 1 the mix takes less."""
    one_thread()
    peer = peer_of(words)
    ours, theirs = side(words, size), side(peer, size, itself=peer == words)
    mine, plain = (kept(one) for one in (ours, theirs))
    name = f"rules.{words.split('+')[0].replace('traces', 'stllr')}" if peer == words else peer
    return compared(
        f"mix-{words}",
        name,
        *timings(ours.run, theirs.run, size.repeats),
        bytes=mine[0],
        peer_bytes=plain[0],
        bytes_ratio=plain[0] / mine[0],
        state_bytes=mine[1],
        peer_state_bytes=plain[1],
    )


BENCHMARKS = {
    "mix-traces+backprop": partial(beside_its_rule, "traces+backprop"),
    "mix-eprop+backprop": partial(beside_its_rule, "eprop+backprop"),
    "mix-traces+dfa+lance": partial(beside_its_rule, "traces+dfa+lance"),
    "mix-traces+tess+lance": partial(beside_its_rule, "traces+tess+lance"),
    "mix-eprop+backprop+lance": partial(beside_its_rule, "eprop+backprop+lance"),
    "mix-bptt+backprop+checkpoint": partial(beside_its_rule, "bptt+backprop+checkpoint"),
    "mix-bptt+backprop+events": partial(beside_its_rule, "bptt+backprop+events"),
    "mix-instant+lls+lance": partial(beside_its_rule, "instant+lls+lance"),
    "mix-traces+backprop+all+gpm": partial(beside_its_rule, "traces+backprop+all+gpm"),
    "mix-traces+tess+all+code-cl": partial(beside_its_rule, "traces+tess+all+code-cl"),
    "mix-traces+tess+lance+gpm": partial(beside_its_rule, "traces+tess+lance+gpm"),
    "mix-instant+lls+all+code-cl": partial(beside_its_rule, "instant+lls+all+code-cl"),
}
CHOSEN = tuple(name.removeprefix("mix-") for name in BENCHMARKS)
