"""A rule of one's own as the first two answers of a mix: what it remembers in time, and who tells its layers.

Such a rule fills `.grad` as a whole, so that time and space are one answer, and what it keeps of its inputs is its own
affair. Where the weights may move asks nothing of a rule: any direction fits.
"""

from functools import partial
from typing import Any

from workbench.mixes.axes import Direction, Memory, Space, Time
from workbench.mixes.direction import ANYWHERE, DIRECTIONS
from workbench.mixes.memory import ALL, MEMORIES
from workbench.mixes.mix import Mix
from workbench.names import unknown
from workbench.rule import LearningRule, Prepared, Steps


def of_rule(rule: LearningRule, memory: Memory = ALL, direction: Direction = ANYWHERE) -> Mix:
    """The mix of a rule that says how it is made for spiking networks, for blocks, or for both.

    Raises ValueError for a memory other than 'all'.

    >>> from workbench.mixes import GPM_DIRECTION
    >>> from workbench.rules import rule_named
    >>> str(of_rule(rule_named("ndot"), direction=GPM_DIRECTION))
    'ndot+ndot+all+gpm'
    """
    if memory != ALL:
        raise ValueError(
            f"rule '{rule.name}' fills .grad itself and decides what it keeps, so that '{memory.name}' would change "
            "nothing; take 'all', or write it as a learning signal of the axis space"
        )

    def bound(network: Any, x: Any, classes: int, seed: int) -> Any:
        return partial(rule.for_spiking, network, x, classes)  # pyright: ignore[reportArgumentType]

    def with_steps(made: Any, steps: Steps) -> Prepared:
        return made(steps)

    time: Any = None if rule.for_spiking is None else with_steps
    blocks: Any = rule.for_blocks
    space = Space(rule.name, rule.label, bound, blocks)
    return Mix(Time(rule.name, rule.label, time, for_blocks=blocks is not None), space, memory, direction)


def answers_after(rule: LearningRule, words: list[str]) -> Mix:
    """The mix of a rule and the words after it: a memory and a direction, or a direction alone. Raises ValueError that
    says which word is not known.

    >>> from workbench.rules import rule_named
    >>> str(answers_after(rule_named("ndot"), ["gpm"]))
    'ndot+ndot+all+gpm'
    """
    if len(words) > 2:
        raise ValueError(f"after a rule of one's own come memory and direction, got {len(words)}: {'+'.join(words)!r}")
    memories = {answer.name: answer for answer in MEMORIES}
    directions = {answer.name: answer for answer in DIRECTIONS}
    memory = memories[words.pop(0)] if words and words[0] in memories else ALL
    if words and words[0] not in directions:
        raise unknown("the axis {axis} has no answer", words[0], list(directions), axis="direction")
    return of_rule(rule, memory, directions[words[0]] if words else ANYWHERE)
