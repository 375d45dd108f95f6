"""All cells of the four axes on each kind of network: what trains, and why the others do not."""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workbench.mixes.direction import DIRECTIONS
from workbench.mixes.memory import MEMORIES
from workbench.mixes.mix import KINDS, Mix, refusal
from workbench.mixes.named import NAMED
from workbench.mixes.space import SPACES
from workbench.mixes.time import TIMES


class Cell(NamedTuple):
    """A mix on a kind of network; reason is None where it trains."""

    mix: Mix
    network: str
    reason: str | None

    def as_words(self) -> dict[str, str | bool | None]:
        """The cell in names, for a table or a file."""
        names = {axis: answer.name for axis, answer in self.mix._asdict().items()}
        return {**names, "network": self.network, "legal": self.reason is None, "reason": self.reason}


class Tally(NamedTuple):
    """How many cells there are, train, and have a published name."""

    cells: int
    legal: int
    named: int


def cells(networks: Sequence[str] = KINDS) -> Iterator[Cell]:
    """Every cell of these kinds of networks."""
    for network, *answers in itertools.product(networks, TIMES, SPACES, MEMORIES, DIRECTIONS):
        mix = Mix(*answers)  # pyright: ignore[reportArgumentType]
        yield Cell(mix, network, refusal(mix, network))


def tally(networks: Sequence[str] = KINDS) -> Tally:
    """The cells of these networks, counted. A cell is named when a point of `NAMED` stands in it."""
    named = {str(mix) for mix in NAMED.values()}
    every = list(cells(networks))
    legal = [cell for cell in every if cell.reason is None]
    return Tally(len(every), len(legal), sum(str(cell.mix) in named for cell in legal))
