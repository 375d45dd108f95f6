"""Published rules and methods as points of the four axes, and mixes by name."""

from collections.abc import Mapping
from functools import partial

from workbench.credit.signals import Signal
from workbench.mixes.axes import Direction, Memory, Space, Time
from workbench.mixes.direction import (
    CODE_CL,
    DIRECTIONS,
    EWC_DIRECTION,
    GPM_DIRECTION,
    SGP_DIRECTION,
    SUBSPACE,
    TRGP_DIRECTION,
)
from workbench.mixes.memory import ASI, HOSVD, LANCE, MEMORIES
from workbench.mixes.mix import Mix
from workbench.mixes.own import answers_after
from workbench.mixes.space import (
    BACKPROP,
    CLASSIFIER,
    DFA,
    DRTP,
    FA,
    LLS_M,
    LLS_MXM,
    LLS_SPACE,
    REWARD_SPACE,
    SDFA,
    SPACES,
    TESS_SPACE,
)
from workbench.mixes.time import BPTT_GRAPH, EPROP, INSTANT, TIMES, TRACES, with_factors
from workbench.names import unknown
from workbench.rule import Prepared, Steps
from workbench.rules import ottt, rule_named, tess
from workbench.rules.stllr import STLLR, prepared


def tess_traces(signal: Signal, steps: Steps) -> Prepared:
    """TESS's traces: its factors, and h as eq. 7 has it."""
    return prepared(STLLR(tess.FACTORS, steps.last, released_noncausal=True, chunk=steps.at_once, signal=signal))


OTTT_TRACES = TRACES._replace(for_spiking=partial(with_factors, factors=ottt.membrane_factors))
TESS_TRACES = TRACES._replace(for_spiking=tess_traces)

# What is printed of each: (name of the rule or method, its point). Where a paper leaves an axis open, the usual answer.
NAMED: Mapping[str, Mix] = {
    "bptt": Mix(BPTT_GRAPH),
    "stllr": Mix(TRACES),
    "stllr-dfa": Mix(TRACES, DFA),
    "stllr-sdfa": Mix(TRACES, SDFA),
    "stllr-drtp": Mix(TRACES, DRTP),
    "stllr-local": Mix(TRACES, CLASSIFIER),
    "ottt": Mix(OTTT_TRACES),
    "eprop": Mix(EPROP),
    "tess": Mix(TESS_TRACES, TESS_SPACE),
    "bp": Mix(INSTANT),
    "fa": Mix(INSTANT, FA),
    "dfa": Mix(INSTANT, DFA),
    "drtp": Mix(INSTANT, DRTP),
    "local-classifiers": Mix(INSTANT, CLASSIFIER),
    "lls": Mix(INSTANT, LLS_SPACE),
    "lls-m": Mix(INSTANT, LLS_M),
    "lls-mxm": Mix(INSTANT, LLS_MXM),
    "reward": Mix(TRACES, REWARD_SPACE),
    "hosvd": Mix(INSTANT, BACKPROP, HOSVD),
    "asi": Mix(INSTANT, BACKPROP, ASI),
    "lance": Mix(INSTANT, BACKPROP, LANCE),
    "lance-continual": Mix(INSTANT, BACKPROP, LANCE, SUBSPACE),
    "gpm": Mix(direction=GPM_DIRECTION),
    "sgp": Mix(direction=SGP_DIRECTION),
    "trgp": Mix(direction=TRGP_DIRECTION),
    "code-cl": Mix(direction=CODE_CL),
    "ewc": Mix(direction=EWC_DIRECTION),
}
AXES: tuple[tuple[str, tuple[Time | Space | Memory | Direction, ...]], ...] = (
    ("time", TIMES),
    ("space", SPACES),
    ("memory", MEMORIES),
    ("direction", DIRECTIONS),
)


def mix_named(text: str) -> Mix:
    """A named point, or answers joined by + in the order time, space, memory, direction; those left out at the end are
    the usual ones. A rule of one's own, `module:NAME`, may be followed by a direction. Raises ValueError that says
    which word is not known, and which there are.

    >>> str(mix_named("tess")), str(mix_named("traces+dfa"))
    ('traces+tess+all+anywhere', 'traces+dfa+all+anywhere')
    """
    if text in NAMED:
        return NAMED[text]
    words = text.split("+")
    if ":" in words[0]:
        return answers_after(rule_named(words[0]), words[1:])
    if len(words) == 1 and words[0] not in [answer.name for answer in TIMES]:
        raise unknown("there is no mix", text, NAMED, "answers are joined by +, as traces+tess+lance+gpm; named are")
    if len(words) > len(AXES):
        raise ValueError(f"a mix has four answers, time+space+memory+direction, got {len(words)}: {text!r}")
    answers = {}
    for (axis, there), word in zip(AXES, words, strict=False):
        found = next((answer for answer in there if answer.name == word), None)
        if found is None:
            raise unknown("the axis {axis} has no answer", word, [answer.name for answer in there], axis=axis)
        answers[axis] = found
    return Mix(**answers)
