"""What a rule costs: by formula, counted, timed."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.cost.blocks import Macs, backprop_macs, connection_macs, lls_macs
    from workbench.cost.counted import Measured, measure
    from workbench.cost.formulas import (
        layer_macs,
        layer_sizes,
        mac_saving,
        memory_saving,
    )
    from workbench.cost.mixes import MixCost, mix_cost
    from workbench.cost.neurobench import Inference, UpdateCost, connection_sparsity, footprint, inference, update_cost
    from workbench.cost.table import (
        COSTED,
        CostCurve,
        CostRow,
        break_even,
        cost_curves,
        cost_table,
        dense_sizes,
        rule_costs,
        written,
    )
    from workbench.cost.timed import TIMED, NotTimed, TimedCost, timed_costs

__all__ = [
    "COSTED",
    "TIMED",
    "CostCurve",
    "CostRow",
    "Inference",
    "Macs",
    "Measured",
    "MixCost",
    "NotTimed",
    "TimedCost",
    "UpdateCost",
    "backprop_macs",
    "break_even",
    "connection_macs",
    "connection_sparsity",
    "cost_curves",
    "cost_table",
    "dense_sizes",
    "footprint",
    "inference",
    "layer_macs",
    "layer_sizes",
    "lls_macs",
    "mac_saving",
    "measure",
    "memory_saving",
    "mix_cost",
    "rule_costs",
    "timed_costs",
    "update_cost",
    "written",
]

lazy(__name__)
