"""A-GEM's constraint: no step raises the loss on the memory."""

import pytest
import torch
from tiny_streams import small, toy_stream
from torch import nn
from torch.nn import functional as F

from workbench.continual.methods.a_gem import AGEM, without_conflict


def test_conflicting_gradients_become_orthogonal_and_others_stay():
    parameters = [nn.Parameter(torch.zeros(3)) for _ in range(2)]
    g = {p: torch.randn(3) for p in parameters}
    reference = {p: torch.randn(3) for p in parameters}
    product = sum(float(g[p] @ reference[p]) for p in parameters)
    if product > 0:
        reference = {p: -r for p, r in reference.items()}
    after = without_conflict(g, reference)
    assert sum(float(after[p] @ reference[p]) for p in parameters) == pytest.approx(0.0, abs=1e-6)
    moved = torch.cat([after[p] - g[p] for p in parameters])  # only along the reference
    assert float(F.cosine_similarity(moved, torch.cat(list(reference.values())), dim=0)) == pytest.approx(1.0)
    assert without_conflict(g, {p: -r for p, r in reference.items()}) is g


def test_a_parameter_that_only_one_side_has_counts_as_zero_on_the_other():
    shared, own, old = (nn.Parameter(torch.zeros(1)) for _ in range(3))
    g = {shared: torch.tensor([2.0]), own: torch.tensor([5.0])}
    reference = {shared: torch.tensor([-1.0]), old: torch.tensor([1.0])}
    after = without_conflict(g, reference)  # product −2, length² 2
    assert [after[p].item() for p in (shared, own, old)] == [1.0, 5.0, 1.0]


def test_agem_does_not_raise_the_loss_on_the_memory_to_first_order():
    network, (first, second) = small(2), toy_stream(2)
    method = AGEM(network, per_task=40)
    method.after_task(0, first.train_x, first.train_y)
    for seed in range(5):
        torch.manual_seed(seed)
        y = torch.randint(2, (40,))
        old = F.cross_entropy(network(first.train_x, 0), first.train_y)
        slopes = torch.autograd.grad(old, list(network.parameters()), allow_unused=True)
        method.learn(torch.optim.SGD(network.parameters(), lr=0.0), second.train_x, y, 1)
        both = [(p.grad, s) for p, s in zip(network.parameters(), slopes, strict=True) if p.grad is not None]
        assert sum(float((g * s).sum()) for g, s in both if s is not None) >= -1e-6
