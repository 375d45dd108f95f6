"""Area and width of Ψ against closed forms."""

import math
from functools import partial

import pytest
import torch

from workbench.neurons.surrogate import (
    arctan,
    area,
    area_up_to,
    fast_sigmoid,
    logistic,
    passing_interval,
    psi_images,
    psi_images_printed,
    triangle,
)


@pytest.mark.parametrize(
    ("psi", "expected"),
    [
        (partial(triangle, height=0.3, width=2.0), 0.6),
        (partial(fast_sigmoid, slope=100.0), 0.02),
        (partial(fast_sigmoid, slope=0.5), 4.0),
        (partial(arctan, slope=10.0), math.pi / 10),
        (partial(logistic, slope=4.0), 1.0),
        (psi_images, 1.0),
        (psi_images_printed, 4.0),
    ],
)
def test_area(psi, expected):
    assert area(psi) == pytest.approx(expected, rel=1e-5)
    assert float(area_up_to(psi, torch.tensor([0.0], dtype=torch.double))) == pytest.approx(expected / 2, rel=1e-5)


def test_area_up_to_is_the_function_that_psi_is_the_slope_of():
    v = torch.linspace(-3, 3, 50, dtype=torch.double)
    assert torch.allclose(area_up_to(partial(logistic, slope=4.0), v), torch.sigmoid(4.0 * v), atol=1e-6)
    ramp = (v.clamp(-1, 1) + 1) - torch.sign(v) * v.clamp(-1, 1) ** 2 / 2 - 0.5
    assert torch.allclose(area_up_to(triangle, v), ramp, atol=1e-6)


@pytest.mark.parametrize(
    ("psi", "edge"),
    [
        (partial(triangle, width=2.0), 1.8),
        (partial(fast_sigmoid, slope=25.0), (math.sqrt(10) - 1) / 25),
        (partial(arctan, slope=2.0), 1.5),
    ],
)
def test_passing_interval(psi, edge):
    assert passing_interval(psi) == pytest.approx((-edge, edge), rel=1e-4)


def test_peak_and_shift():
    def shifted(v):
        return triangle(v - 5.0)

    assert passing_interval(shifted, fraction=0.5) == pytest.approx((4.5, 5.5), abs=0.02)
    with pytest.raises(ValueError, match=r"\(0, 1\], got 0"):
        passing_interval(triangle, fraction=0)
