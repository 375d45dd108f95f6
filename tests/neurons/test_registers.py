"""Numbers of a few bits: on the grid, in range, right on average; membranes that stay at the ends of their register."""

import inspect
import math

import pytest
import torch

from workbench.neurons.lif import Neuron, run_lif
from workbench.neurons.registers import Grid, Register, grid, nearest, stochastic

DTYPES = (torch.float32, torch.float64)


def drawn(shape, low, high, dtype=torch.float32, seed=0):
    numbers = torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (low + (high - low) * numbers).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", [2, 8, 12, 16])
def test_the_grid_is_that_of_whole_numbers(bits, dtype):
    on = grid(bits, 1.5)
    whole = nearest(drawn(4000, -3.0, 3.0, dtype), on) / on.step
    assert torch.equal(whole, whole.round())
    assert whole.min() == -(2 ** (bits - 1))
    assert whole.max() == 2 ** (bits - 1) - 1
    assert (on.lowest, on.highest) == (-1.5, 1.5 - on.step)
    inside = drawn(1000, on.lowest, on.highest, dtype, seed=1)
    assert (nearest(inside, on) - inside).abs().max() <= on.step / 2 * (1 + 1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [-0.7301, -0.5, -0.0003, 0.0, 0.0003, 0.25, 0.999])
def test_rounding_by_chance_is_right_on_average(value, dtype):
    """The mean of n roundings lies within five standard errors √(f (1 − f) / n) steps; both neighbours only."""
    n, step = 200_000, 0.125
    steps = stochastic(torch.full((n,), value, dtype=dtype), step, torch.Generator().manual_seed(0)) / step
    below, f = math.floor(value / step), value / step - math.floor(value / step)
    assert set(steps.tolist()) <= {float(below), float(below + 1)}
    assert abs(float(steps.mean()) - value / step) <= 5 * math.sqrt(f * (1 - f) / n) + 1e-6


def test_what_is_on_the_grid_stays_and_torchs_generator_too():
    before = torch.get_rng_state()
    x = torch.arange(-20, 20) * 0.25
    assert torch.equal(stochastic(x, 0.25, torch.Generator().manual_seed(3)), x)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("current", [3.0, -3.0])
def test_a_membrane_saturates_where_whole_numbers_would_wrap(current):
    """A leaky membrane with a threshold out of reach, beside Python's whole numbers, clipped."""
    register, u, expected = Register(Grid(4, 1.0)), [], 0
    for t in range(1, 8):
        run = run_lif(torch.full((t,), current), Neuron(1.0, 100.0), reset=register)
        expected = max(-8, min(7, expected + int(current)))
        u.append(float(run.rest))
        assert u[-1] == expected
    assert abs(u[-1]) in (7.0, 8.0)


def test_a_register_that_nothing_leaves_is_the_soft_reset():
    """Whole currents, γ = 1: a register of 16 bits computes what a float does."""
    current = torch.randint(-5, 9, (50, 30), generator=torch.Generator().manual_seed(0)).float() / 128
    neuron, register = Neuron(1.0, 8 / 128), Register(Grid(16, 1 / 128))
    plain, whole = run_lif(current, neuron), run_lif(current, neuron, reset=register)
    assert torch.equal(plain.spikes, whole.spikes)
    assert torch.equal(plain.rest, whole.rest)
    assert 0.1 < plain.spikes.mean() < 0.9


def test_half_a_step_is_rounded_and_so_is_the_threshold():
    register = Register(Grid(8, 0.25))
    u, z = torch.tensor([0.625, 0.875, 1.0]), torch.tensor([0.0, 0.0, 1.0])
    assert register(u, z, 0.6).tolist() == [0.5, 1.0, 0.5]


@pytest.mark.parametrize(("arguments", "words"), [((1,), "bits is 1, expected 2 to 24"), ((8, 0.0), "limit is 0.0")])
def test_wrong_grids_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        grid(*arguments)


@pytest.mark.parametrize("bits", [1, 2.5, 25])
def test_bits_that_no_grid_has(bits):
    with pytest.raises(ValueError, match=f"bits is {bits}, expected 2 to 24"):
        inspect.unwrap(grid)(bits)
