"""Secondary activations Ψ and the spike that learns through them.

A spike z = 1[v > 0], with v = u − v_th the distance of the membrane potential u from the threshold v_th, has no
useful derivative. Local rules replace it by Ψ(v), a bump around the threshold: the *secondary activation* of
S-TLLR (Apolinario & Roy, arXiv 2306.15220, Appendix A.3), also called surrogate or pseudo-derivative.
Every function here takes v of any shape and returns Ψ(v) of the same shape; v has the unit of u (dimensionless).
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.checks import Span, check_number

Psi = Callable[[Float[Tensor, "..."]], Float[Tensor, "..."]]  # u − v_th → ψ


def triangle(v: Float[Tensor, "*shape"], height: float = 1.0, width: float = 1.0) -> Float[Tensor, "*shape"]:
    """Ψ(v) = height · max(1 − |v| / width, 0); its integral is height · width."""
    return v.abs().div_(-width).add_(1.0).clamp_(min=0.0).mul_(height)


def fast_sigmoid(v: Float[Tensor, "*shape"], slope: float = 25.0) -> Float[Tensor, "*shape"]:
    """Ψ(v) = 1 / (slope·|v| + 1)², the derivative of the fast sigmoid v / (1 + slope·|v|); integral 2 / slope."""
    return v.abs().mul_(slope).add_(1.0).pow_(-2)


def arctan(v: Float[Tensor, "*shape"], slope: float = 2.0) -> Float[Tensor, "*shape"]:
    """Ψ(v) = 1 / (1 + (slope·v)²), the derivative of arctan(slope·v) / slope; its integral is π / slope."""
    return 1.0 / (1.0 + (slope * v).square())


def logistic(v: Float[Tensor, "*shape"], slope: float = 4.0, height: float | None = None) -> Float[Tensor, "*shape"]:
    """Ψ(v) = height · σ(slope·v) (1 − σ(slope·v)); height defaults to slope, which makes the integral 1."""
    s = torch.sigmoid(slope * v)
    return (slope if height is None else height) * s * (1.0 - s)


# The four of the paper (Appendix A.3), named by the task they were used for.


def psi_speech(v: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Ψ for spoken digits (SHD): 1 / (100·|v| + 1)²."""
    return fast_sigmoid(v, slope=100.0)


def psi_gesture(v: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Ψ for DVS Gesture, and for every layer of TESS: 0.3 · max(1 − |v|, 0)."""
    return triangle(v, height=0.3)


def psi_images(v: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Ψ for DVS CIFAR10 as the released code has it: 4 σ(4v) (1 − σ(4v)); its integral is 1."""
    return logistic(v, slope=4.0)


def psi_images_printed(v: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Ψ for DVS CIFAR10 as the paper prints it: 4 σ(v) (1 − σ(v)); its integral 4 breaks the paper's bound of 1."""
    return logistic(v, slope=1.0, height=4.0)


def psi_flow(v: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Ψ for optical flow (MVSEC): 1 / (1 + (10 v)²)."""
    return arctan(v, slope=10.0)


def heaviside(v: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """z = 1[v > 0], without a gradient; v = 0 does not fire."""
    return (v > 0).to(v.dtype)


def spike(v: Float[Tensor, "*shape"], psi: Psi) -> Float[Tensor, "*shape"]:
    """z = 1[v > 0] in value and Ψ(v) in derivative.

    >>> v = torch.tensor([-0.5, 0.5], requires_grad=True)
    >>> spike(v, triangle).sum().backward()
    >>> v.grad
    tensor([0.5000, 0.5000])
    """
    below = v.detach()
    return heaviside(below) + psi(below) * (v - below)


def area(psi: Psi) -> float:
    """∫Ψ(v) dv over all v, to about six digits.

    >>> from workbench.neurons import triangle
    >>> round(area(triangle), 4)
    1.0
    """
    v = _grid()
    return float(torch.trapezoid(psi(v), v))


def area_up_to(psi: Psi, v: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    """∫Ψ from −∞ to each v: the smooth step whose derivative the backward pass uses."""
    grid = _grid()
    sums = torch.nn.functional.pad(torch.cumulative_trapezoid(psi(grid), grid), (1, 0))
    return torch.from_numpy(np.interp(v.numpy(), grid.numpy(), sums.numpy()))


def passing_interval(psi: Psi, fraction: float = 0.1) -> tuple[float, float]:
    """Smallest and largest v where Ψ(v) is at least `fraction` of its peak.

    >>> from workbench.neurons import triangle
    >>> low, high = passing_interval(triangle)
    >>> round(low, 3), round(high, 3)
    (-0.9, 0.9)
    """
    check_number(fraction, "fraction", Span("a number in (0, 1]", 0.0, 1.0, open_low=True))
    v = _grid()
    values = psi(v)
    passing = (values >= fraction * values.max()).nonzero()[:, 0]
    first, last = int(passing[0]), int(passing[-1])
    edges = ((first - 1, first), (last, last + 1))
    low, high = (_crossing(v, values - fraction * values.max(), *edge) for edge in edges)
    return low, high


def _crossing(v: Tensor, height: Tensor, left: int, right: int) -> float:
    """Where the straight line between two grid points has height 0; the grid ends where Ψ does not."""
    if left < 0 or right == len(v):
        return float(v[max(left, 0)])
    share = float(height[left] / (height[left] - height[right]))
    return float(v[left]) + share * float(v[right] - v[left])


def _grid() -> Float[Tensor, "n"]:
    """From −10⁶ to 10⁶, 0 among them, finest around 0 (steps of 10⁻⁷, and of 0.2 % further out)."""
    return 1e-4 * torch.sinh(torch.linspace(-24.0, 24.0, 24001, dtype=torch.float64))
