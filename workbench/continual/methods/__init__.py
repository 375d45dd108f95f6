"""One method against forgetting, one file."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.continual.methods.a_gem import AGEM
    from workbench.continual.methods.code_cl import (
        CodeCL,
        CodeCLParams,
        identity_mixing,
        shared_directions,
        task_conceptor,
        uniform_mixing,
    )
    from workbench.continual.methods.ewc import EWC, fisher
    from workbench.continual.methods.fine_tuning import FineTuning
    from workbench.continual.methods.gpm import GPM, GPMParams
    from workbench.continual.methods.lance import (
        LanceContinual,
        LanceContinualParams,
        input_correlations,
        subspace_layers,
    )
    from workbench.continual.methods.replay import EpisodicMemory, Joint, Replay
    from workbench.continual.methods.sgp import SGP, SGPParams
    from workbench.continual.methods.subspace import LearnableSubspace, SubspaceParams
    from workbench.continual.methods.trgp import TRGP, TRGPParams

__all__ = [
    "AGEM",
    "EWC",
    "GPM",
    "SGP",
    "TRGP",
    "CodeCL",
    "CodeCLParams",
    "EpisodicMemory",
    "FineTuning",
    "GPMParams",
    "Joint",
    "LanceContinual",
    "LanceContinualParams",
    "LearnableSubspace",
    "Replay",
    "SGPParams",
    "SubspaceParams",
    "TRGPParams",
    "fisher",
    "identity_mixing",
    "input_correlations",
    "shared_directions",
    "subspace_layers",
    "task_conceptor",
    "uniform_mixing",
]

lazy(__name__)
