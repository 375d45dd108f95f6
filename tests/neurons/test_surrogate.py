"""Secondary activations: values of the paper, integrals, and the spike that carries them."""

import math
from functools import partial

import pytest
import torch

from workbench.neurons import surrogate
from workbench.neurons.surrogate import (
    arctan,
    area,
    area_up_to,
    fast_sigmoid,
    heaviside,
    logistic,
    passing_interval,
    psi_flow,
    psi_gesture,
    psi_images,
    psi_images_printed,
    spike,
    triangle,
)


def integral(psi, width=4000.0):
    """∫ Ψ by the trapezoid rule on v = sinh(s), dense near the threshold and wide in the tails."""
    s = torch.linspace(-math.asinh(width), math.asinh(width), 200_001, dtype=torch.double)
    return float(torch.trapezoid(psi(torch.sinh(s)) * torch.cosh(s), s))


@pytest.mark.parametrize(
    ("psi", "expected"),
    [
        (triangle, 1.0),
        (psi_gesture, 0.3),
        (surrogate.psi_speech, 2 / 100),
        (surrogate.psi_images, 1.0),
        (surrogate.psi_images_printed, 4.0),
        (psi_flow, math.pi / 10),
        (fast_sigmoid, 2 / 25),
    ],
)
def test_integrals_as_documented(psi, expected):
    assert integral(psi) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("psi", "antiderivative"),
    [
        (lambda v: fast_sigmoid(v, 7.0), lambda v: v / (1 + 7.0 * v.abs())),
        (lambda v: arctan(v, 3.0), lambda v: torch.atan(3.0 * v) / 3.0),
        (lambda v: logistic(v, 4.0), lambda v: torch.sigmoid(4.0 * v)),
    ],
)
def test_each_is_the_derivative_it_says(psi, antiderivative):
    v = torch.linspace(-2, 2, 41, dtype=torch.double, requires_grad=True)
    (derivative,) = torch.autograd.grad(antiderivative(v).sum(), v)
    assert torch.allclose(psi(v), derivative, atol=1e-12)


def test_spike_has_the_value_of_the_step_and_the_derivative_psi():
    v = torch.randn(100, dtype=torch.double, requires_grad=True)
    z = spike(v, psi_flow)
    assert torch.equal(z.detach(), heaviside(v.detach()))
    z.sum().backward()
    assert torch.equal(v.grad, psi_flow(v.detach()))


def test_zero_does_not_fire():
    assert heaviside(torch.tensor([-1.0, 0.0, 1e-30])).tolist() == [0, 0, 1]


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


def test_the_passing_interval_does_not_depend_on_the_height():
    """A tenth of the peak, whatever the peak is."""
    low = passing_interval(lambda v: 0.3 * triangle(v))
    assert low == pytest.approx(passing_interval(triangle), abs=1e-3)
    assert low == pytest.approx((-0.9, 0.9), abs=1e-2)


def test_no_part_of_the_peak_is_above_it():
    assert surrogate.passing_interval(surrogate.triangle, 1.0)[0] <= 0.0
    with pytest.raises(ValueError, match=r"fraction must be a number in \(0, 1\], got 1.5"):
        surrogate.passing_interval(surrogate.triangle, 1.5)
