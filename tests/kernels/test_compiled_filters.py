"""The gradient of filters from inputs that are not silent against the library's, and what is left to the library."""

import pytest
import torch
from torch import nn
from torch.nn.grad import conv2d_weight

pytest.importorskip("numba")
filters = pytest.importorskip("workbench.kernels.compiled_filters")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)


@pytest.fixture
def library_calls(monkeypatch):
    """The shapes of what was left to the library."""
    calls = []
    monkeypatch.setattr(filters.plain, "add_filters", lambda connection, grad, x, g: calls.append(tuple(x.shape)))
    return calls


def sparse_images(*shape, rate=0.2, dtype=torch.double):
    generator = torch.Generator().manual_seed(sum(shape))
    values = torch.rand(shape, generator=generator, dtype=torch.double)
    return torch.where(values < rate, 0.25 + values, 0.0).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("size", "padding"), [(3, 1), (3, 0), (1, 0), (5, 2), ((2, 3), (0, 2))])
def test_it_is_the_library_s_gradient(dtype, size, padding, library_calls):
    connection = nn.Conv2d(5, 6, size, padding=padding, dtype=dtype)
    x = sparse_images(6, 5, 9, 7, dtype=dtype)
    x[2] = 0  # an image in which nothing happens
    x[3, 4] = 1.0  # a channel in which all happens
    x[3, 0, 0, 0] = x[3, 1, -1, -1] = x[3, 2, 0, -1] = 1.0  # corners
    g = torch.randn(connection(x).shape, generator=torch.Generator().manual_seed(0), dtype=dtype)
    grad = torch.ones_like(connection.weight)
    filters.add_filters(connection, grad, x, g)
    assert not library_calls
    expected = conv2d_weight(x, grad.shape, g, padding=connection.padding)
    assert torch.allclose(grad - 1.0, expected, atol=1e-12 if dtype is torch.float64 else 1e-4)


def test_one_entry_takes_the_mirrored_window_of_the_gradients():
    connection = nn.Conv2d(2, 1, 3, padding=1, dtype=torch.double)
    x, grad = torch.zeros(1, 2, 5, 5, dtype=torch.double), torch.zeros(1, 2, 3, 3, dtype=torch.double)
    x[0, 1, 2, 3] = 2.0
    g = torch.arange(25.0, dtype=torch.double).view(1, 1, 5, 5)
    filters.add_filters(connection, grad, x, g)
    assert torch.equal(grad[0, 1], 2.0 * g[0, 0, 1:4, 2:5].flip(0, 1))
    assert grad.count_nonzero() == 9


@pytest.mark.parametrize("options", [{"stride": 2}, {"dilation": 2}, {"groups": 2}, {"padding": "same"}])
def test_other_geometry_is_left_to_the_library(options, library_calls):
    connection, x = nn.Conv2d(2, 4, 3, **options), torch.zeros(1, 2, 7, 7)
    filters.add_filters(connection, torch.zeros_like(connection.weight), x, connection(x).detach())
    assert library_calls == [(1, 2, 7, 7)]


@pytest.mark.parametrize(("rate", "threads"), [(0.5, 1), (0.3, 2)])
def test_dense_inputs_and_many_threads_are_left_to_the_library(rate, threads, library_calls, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    connection, x = nn.Conv2d(3, 4, 3), sparse_images(2, 3, 6, 6, rate=rate, dtype=torch.float32)
    filters.add_filters(connection, torch.zeros_like(connection.weight), x, torch.zeros(2, 4, 4, 4))
    assert library_calls == [tuple(x.shape)]


@pytest.mark.parametrize(("x", "g"), [((2, 3, 6, 6), (2, 4, 4, 5)), ((2, 2, 6, 6), (2, 4, 4, 4))])
def test_shapes_that_do_not_fit_are_refused(x, g):
    connection = nn.Conv2d(3, 4, 3)
    with pytest.raises(ValueError, match="must have the shape"):
        filters.add_filters(connection, torch.zeros_like(connection.weight), torch.zeros(x), torch.zeros(g))
