"""One panel, one file."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from widgets.panels.accuracy_matrix import AccuracyMatrix
    from widgets.panels.basis import SynchronizationBasis
    from widgets.panels.compression import ActivationCompression
    from widgets.panels.conceptors import ConceptorSubspaces
    from widgets.panels.cost import CostExplorer
    from widgets.panels.eligibility import EligibilityTimeline
    from widgets.panels.lif import LIFExplorer
    from widgets.panels.locality import LocalityMap
    from widgets.panels.memory import MemoryTimeline
    from widgets.panels.overlap import SubspaceOverlap
    from widgets.panels.playground import Playground
    from widgets.panels.results import PaperResults
    from widgets.panels.stdp import STDPWindow
    from widgets.panels.step import StepByStep
    from widgets.panels.surrogate import SurrogateExplorer
    from widgets.panels.traces import TraceDecay
    from widgets.panels.training import TrainingMonitor

__all__ = [
    "AccuracyMatrix",
    "ActivationCompression",
    "ConceptorSubspaces",
    "CostExplorer",
    "EligibilityTimeline",
    "LIFExplorer",
    "LocalityMap",
    "MemoryTimeline",
    "PaperResults",
    "Playground",
    "STDPWindow",
    "StepByStep",
    "SubspaceOverlap",
    "SurrogateExplorer",
    "SynchronizationBasis",
    "TraceDecay",
    "TrainingMonitor",
]

lazy(__name__)
