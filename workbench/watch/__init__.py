"""An experiment while it runs: the numbers behind a live picture."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.watch.claims import Claim, claimed_shares, remaining, similarities, start_claims, start_lance_claims
    from workbench.watch.curves import Curves, learning_curves, running_mean
    from workbench.watch.dependence import Dependence, dependence, shade
    from workbench.watch.microscope import MODE_NAMES, Finding, Specimen, compress_specimen, mosaic, specimens, tradeoff
    from workbench.watch.step_timeline import PLACES, STEP_RULES, Alive, alive, place_names, step_timeline
    from workbench.watch.synchronization import Examined, Lesson, Look, judge_basis, lead, leads, teach, watch

__all__ = [
    "MODE_NAMES",
    "PLACES",
    "STEP_RULES",
    "Alive",
    "Claim",
    "Curves",
    "Dependence",
    "Examined",
    "Finding",
    "Lesson",
    "Look",
    "Specimen",
    "alive",
    "claimed_shares",
    "compress_specimen",
    "dependence",
    "judge_basis",
    "lead",
    "leads",
    "learning_curves",
    "mosaic",
    "place_names",
    "remaining",
    "running_mean",
    "shade",
    "similarities",
    "specimens",
    "start_claims",
    "start_lance_claims",
    "step_timeline",
    "teach",
    "tradeoff",
    "watch",
]

lazy(__name__)
