"""What every rule promises: what it tells about one batch, what its file says about it, and which steps learn.

A rule is a function `rule(network, x, y) -> StepReport` that fills `.grad`; one that runs over time also takes the
`lengths` of samples that are padded to the longest. Its file in `workbench/rules` describes it in a `LearningRule`, and
all that lists, trains, audits, counts or draws rules walks over `workbench.rules.RULES`.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from jaxtyping import Float, Int, Shaped
from torch import Tensor

from workbench.checks import COUNT, check_fields
from workbench.faces import in_short, short_repr

T = TypeVar("T")


class StepReport(NamedTuple):
    """One batch: mean loss, outputs averaged over time, mean spikes per neuron and step by layer, bytes of state.

    `state_bytes` counts what the rule carries from one time step to the next: membranes and traces for a local rule,
    the whole history of membranes and spikes for BPTT. What autograd keeps is measured by `meters.KeptBytes`.
    """

    loss: float
    logits: Float[Tensor, "batch classes"]
    spike_rates: dict[str, float]
    state_bytes: int


def learning_start(steps: int, last_steps: int | None) -> int:
    """T_l, the first step that learns: 0 for None (all steps), else T − K with K = `last_steps`."""
    if last_steps is None:
        return 0
    if not (COUNT.holds(last_steps) and last_steps <= steps):
        raise ValueError(f"last_steps must lie in 1..{steps}, the number of steps of this input, got {last_steps}")
    return steps - last_steps


class Batch(NamedTuple):
    """x as a rule wants it, what is asked of each sample, and how many steps of it are its own; None for all steps."""

    x: Shaped[Tensor, "..."]
    y: Shaped[Tensor, "..."]
    lengths: Int[Tensor, "batch"] | None = None


def for_lengths(function: Callable[..., T], lengths: Int[Tensor, "batch"] | None) -> Callable[..., T]:
    """A rule, or what reads outputs, for samples of these lengths; as it is for None.

    Raises ValueError where it has no parameter `lengths`: padding would be learned or judged without a word.
    """
    if lengths is None:
        return function
    parameters = inspect.signature(function).parameters.values()
    if not any(p.name == "lengths" or p.kind is p.VAR_KEYWORD for p in parameters):
        raise ValueError(
            f"the samples differ in length, and {in_short(function)} has no parameter `lengths`, so that padding would "
            "count; take one that has it (all rules and readouts of spiking networks do), or data without lengths"
        )
    return partial(function, lengths=lengths)


Rule = Callable[[Any, Tensor, Tensor], StepReport]  # each rule knows which networks it can train
ByStep = Callable[[Any, Tensor, Tensor], Iterator[StepReport]]


def no_head(classes: int) -> None:
    """For rules that hang nothing on the blocks."""


class Locality(NamedTuple):
    """Whether a rule is local in space, in time and in memory; None where nothing is said, or nothing can be.

    space: no layer's update depends on the weights of a layer above it. time: no step's update depends on a later
    input. memory: what is kept does not grow with the number of steps.
    """

    space: bool | None = None
    time: bool | None = None
    memory: bool | None = None


class Claim(NamedTuple):
    """What a paper says of its rule, and where it says so."""

    local: Locality
    place: str


class LayerSize(NamedTuple):
    """Neurons of a layer and multiply-accumulate operations (MACs) of one step of one sample, recurrent ones too."""

    name: str
    neurons: int
    macs: int


class Cost(NamedTuple):
    """Of one sample. Memory counts the values kept for the update, as papers do, in bytes of float32."""

    macs: int
    memory: int


BYTES = 4  # of a float32
CostFormula = Callable[[Sequence[LayerSize], int, int], Cost]  # of the input and all layers, steps T, learning steps K


class Steps(NamedTuple):
    """Which steps learn, and how many a rule works on at a time.

    last: K = T − T_l, how many of the last steps learn; None for all. at_once: steps per chunk of a rule that has the
    choice, for speed and memory, None for `networks.chunk_steps`; not of one that goes step by step, or needs the whole
    sequence.
    """

    last: int | None = None
    at_once: int | None = None

    __repr__ = short_repr


def check_steps(steps: Steps) -> Steps:
    """The steps, or ValueError unless they count."""
    return check_fields(steps, Steps, last=COUNT.or_none(), at_once=COUNT.or_none())


class Prepared(NamedTuple):
    """A rule for one network. by_step yields after each learning step with that step's part of the update in `.grad`;
    None for a rule that cannot say it."""

    gradients: Rule
    by_step: ByStep | None = None


class ForBlocks(NamedTuple):
    """How a rule trains a network of blocks: `prepare(network, input_shape, seed)`, the shape without the batch.

    head: for a number of classes, what makes the head of each block (`networks.blocks.HeadMaker`), or None.
    logits: `logits(network, x)` reads the rule's answer; None for the network's own outputs.
    normalized: False for a rule that wants blocks without batch normalisation.
    """

    prepare: Callable[[Any, Sequence[int], int], Rule]
    head: Callable[[int], Any] = no_head
    logits: Callable[[Any, Tensor], Tensor] | None = None
    normalized: bool = True


class LearningRule(NamedTuple):
    """What a rule's file says about it.

    name, label: as it is typed, and as it is shown. paper: authors, year and number.
    claim: what its paper says of it; None where it says nothing, and then an audit has nothing to hold it against.
    cost: its formula; None where there is none. for_spiking: makes the rule for a spiking network, an example of its
    input `(time, batch, ...)`, the number of classes, and the steps; ValueError with the reason where it cannot.
    for_blocks: how it trains a network of blocks. One of the two may be None.
    """

    name: str
    label: str
    paper: str
    claim: Claim | None = None
    cost: CostFormula | None = None
    for_spiking: Callable[[Any, Tensor, int, Steps], Prepared] | None = None
    for_blocks: ForBlocks | None = None
