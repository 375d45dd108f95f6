"""Two numbers of a secondary activation Ψ (`workbench.surrogate`), measured numerically for any Ψ: area and width.

The area ∫Ψ(v) dv is the height of the smooth step that the backward pass takes the spike for; S-TLLR asks for at most
1 (arXiv 2306.15220, section 4.1). The interval around the threshold where Ψ is not yet small is where a neuron lets
gradients pass and learns. v = u − v_th is dimensionless.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from workbench.surrogate import Psi


def area(psi: Psi) -> float:
    """∫Ψ(v) dv over all v, to about six digits.

    >>> from workbench.surrogate import triangle
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

    >>> from workbench.surrogate import triangle
    >>> low, high = passing_interval(triangle)
    >>> round(low, 3), round(high, 3)
    (-0.9, 0.9)
    """
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"fraction must lie in (0, 1], got {fraction!r}")
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
