"""A mix: one answer to each of the four questions, and what makes a rule or a method of it.

    prepare(mix, network, batches, classes)     time × space × memory: fills `.grad` of one network
    learner(mix, network, batches, classes)     with a direction: learns one task after the other

What cannot be combined is refused before anything is changed, with the reason: `refusal`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from jaxtyping import Shaped
from torch import Tensor, nn

from workbench.continual.block_tasks import BlockTasks
from workbench.continual.method import Method
from workbench.continual.spiking_tasks import SpikingTasks, time_first
from workbench.language import say
from workbench.mixes.axes import Direction, Memory, Space, Time
from workbench.mixes.direction import ANYWHERE
from workbench.mixes.memory import ALL, ASI, CHECKPOINT, ENERGY, EVENTS, HOSVD
from workbench.mixes.space import BACKPROP
from workbench.mixes.time import BPTT_GRAPH, EPROP, INSTANT
from workbench.networks.blocks import BlockNetwork
from workbench.networks.checkpointed import checkpoint_blocks
from workbench.networks.spiking import as_spiking, layers_with_memory
from workbench.rule import Prepared, Steps
from workbench.rules import bptt_in_pieces
from workbench.rules.bptt import BPTT
from workbench.rules.bptt_in_pieces import InPieces

KINDS: tuple[str, ...] = ("dense", "recurrent", "convolutional", "blocks")  # of networks


class Mix(NamedTuple):
    """How a network learns. By default nothing is remembered, errors come back through all layers, every input is kept
    and weights move anywhere: that is backpropagation.

    >>> from workbench.mixes import GPM_DIRECTION, LANCE, TESS_SPACE, TRACES
    >>> str(Mix(TRACES, TESS_SPACE, LANCE, GPM_DIRECTION))
    'traces+tess+lance+gpm'
    """

    time: Time = INSTANT
    space: Space = BACKPROP
    memory: Memory = ALL
    direction: Direction = ANYWHERE

    def __str__(self) -> str:
        return "+".join(answer.name for answer in self)

    @property
    def label(self) -> str:
        """The four answers in words."""
        return " × ".join(answer.label for answer in self)


def kind_of(network: Any) -> str:
    """Which of `KINDS` a network is. Raises ValueError for one that no mix can train."""
    if isinstance(network, BlockNetwork):
        return "blocks"
    layers = layers_with_memory(as_spiking(network)).values()
    if any(isinstance(layer.connection, nn.Conv2d) for layer in layers):
        return "convolutional"
    return "recurrent" if any(layer.recurrent is not None for layer in layers) else "dense"


def refusal(mix: Mix, kind: str) -> str | None:
    """Why a mix cannot train a network of this kind, in a sentence; None where it can."""
    time, space, memory, _ = mix
    blocks = kind == "blocks"
    if (space.for_blocks if blocks else time.for_spiking) is None:
        wanted = "for_blocks" if blocks else "for_spiking"
        return f"rule '{space.name}' does not say {wanted}, which a {kind} network wants"
    if blocks and not time.for_blocks:
        return say(
            "a network of blocks answers in one step, so that there is no past for {time}; take 'instant'",
            time=say(time.label),
        )
    if time.name == EPROP.name and kind == "convolutional":
        return say(
            "e-prop carries a number for every synapse and sample, and a convolution has many synapses for each of its "
            "weights; take 'traces', which carry one for each neuron"
        )
    if time.name == EPROP.name and memory in (HOSVD, ASI):
        return say(
            "e-prop carries a number for every synapse from step to step, which cannot follow a {memory}, whose bases "
            "change; take 'lance', whose bases stay",
            memory=say(memory.label),
        )
    if time.name == EPROP.name and memory == EVENTS:
        return say("e-prop carries traces of its inputs, which are not zero where the input is; take 'all' or 'lance'")
    if memory == CHECKPOINT and not blocks and time.name != BPTT_GRAPH.name:
        return say(
            "with {time} nothing of the past waits for its gradient, so that nothing can be computed a second time to "
            "save memory; take smaller chunks of time",
            time=say(time.label),
        )
    if memory == CHECKPOINT and blocks and space.local:
        return say(
            "with {space} each block's activations are free before the next block runs, so that nothing waits to be "
            "computed a second time; take 'all'",
            space=say(space.label),
        )
    if memory == EVENTS and blocks:
        return say("blocks have no events: after LeakyReLU hardly any activation is 0; take 'all' or a core")
    return None


def check(mix: Mix, network: Any) -> str:
    """The kind of a network that a mix can train; ValueError with the reason for others."""
    kind = kind_of(network)
    reason = refusal(mix, kind)
    if reason is not None:
        raise ValueError(f"{mix} cannot train a {kind} network: {reason}")
    return kind


def prepare(
    mix: Mix,
    network: Any,
    batches: Sequence[Shaped[Tensor, "..."]],
    classes: int,
    steps: Steps = Steps(),
    energy: float = ENERGY,
    seed: int = 0,
) -> Prepared:
    """The rule of a mix for one network, whose connections are made to keep what the mix says, in place. Its direction
    is left to `learner`.

    batches: inputs as the network takes them, `(time, batch, ...)` for a spiking one: for shapes, and for bases that
    are found once. energy: share of its input's energy that a connection keeps, where it keeps less. A network of
    blocks is given the heads that its rule wants; other parts that learn are hung on the network too, so that the
    optimiser is made afterwards.

    >>> import torch
    >>> from workbench.networks import SpikingMLP
    >>> from workbench.mixes import LANCE, TESS_SPACE, TRACES
    >>> network, x = SpikingMLP([6, 8], classes=3), torch.ones(5, 2, 6)
    >>> rule = prepare(Mix(TRACES, TESS_SPACE, LANCE), network, [x], classes=3)
    >>> rule.gradients(network, x, torch.tensor([0, 1])).logits.shape
    torch.Size([2, 3])
    """
    kind = check(mix, network)
    if not batches:
        raise ValueError("a mix is made for inputs of some shape; give at least one batch of inputs")
    if kind == "blocks":
        head = mix.space.for_blocks.head(classes)
        if head is not None:
            makers = [head(block.n_latents(), number) for number, block in enumerate(network.blocks)]
            network.heads = nn.ModuleList(makers).to(network.classifier.weight)
    if mix.memory.keep is not None:
        mix.memory.keep(network, batches, energy)
    if kind == "blocks":
        if mix.memory == CHECKPOINT:
            checkpoint_blocks(network)
        return Prepared(mix.space.for_blocks.prepare(network, tuple(batches[0].shape[1:]), seed))
    signal = mix.space.for_spiking(network, batches[0], classes, seed)
    if mix.memory == CHECKPOINT:
        params = InPieces(BPTT(steps.last, signal=signal), steps.at_once)
        return Prepared(partial(bptt_in_pieces.gradients, params=params))
    return mix.time.for_spiking(signal, steps)


def learner(
    mix: Mix,
    network: Any,
    batches: Sequence[Shaped[Tensor, "..."]],
    classes: int,
    steps: Steps = Steps(),
    energy: float = ENERGY,
    seed: int = 0,
) -> Method:
    """The method of a mix for a network that is told its task.

    network: `SpikingTasks`, a `SharedHead` around blocks, or `BlockTasks`. batches: inputs of the first task, as the
    network inside takes them; other arguments as those of `prepare`. What the connections keep is found out now,
    whatever tasks follow.
    """
    inside = network.network if isinstance(network, BlockTasks) else network.seen(0)
    prepared = prepare(mix, inside, batches, classes, steps, energy, seed)
    rule = time_first(prepared.gradients) if isinstance(network, SpikingTasks) else prepared.gradients
    return mix.direction.method(network, rule)
