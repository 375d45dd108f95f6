"""Products that skip zeros against dense products."""

import pytest
import torch

from workbench.kernels.connections import Inputs, add_weight_gradient, inputs_of, linear_map
from workbench.kernels.sparse import find_events, times, transpose


def sparse(rows: int, columns: int, rate: float, dtype=torch.double):
    generator = torch.Generator().manual_seed(rows)
    x = torch.rand(rows, columns, generator=generator, dtype=dtype)
    return torch.where(x < rate, (100 * x).ceil(), 0.0)  # counts as well as spikes


@pytest.mark.parametrize(("rows", "columns"), [(1, 40), (17, 1), (23, 31), (64, 70_000)])
@pytest.mark.parametrize("rate", [0.0, 0.02, 0.12])
def test_products_equal_dense_ones(rows, columns, rate):
    x, generator = sparse(rows, columns, rate), torch.Generator().manual_seed(1)
    right = torch.randn(columns, 3, generator=generator, dtype=torch.double)
    left = torch.randn(rows, 3, generator=generator, dtype=torch.double)
    events = find_events(x, densest=1.0)
    assert events is not None
    assert torch.allclose(times(events, right), x @ right, atol=1e-12)
    assert torch.allclose(times(transpose(events), left), x.T @ left, atol=1e-12)


def test_transposing_twice_gives_the_same_events():
    events = find_events(sparse(20, 30, 0.1), densest=1.0)
    assert events is not None
    for one, other in zip(transpose(transpose(events))[:3], events[:3], strict=True):
        assert torch.equal(one, other)


def test_dense_inputs_are_left_to_dense_products():
    assert find_events(torch.ones(4, 5)) is None
    assert find_events(torch.eye(16)) is not None


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
