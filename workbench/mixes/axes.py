"""The four questions that every learning step answers, and the answers that can be given.

    Time       what does a synapse remember?
    Space      who tells a layer what was wrong?
    Memory     what is kept of the activations for the weight gradient?
    Direction  where may the weights move?

Time and space meet in the update of a layer. Memory and direction act on a connection, also on one inside a spiking
layer, and know no rule. Each answer is a value; a `Mix` holds one of each. What an answer is for networks of blocks or
of spiking layers is None where there is no such thing.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from workbench.continual.method import Method
from workbench.credit.signals import Signal
from workbench.rule import ForBlocks, Prepared, Rule, Steps


def by_name(self: Any) -> str:
    """An answer for people: its kind and its name.

    >>> from workbench.mixes import LANCE
    >>> LANCE
    Memory('lance')
    """
    return f"{type(self).__name__}({self.name!r})"


class Time(NamedTuple):
    """for_spiking: `(signal, steps) -> Prepared`, a rule with this memory in time for any learning signal."""

    name: str
    label: str
    for_spiking: Callable[[Signal, Steps], Prepared]
    for_blocks: bool = False

    __repr__ = by_name


class Space(NamedTuple):
    """for_spiking: `(network, x, classes, seed) -> Signal`; it may hang parts that learn on the network.
    for_blocks: the rule of blocks. local: a layer learns as soon as it has run, and nothing waits for the output."""

    name: str
    label: str
    for_spiking: Callable[[nn.Module, Tensor, int, int], Signal]
    for_blocks: ForBlocks
    local: bool = False

    __repr__ = by_name


class Memory(NamedTuple):
    """keep: `(network, batches, energy)` makes the connections of a network keep less, in place; None where nothing has
    to be done to a network. `batches` are inputs as the network takes them."""

    name: str
    label: str
    keep: Callable[[nn.Module, Sequence[Tensor], float], object] | None = None

    __repr__ = by_name


class Direction(NamedTuple):
    """method: `(network, rule) -> Method`, for a network that is told its task."""

    name: str
    label: str
    method: Callable[[Any, Rule], Method]

    __repr__ = by_name
