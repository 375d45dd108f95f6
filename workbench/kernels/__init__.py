"""The inner loops: whatever computes a number faster that another file here computes plainly."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
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
    from workbench.kernels.sparse import Events, find_events
    from workbench.kernels.weight_gradient import weight_gradient

__all__ = [
    "NUMBA",
    "TORCH",
    "Connection",
    "Events",
    "Fired",
    "Geometry",
    "Inputs",
    "Kernels",
    "Weighing",
    "add_weight_gradient",
    "check_input",
    "conv2d_input_gradient",
    "convolve",
    "find_events",
    "geometry_of",
    "input_gradient",
    "inputs_of",
    "linear_map",
    "run_layout",
    "weight_gradient",
]

lazy(__name__)
