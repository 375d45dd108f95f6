"""An experiment while it runs: the numbers behind a live picture."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.watch.bytes_in_a_step import PLACES, STEP_RULES, BytesAlive, alive, bytes_in_a_step, place_names
    from workbench.watch.claims import (
        TaskClaim,
        claimed_shares,
        remaining,
        similarities,
        start_claims,
        start_lance_claims,
    )
    from workbench.watch.curves import Curves, learning_curves, running_mean
    from workbench.watch.dependence import Dependence, dependence, shade
    from workbench.watch.filming import Frame, Scene, Shot, filmed, sample_of, take
    from workbench.watch.microscope import (
        MODE_NAMES,
        Compression,
        Specimen,
        compress_specimen,
        mosaic,
        specimens,
        tradeoff,
    )
    from workbench.watch.one_update import UPDATES, OneUpdate, Stage
    from workbench.watch.playground import (
        Film,
        Moment,
        Seen,
        film,
        get_ready,
        play,
        play_network,
        play_sizes,
        play_tasks,
        see,
    )
    from workbench.watch.recall import Recall, examples, learn_and_recall, recall
    from workbench.watch.synchronization import Examined, Look, Taught, judge_basis, lead, leads, teach, watch

__all__ = [
    "MODE_NAMES",
    "PLACES",
    "STEP_RULES",
    "UPDATES",
    "BytesAlive",
    "Compression",
    "Curves",
    "Dependence",
    "Examined",
    "Film",
    "Frame",
    "Look",
    "Moment",
    "OneUpdate",
    "Recall",
    "Scene",
    "Seen",
    "Shot",
    "Specimen",
    "Stage",
    "TaskClaim",
    "Taught",
    "alive",
    "bytes_in_a_step",
    "claimed_shares",
    "compress_specimen",
    "dependence",
    "examples",
    "film",
    "filmed",
    "get_ready",
    "judge_basis",
    "lead",
    "leads",
    "learn_and_recall",
    "learning_curves",
    "mosaic",
    "place_names",
    "play",
    "play_network",
    "play_sizes",
    "play_tasks",
    "recall",
    "remaining",
    "running_mean",
    "sample_of",
    "see",
    "shade",
    "similarities",
    "specimens",
    "start_claims",
    "start_lance_claims",
    "take",
    "teach",
    "tradeoff",
    "watch",
]

lazy(__name__)
