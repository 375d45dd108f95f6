"""Exercises of notebooks 13 and 14: the right answers against autograd and laws, the prediction, designs."""

import torch

from workbench.course.exercises.compression import (
    DOUBLED,
    ENERGY,
    LOW_RANK_GRADIENT,
    PROTECTED_GRADIENT,
    RANKS,
    UNSAFE_MODE,
)


def test_the_gradient_is_that_at_the_projected_input():
    for X, G, U in LOW_RANK_GRADIENT.trials():
        W = torch.zeros(G.shape[1], X.shape[1], requires_grad=True)
        ((X @ U @ U.T) @ W.T).backward(G)
        torch.testing.assert_close(LOW_RANK_GRADIENT.right(X, G, U), W.grad)


def test_nothing_moves_along_what_is_protected():
    for G, P in PROTECTED_GRADIENT.trials():
        left = PROTECTED_GRADIENT.right(G, P)
        torch.testing.assert_close(left @ P, torch.zeros(len(G), P.shape[1]), atol=1e-5, rtol=0)
        torch.testing.assert_close(PROTECTED_GRADIENT.right(left, P), left)


def test_the_wider_projector_is_one_and_holds_both():
    for P, V in DOUBLED.trials():
        Q = DOUBLED.right(P, V)
        for left, right in ((Q @ Q, Q), (Q @ P, P), (Q @ V, V)):
            torch.testing.assert_close(left, right, atol=1e-4, rtol=1e-4)
        assert torch.linalg.matrix_rank(torch.cat([P, V], 1), atol=1e-4) == round(Q.trace().item())


def test_only_a_cut_batch_turns_the_gradient_round():
    X, G = torch.tensor([[3.0], [1.0]]), torch.tensor([[1.0], [-2.0]])
    assert (G.T @ X) * (G.T @ X.mean(0).expand_as(X)) < 0
    for X, G, U in LOW_RANK_GRADIENT.trials():
        assert ((G.T @ X) * LOW_RANK_GRADIENT.right(X, G, U)).sum() >= 0
    assert UNSAFE_MODE.lettered[UNSAFE_MODE.right[0]].text == "the batch"


def test_designs_within_the_budget():
    assert RANKS.judge({"channels": 13, "rows": 3, "columns": 3}).right
    assert ENERGY.judge({"energy": 0.95}).right
