"""Bytes kept by autograd, counted against cases small enough to count by hand."""

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
