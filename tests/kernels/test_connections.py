"""Connections give the same with and without events."""

import pytest
import torch

from workbench.kernels.connections import Inputs, add_weight_gradient, inputs_of, linear_map


def sparse(rows: int, columns: int, rate: float, dtype=torch.double):
    generator = torch.Generator().manual_seed(rows)
    x = torch.rand(rows, columns, generator=generator, dtype=dtype)
    return torch.where(x < rate, (100 * x).ceil(), 0.0)  # counts as well as spikes


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_dense_connection_gives_the_same_with_and_without_events(dtype):
    connection = torch.nn.Linear(50, 7).to(dtype)
    x = sparse(30, 50, 0.05, dtype)
    g = torch.randn(30, 7, dtype=dtype)
    skipping, dense = inputs_of(connection, x), Inputs(x)
    assert skipping.events is not None
    with torch.no_grad():
        forward = [linear_map(connection, inputs, connection.weight, connection.bias) for inputs in (skipping, dense)]
    assert torch.allclose(*forward, atol=1e-5)
    grads = [torch.ones(50, 7, dtype=dtype).T for _ in range(2)]
    for grad, inputs in zip(grads, (skipping, dense), strict=True):
        add_weight_gradient(connection, grad, inputs, g)
        assert torch.allclose(grad - 1.0, g.T @ x, atol=1e-4)
