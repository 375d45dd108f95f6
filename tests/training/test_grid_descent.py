"""Descent on weights of a few bits: where they lie, what a step is on average, and going on after a stop."""

import pytest
import torch
from torch import nn

from workbench.neurons.registers import grid
from workbench.training.checkpoint import load_checkpoint, save_checkpoint
from workbench.training.grid_descent import GridDescent


def layer(seed=0):
    network = nn.Linear(6, 4)
    with torch.no_grad():
        for i, weight in enumerate(network.parameters()):
            weight.copy_(torch.rand(weight.shape, generator=torch.Generator().manual_seed(seed + i)) - 0.5)
    return network


def step(network, optimizer, gradient=0.03):
    for weight in network.parameters():
        weight.grad = torch.full_like(weight, gradient)
    optimizer.step()


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_every_weight_is_a_multiple_of_the_step_and_in_range(bits):
    network, on = layer(), grid(bits, 0.5)
    optimizer = GridDescent(network.parameters(), 1.0, on)
    for k in range(12):
        for weight in network.parameters():
            whole = weight.detach().double() / on.step
            assert torch.equal(whole, whole.round())
            assert on.lowest <= weight.min()
            assert weight.max() <= on.highest
        step(network, optimizer, 0.0813 if k < 6 else -0.1)
    assert network.weight.max().item() == on.highest  # pushed against the end


def fidelity(bits):
    """Cosine of the change after ten small steps to that of plain gradient descent, and their mean difference."""
    network, start = nn.Linear(200, 50), None
    with torch.no_grad():
        network.weight.copy_(torch.randn(network.weight.shape, generator=torch.Generator().manual_seed(0)) / 20)
    optimizer = GridDescent(network.parameters(), 0.01, grid(bits))
    start, exact = network.weight.detach().clone(), 0.0
    generator = torch.Generator().manual_seed(1)
    for _ in range(10):
        network.weight.grad = torch.randn(network.weight.shape, generator=generator)
        exact = exact - 0.01 * network.weight.grad
        optimizer.step()
    change = network.weight.detach() - start
    return float(nn.functional.cosine_similarity(change.flatten(), exact.flatten(), 0)), float((change - exact).mean())


def test_more_bits_are_nearer_to_the_float_update_and_none_is_biased():
    """10,000 weights, ten roundings of variance at most ¼ step² each: the mean error within five standard errors."""
    found = {bits: fidelity(bits) for bits in (6, 8, 10, 12)}
    cosines = [cosine for cosine, _ in found.values()]
    assert cosines == sorted(cosines)
    assert cosines[0] < 0.9 < 0.999 < cosines[-1]
    for bits, (_, bias) in found.items():
        assert abs(bias) < 5 * grid(bits).step * (10 / 4 / 10_000) ** 0.5


def test_a_run_that_goes_on_draws_what_it_would_have_drawn(tmp_path):
    """Bit for bit, the generator of the rounding included; torch's own is left alone."""
    network = layer()
    optimizer = GridDescent(network.parameters(), 0.1, grid(8), seed=7)
    for _ in range(3):
        step(network, optimizer)
    save_checkpoint(tmp_path / "a", {"weights": dict(network.state_dict()), "optimizer": optimizer.state_dict()})
    other = layer(5)
    again = GridDescent(other.parameters(), 9.0, grid(4), seed=1)
    state = load_checkpoint(tmp_path / "a")
    other.load_state_dict(state["weights"])
    again.load_state_dict(state["optimizer"])
    before = torch.get_rng_state()
    for _ in range(4):
        step(network, optimizer)
        step(other, again)
        assert all(torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True))
    assert torch.equal(torch.get_rng_state(), before)
    fresh = layer()
    without = GridDescent(fresh.parameters(), 0.1, grid(8), seed=8)
    for _ in range(7):
        step(fresh, without)
    assert not torch.equal(fresh.weight, network.weight)  # the draws decide


def test_a_rate_of_nothing_is_refused():
    with pytest.raises(ValueError, match="lr is 0"):
        GridDescent(layer().parameters(), 0.0, grid(8))
