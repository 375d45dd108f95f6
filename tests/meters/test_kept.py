"""Bytes kept by autograd, counted against cases small enough to count by hand."""

import pytest
import torch

from workbench.meters.kept import KeptBytes


def test_counts_each_storage_once_and_lets_go_after_backward():
    x = torch.ones(100, requires_grad=True)
    with KeptBytes() as kept:
        y = (x * x).exp()  # keeps x twice, and the result of exp
        assert kept.now == 800
        y.sum().backward()
        del y
    assert kept.peak == 800
    assert kept.now == 0


def test_what_exists_anyway_does_not_count():
    x = torch.ones(100, requires_grad=True)
    with KeptBytes(x) as kept:
        y = (x * x).exp()
        assert kept.now == y.nbytes


def test_peak_is_the_worst_moment_not_the_sum():
    with KeptBytes() as kept:
        for _ in range(5):
            x = torch.ones(100, requires_grad=True)
            x.exp().sum().backward()
    assert kept.peak == 400


def test_peak_stays_when_less_is_kept_later():
    with KeptBytes() as kept:
        for size in (1000, 10):
            x = torch.ones(size, requires_grad=True)
            x.exp().sum().backward()
    assert kept.peak == 4000
    assert kept.now == 0


@pytest.mark.parametrize("of", [torch.exp, torch.rsqrt, torch.sigmoid, lambda x: x.softmax(0)])
def test_a_graph_that_is_not_run_backwards_goes_with_its_result(of):
    """Its node saves its own result, and would hold itself by what is held here."""
    x = torch.ones(100, requires_grad=True)
    with KeptBytes(x) as kept:
        y = of(x)
        assert kept.now == y.nbytes
        del y
        assert kept.now == 0


def test_what_was_saved_has_its_history_again():
    """The second derivative goes through what the first graph saved."""
    x = torch.tensor(2.0, requires_grad=True)
    with KeptBytes():
        (slope,) = torch.autograd.grad(x.exp() * x.rsqrt(), x, create_graph=True)
        (found,) = torch.autograd.grad(slope, x)
    (slope,) = torch.autograd.grad(x.exp() * x.rsqrt(), x, create_graph=True)
    assert found == torch.autograd.grad(slope, x)[0] != 0
