"""Interactive views of the workbench: every class here draws what a function of `workbench` computes."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from widgets.app import PANELS, App, build_app
    from widgets.frame import Panel, try_all_controls
    from widgets.panels import (
        AccuracyMatrix,
        ActivationCompression,
        ConceptorSubspaces,
        CostExplorer,
        EligibilityTimeline,
        LIFExplorer,
        LocalityMap,
        MemoryTimeline,
        PaperResults,
        Playground,
        STDPWindow,
        StepByStep,
        SubspaceOverlap,
        SurrogateExplorer,
        SynchronizationBasis,
        TraceDecay,
        TrainingMonitor,
    )

__all__ = [
    "PANELS",
    "AccuracyMatrix",
    "ActivationCompression",
    "App",
    "ConceptorSubspaces",
    "CostExplorer",
    "EligibilityTimeline",
    "LIFExplorer",
    "LocalityMap",
    "MemoryTimeline",
    "Panel",
    "PaperResults",
    "Playground",
    "STDPWindow",
    "StepByStep",
    "SubspaceOverlap",
    "SurrogateExplorer",
    "SynchronizationBasis",
    "TraceDecay",
    "TrainingMonitor",
    "build_app",
    "try_all_controls",
]

lazy(__name__)
