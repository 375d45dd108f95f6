"""The words of each panel: its question, what to do and to see, presets, and challenges; one file a panel."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from widgets.lessons.accuracy_matrix import ACCURACY_MATRIX
    from widgets.lessons.basis import BASIS
    from widgets.lessons.compression import COMPRESSION
    from widgets.lessons.conceptors import CONCEPTORS
    from widgets.lessons.cost import COST
    from widgets.lessons.eligibility import ELIGIBILITY
    from widgets.lessons.lif import LIF
    from widgets.lessons.locality import LOCALITY
    from widgets.lessons.memory import MEMORY
    from widgets.lessons.overlap import OVERLAP
    from widgets.lessons.playground import PLAYGROUND
    from widgets.lessons.results import RESULTS
    from widgets.lessons.stdp import STDP
    from widgets.lessons.step import STEP
    from widgets.lessons.surrogate import SURROGATE
    from widgets.lessons.traces import TRACES
    from widgets.lessons.training import TRAINING

__all__ = [
    "ACCURACY_MATRIX",
    "BASIS",
    "COMPRESSION",
    "CONCEPTORS",
    "COST",
    "ELIGIBILITY",
    "LIF",
    "LOCALITY",
    "MEMORY",
    "OVERLAP",
    "PLAYGROUND",
    "RESULTS",
    "STDP",
    "STEP",
    "SURROGATE",
    "TRACES",
    "TRAINING",
]

lazy(__name__)
