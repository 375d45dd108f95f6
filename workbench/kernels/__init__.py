"""The inner loops: whatever computes a number faster that another file here computes plainly."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.kernels.choice import Loops, current_loops, kernels_for, taking
    from workbench.kernels.clock import working_time
    from workbench.kernels.compiled import NUMBA
    from workbench.kernels.connections import (
        Connection,
        Inputs,
        add_weight_gradient,
        check_input,
        input_gradient,
        inputs_of,
        linear_map,
        run_layout,
    )
    from workbench.kernels.convolution import Geometry, conv2d_input_gradient, convolve, geometry_of
    from workbench.kernels.plain import TORCH, Fired, Kernels, Weighing
    from workbench.kernels.sparse import SpikeList, find_events
    from workbench.kernels.warm_up import WarmUp, compile_all
    from workbench.kernels.weight_gradient import weight_gradient

__all__ = [
    "NUMBA",
    "TORCH",
    "Connection",
    "Fired",
    "Geometry",
    "Inputs",
    "Kernels",
    "Loops",
    "SpikeList",
    "WarmUp",
    "Weighing",
    "add_weight_gradient",
    "check_input",
    "compile_all",
    "conv2d_input_gradient",
    "convolve",
    "current_loops",
    "find_events",
    "geometry_of",
    "input_gradient",
    "inputs_of",
    "kernels_for",
    "linear_map",
    "run_layout",
    "taking",
    "weight_gradient",
    "working_time",
]

lazy(__name__)
