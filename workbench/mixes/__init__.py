"""The four questions answered one by one: any memory in time, learning signal, memory of inputs and direction."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.mixes.axes import Direction, Memory, Space, Time
    from workbench.mixes.cells import Cell, Tally, cells, tally
    from workbench.mixes.direction import (
        ANYWHERE,
        CODE_CL,
        DIRECTIONS,
        EWC_DIRECTION,
        GPM_DIRECTION,
        SGP_DIRECTION,
        SUBSPACE,
        TRGP_DIRECTION,
    )
    from workbench.mixes.memory import ALL, ASI, CHECKPOINT, EVENTS, HOSVD, LANCE, MEMORIES
    from workbench.mixes.mix import KINDS, Mix, kind_of, learner, prepare, refusal
    from workbench.mixes.named import AXES, NAMED, mix_named
    from workbench.mixes.own import of_rule
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
    from workbench.mixes.table import table_of_mixes
    from workbench.mixes.time import BPTT_GRAPH, EPROP, INSTANT, TIMES, TRACES

__all__ = [
    "ALL",
    "ANYWHERE",
    "ASI",
    "AXES",
    "BACKPROP",
    "BPTT_GRAPH",
    "CHECKPOINT",
    "CLASSIFIER",
    "CODE_CL",
    "DFA",
    "DIRECTIONS",
    "DRTP",
    "EPROP",
    "EVENTS",
    "EWC_DIRECTION",
    "FA",
    "GPM_DIRECTION",
    "HOSVD",
    "INSTANT",
    "KINDS",
    "LANCE",
    "LLS_M",
    "LLS_MXM",
    "LLS_SPACE",
    "MEMORIES",
    "NAMED",
    "REWARD_SPACE",
    "SDFA",
    "SGP_DIRECTION",
    "SPACES",
    "SUBSPACE",
    "TESS_SPACE",
    "TIMES",
    "TRACES",
    "TRGP_DIRECTION",
    "Cell",
    "Direction",
    "Memory",
    "Mix",
    "Space",
    "Tally",
    "Time",
    "cells",
    "kind_of",
    "learner",
    "mix_named",
    "of_rule",
    "prepare",
    "refusal",
    "table_of_mixes",
    "tally",
]

lazy(__name__)
