"""Direction: where the weights may move when other tasks were learned before.

anywhere    ΔW
gpm         ΔW (I − M Mᵀ)                       arXiv 2103.09762
sgp         ΔW (I − M Λ Mᵀ)                     arXiv 2302.01386
trgp        the same, weights rescaled in related subspaces   arXiv 2202.02931
code-cl     ΔW (I − C), weights mixed along shared directions
subspace    ΔW U₁ U₁ᵀ, U₁ᵀ P = 0                LANCE, arXiv 2509.21617
ewc         ΔW, pulled back by springs          arXiv 1612.00796
"""

from typing import Any

from workbench.continual.method import Method
from workbench.continual.methods.code_cl import CodeCL
from workbench.continual.methods.ewc import EWC
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.methods.gpm import GPM
from workbench.continual.methods.sgp import SGP
from workbench.continual.methods.subspace import LearnableSubspace
from workbench.continual.methods.trgp import TRGP
from workbench.mixes.axes import Direction
from workbench.rule import Rule


def with_defaults(make: Any) -> Any:
    """A method with its own defaults, as `(network, rule)` makes it."""

    def made(network: Any, rule: Rule) -> Method:
        return make(network, rule=rule)

    return made


ANYWHERE: Direction = Direction("anywhere", "anywhere", with_defaults(FineTuning))
GPM_DIRECTION: Direction = Direction("gpm", "outside old subspaces (GPM)", with_defaults(GPM))
SGP_DIRECTION: Direction = Direction("sgp", "scaled outside old subspaces (SGP)", with_defaults(SGP))
TRGP_DIRECTION: Direction = Direction("trgp", "with trust regions (TRGP)", with_defaults(TRGP))
CODE_CL: Direction = Direction("code-cl", "outside conceptors (CODE-CL)", with_defaults(CodeCL))
SUBSPACE: Direction = Direction("subspace", "in a subspace of its own (LANCE)", with_defaults(LearnableSubspace))
EWC_DIRECTION: Direction = Direction("ewc", "held by springs (EWC)", with_defaults(EWC))
DIRECTIONS: tuple[Direction, ...] = (
    ANYWHERE,
    GPM_DIRECTION,
    SGP_DIRECTION,
    TRGP_DIRECTION,
    CODE_CL,
    SUBSPACE,
    EWC_DIRECTION,
)
