"""The convolution that skips silent inputs against the library's, and what it leaves to the library."""

import pytest
import torch
from torch import nn

from workbench.kernels import plain as kernels
from workbench.networks.architectures import small_vgg
from workbench.neurons.traces import Factors
from workbench.rules import stllr
from workbench.rules.stllr import STLLR

pytest.importorskip("numba")
convolution = pytest.importorskip("workbench.kernels.compiled_convolution")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)


def sparse_images(*shape, rate=0.05, dtype=torch.double):
    generator = torch.Generator().manual_seed(sum(shape))
    values = torch.rand(shape, generator=generator, dtype=torch.double)
    return (torch.where(values < rate, 0.25 + values, 0.0)).to(dtype)


@pytest.fixture
def library_calls(monkeypatch):
    """The shapes of what was left to the library."""
    calls = []

    def watched(connection, x, weight, bias):
        calls.append(tuple(x.shape))
        return torch.nn.functional.conv2d(
            x, weight, bias, connection.stride, connection.padding, connection.dilation, connection.groups
        )

    monkeypatch.setattr(convolution.plain, "convolve", watched)
    return calls


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("size", "padding", "bias"), [(3, 1, True), (3, 0, False), (1, 0, True), (5, 2, True), ((2, 3), (0, 2), False)]
)
def test_it_is_the_library_s_convolution(dtype, size, padding, bias, library_calls):
    torch.manual_seed(0)
    connection = nn.Conv2d(3, 4, size, padding=padding, bias=bias, dtype=dtype)
    x = sparse_images(6, 3, 9, 7, dtype=dtype)
    x[2] = 0  # an image in which nothing happens
    x[3, :, [0, -1]] = torch.where(x[3, :, [0, -1]] > 0, 1.0, 0.0).to(dtype)
    x[3, 1, 0, 0] = x[3, 2, -1, -1] = 1.0  # the corners
    with torch.no_grad():
        ours = convolution.convolve(connection, x, connection.weight, connection.bias)
        assert not library_calls
        expected = connection(x)
    assert ours.shape == expected.shape
    assert ours.is_contiguous()
    assert torch.allclose(ours, expected, atol=1e-12 if dtype is torch.float64 else 1e-5)
    assert ours[2].std() > 0 or not bias


def test_one_entry_draws_the_mirrored_filter():
    connection = nn.Conv2d(2, 1, 3, padding=1, bias=False, dtype=torch.double)
    x = torch.zeros(1, 2, 5, 5, dtype=torch.double)
    x[0, 1, 2, 3] = 2.0
    with torch.no_grad():
        out = convolution.convolve(connection, x, connection.weight, None)[0, 0]
    assert torch.equal(out[1:4, 2:5], 2.0 * connection.weight[0, 1].flip(0, 1))
    assert out.count_nonzero() == 9


@pytest.mark.parametrize(
    "options",
    [{"stride": 2}, {"dilation": 2}, {"groups": 2}, {"padding": "same"}, {"padding": 3}, {"padding_mode": "circular"}],
)
def test_other_geometry_is_left_to_the_library(options):
    assert not convolution.is_plain(nn.Conv2d(2, 4, 3, **options))


def test_dense_input_and_graphs_are_left_to_the_library(library_calls):
    connection = nn.Conv2d(2, 3, 3, padding=1)
    with torch.no_grad():
        convolution.convolve(connection, torch.ones(1, 2, 4, 4), connection.weight, connection.bias)
    silent = torch.zeros(2, 2, 4, 4)
    assert convolution.convolve(connection, silent, connection.weight, connection.bias).requires_grad
    assert library_calls == [(1, 2, 4, 4), (2, 2, 4, 4)]


def test_what_counts_as_sparse_depends_on_the_threads(monkeypatch):
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 0, :2] = 1.0  # 2 of 16
    assert convolution.is_sparse(x)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert not convolution.is_sparse(x)


def test_a_network_learns_the_same_with_it(library_calls):
    from workbench.kernels.compiled import NUMBA

    torch.manual_seed(0)
    network = small_vgg(10, (2, 16, 16)).double()
    x, y = sparse_images(6, 2, 2, 16, 16).ceil(), torch.tensor([3, 7])
    found = []
    for inner in (kernels.TORCH, NUMBA):
        network.zero_grad()
        report = stllr.gradients(network, x, y, STLLR(Factors(0.2, 0.75, -1.0, 1.0), 2, chunk=2, kernels=inner))
        found.append((report.spike_rates, [p.grad.clone() for p in network.parameters() if p.grad is not None]))
    assert found[0][0] == found[1][0]
    assert sum(found[0][0].values()) > 0
    assert len(library_calls) < 3 * len(found[0][0])  # the others skipped what is silent
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(found[0][1], found[1][1], strict=True))
