"""Events and the product Xᵀ G where their sizes are awkward."""

import pytest
import torch

pytest.importorskip("numba")
fast = pytest.importorskip("workbench.kernels.compiled_sparse")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("rows", "columns"), [(0, 5), (3, 0), (1, 1), (6, 7), (6, 8), (6, 9), (20, 130)])
def test_events_are_what_is_not_zero(dtype, rows, columns):
    x = torch.rand(rows, columns, generator=torch.Generator().manual_seed(columns), dtype=dtype)
    x = torch.where(x < 0.3, x + 1.0, 0.0)
    x[:1] = 0.0  # a silent row
    x[-1:, -1:] = -0.25
    events = fast.find_events(x, densest=1.0)
    row, column = torch.nonzero(x, as_tuple=True)
    assert torch.equal(events.columns, column)
    assert torch.equal(events.values, x[row, column])
    assert torch.equal(events.row_starts, torch.tensor([0, *(x != 0).sum(1).cumsum(0)]))
    g, grad = torch.rand(rows, 6, dtype=dtype), torch.ones(columns, 6, dtype=dtype)
    fast.add_outer(grad, events, g)
    assert torch.allclose(grad, 1.0 + x.T @ g, atol=1e-5)


def test_places_that_are_no_whole_numbers_are_refused():
    x = torch.eye(4)
    events = fast.find_events(x, densest=1.0)
    for broken in (events._replace(columns=events.columns.int()), events._replace(row_starts=events.row_starts.int())):
        with pytest.raises(ValueError, match=r"of the events must be int64, got torch\.int32"):
            fast.add_outer(torch.zeros(4, 4), broken, x)
