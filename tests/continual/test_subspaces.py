"""Subspaces that grow from task to task, against eigenvectors."""

import pytest
import torch
from torch import Tensor

from workbench.compression.tucker import spectrum
from workbench.continual.subspaces import learnable, new_directions, one_sided, protect, residual

pytestmark = pytest.mark.usefixtures("in_double_precision")


def correlation_of(rank: int, size: int) -> Tensor:
    X = torch.randn(size, rank) * 2.0 ** -torch.arange(rank)
    return X @ X.T


def orthonormal(size: int, rank: int) -> Tensor:
    return torch.linalg.qr(torch.randn(size, rank)).Q


def test_first_directions_are_the_leading_eigenvectors():
    R = correlation_of(8, 20)
    energies, vectors = spectrum(R)
    for energy in (0.5, 0.9, 0.99):
        P = protect(torch.zeros(20, 0), R, energy)
        p = P.shape[1]
        torch.testing.assert_close(P @ P.T, vectors[:, :p] @ vectors[:, :p].T)
        assert energies[:p].sum() > energy * R.trace() >= energies[: p - 1].sum()


def test_protection_grows_orthonormally_to_the_energy_asked_for():
    P = torch.zeros(20, 0)
    for energy in (0.9, 0.93, 0.96):
        R = correlation_of(7, 20)
        before, P = P, protect(P, R, energy)
        torch.testing.assert_close(P.T @ P, torch.eye(P.shape[1]))
        torch.testing.assert_close(P @ P.T @ before, before)
        assert (P.T @ R @ P).trace() > energy * R.trace()
        assert (P[:, :-1].T @ R @ P[:, :-1]).trace() <= energy * R.trace() or P.shape == before.shape


def test_never_more_directions_than_the_residual_has():
    P, R = orthonormal(20, 6), correlation_of(4, 20)
    U = new_directions(P, R, 1.0)
    assert U.shape == (20, 4)  # the published rule would take 20 − 6 = 14
    assert (U.T @ P).abs().max() < 1e-12
    torch.testing.assert_close(U.T @ U, torch.eye(4))


def test_the_residual_is_two_sided():
    P, R = orthonormal(20, 6), correlation_of(10, 20)
    E = residual(P, R)
    outside = torch.eye(20) - P @ P.T
    assert E.total - E.held == pytest.approx(float((outside @ R @ outside).trace()))
    one_sided = torch.linalg.svdvals(outside @ R).sum()
    assert one_sided > 1.01 * (E.total - E.held)
    torch.testing.assert_close((E.vectors * E.energies) @ E.vectors.T, outside @ R @ outside)


@pytest.mark.parametrize("rank", [4, 12, 20])
def test_the_published_measure_is_the_singular_values_of_one_side(rank):
    """Beside the plain decomposition of (I − PPᵀ) R; the directions stay orthogonal to P, which it does not promise."""
    P, R = orthonormal(20, 6), correlation_of(rank, 20)
    E, outside = one_sided(P, R), torch.eye(20) - P @ P.T
    vectors, values, _ = torch.linalg.svd(outside @ R)
    kept = len(E.energies)
    assert kept == min(rank, 14)
    torch.testing.assert_close(E.energies, values[:kept])
    torch.testing.assert_close((E.vectors.T @ vectors[:, :kept]).abs(), torch.eye(kept), rtol=0, atol=1e-6)
    assert E.total - E.held == pytest.approx(float(values.sum()))
    assert (E.vectors.T @ P).abs().max() < 1e-12
    assert E.held < residual(P, R).held


def test_the_published_measure_takes_more_directions():
    P, R = torch.zeros(20, 0), correlation_of(10, 20)
    assert new_directions(P, R, 0.9, one_sided).shape == new_directions(P, R, 0.9).shape  # nothing protected: the same
    counts = []
    for _ in range(20):  # never fewer, since its values are larger one by one
        P = protect(torch.zeros(20, 0), R, 0.9)
        new = R + 0.3 * correlation_of(20, 20)
        counts.append([new_directions(P, new, 0.98, measure).shape[1] for measure in (residual, one_sided)])
        assert counts[-1][0] <= counts[-1][1]
    assert any(two < one for two, one in counts)


def test_small_layers_may_learn_all_that_is_left():
    P, R = orthonormal(20, 6), correlation_of(20, 20)
    U = learnable(P, R, 0.5, small=20)
    assert U.shape == (20, 14)
    assert (U.T @ P).abs().max() < 1e-12
    assert learnable(P, R, 0.5, small=19).shape[1] < 14
    assert learnable(P, correlation_of(4, 20), 0.5, small=20).shape == (20, 4)  # of what R has


def test_nothing_is_learnable_where_nothing_is_left():
    R = correlation_of(4, 20)
    P = protect(torch.zeros(20, 0), R, 1.0)
    assert P.shape == (20, 4)
    assert learnable(P, R, 0.99).shape == (20, 0)
    assert protect(P, R, 1.0).shape == (20, 4)
    assert learnable(orthonormal(5, 5), correlation_of(5, 5), 1.0).shape == (5, 0)


def test_one_direction_is_learnable_while_anything_is_left():
    R = torch.diag(torch.tensor([100.0, 1.0, 0.5]))
    U = learnable(torch.eye(3)[:, :1], R, 0.5)
    torch.testing.assert_close(U.abs(), torch.eye(3)[:, 1:2])
