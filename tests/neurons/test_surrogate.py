"""Secondary activations: values of the paper, integrals, and the spike that carries them."""

import math

import pytest
import torch

from workbench.neurons import surrogate
from workbench.neurons.surrogate import (
    arctan,
    fast_sigmoid,
    heaviside,
    logistic,
    psi_flow,
    psi_gesture,
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
