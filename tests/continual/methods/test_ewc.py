"""EWC's information against the exact one, and its springs."""

import pytest
import torch
from tiny_streams import small, toy_stream
from torch.nn import functional as F

from workbench.continual.methods.ewc import EWC, fisher


def exact_fisher(network, x, task):
    """Σ_y p(y|x) (∂ log p(y|x) / ∂θ)², sample by sample."""
    total = {}
    for sample in x:
        logits = network(sample[None], task)
        for y in range(logits.shape[1]):
            p = logits.softmax(-1)[0, y].item()
            loss = F.cross_entropy(logits, torch.tensor([y]))
            gradients = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True, allow_unused=True)
            for theta, g in zip(network.parameters(), gradients, strict=True):
                if g is not None:
                    total[theta] = total.get(theta, 0) + p * g.square() / len(x)
    return total


@pytest.mark.parametrize("batch_size", [1, 8])
def test_fisher_information_is_unbiased_for_any_batch(batch_size):
    network, x = small(2), torch.randn(12, 10)
    expected = exact_fisher(network, x, 1)
    estimate = fisher(network, x, 1, 1600 // batch_size, batch_size, torch.Generator().manual_seed(0))
    assert estimate.keys() == expected.keys()
    ours, theirs = (torch.cat([d[p].flatten() for p in expected]) for d in (estimate, expected))
    assert float(F.cosine_similarity(ours, theirs, dim=0)) > 0.95
    assert float(ours.sum() / theirs.sum()) == pytest.approx(1.0, abs=0.15)
    assert all(p.grad is None for p in network.parameters())


def test_springs_of_all_tasks_as_two_numbers_per_weight():
    network, stream = small(3), toy_stream(3)
    method = EWC(network, strength=3.0, batches=20)
    springs = []
    for task in (0, 1):
        before = {p: s.clone() for p, s in method.stiffness.items()}
        method.after_task(task, stream[task].train_x, stream[task].train_y)
        added = {p: s - before.get(p, 0) for p, s in method.stiffness.items()}
        springs.append({p: (s, p.detach().clone()) for p, s in added.items()})
        with torch.no_grad():
            for p in network.parameters():
                p += 0.1 * torch.randn_like(p)
    x, y = stream[2].train_x, stream[2].train_y
    method.learn(torch.optim.SGD(network.parameters(), lr=0.0), x, y, 2)
    ours = {p: p.grad.clone() for p in network.parameters() if p.grad is not None}
    loss = F.cross_entropy(network(x, 2), y)
    for spring in springs:
        for p, (stiffness, anchor) in spring.items():
            loss = loss + 1.5 * (stiffness * (p - anchor).square()).sum()
    expected = torch.autograd.grad(loss, list(ours))
    for (p, mine), theirs in zip(ours.items(), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5, msg=str(p.shape))
    assert method.kept_bytes() == 2 * sum(4 * p.numel() for p in method.stiffness)
    with pytest.raises(ValueError, match=r"springs, must be a number of at least 0, got -1\.0"):
        EWC(network, strength=-1.0)
