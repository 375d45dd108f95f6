"""Products that skip zeros against dense products."""

import pytest
import torch

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
