"""Low-rank activations: tensor tools, HOSVD, LANCE."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.compression.baselines import WarmSubspace, checkpointed, hosvd_each_step
    from workbench.compression.calibration import (
        Calibration,
        Modes,
        calibrate,
        cut_modes,
        first_batch_heavy,
        plain_mean,
    )
    from workbench.compression.hosvd import by_correlation, by_svd, hosvd, subspace_step
    from workbench.compression.lance import (
        LowRankConv2d,
        LowRankLinear,
        compress,
        conv2d_weight_gradient,
        linear,
        linear_weight_gradient,
        trainable_layers,
    )
    from workbench.compression.lean import make_lean
    from workbench.compression.memory import Kept, kept_by_formula
    from workbench.compression.tucker import (
        Tucker,
        expand,
        fold,
        mode_correlation,
        mode_product,
        project,
        rank_for_energy,
        relative_error,
        spectrum,
        tucker_elements,
        unfold,
    )

__all__ = [
    "Calibration",
    "Kept",
    "LowRankConv2d",
    "LowRankLinear",
    "Modes",
    "Tucker",
    "WarmSubspace",
    "by_correlation",
    "by_svd",
    "calibrate",
    "checkpointed",
    "compress",
    "conv2d_weight_gradient",
    "cut_modes",
    "expand",
    "first_batch_heavy",
    "fold",
    "hosvd",
    "hosvd_each_step",
    "kept_by_formula",
    "linear",
    "linear_weight_gradient",
    "make_lean",
    "mode_correlation",
    "mode_product",
    "plain_mean",
    "project",
    "rank_for_energy",
    "relative_error",
    "spectrum",
    "subspace_step",
    "trainable_layers",
    "tucker_elements",
    "unfold",
]

lazy(__name__)
