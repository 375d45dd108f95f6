"""Subspaces that grow from task to task, against eigenvectors."""

import pytest
import torch
from torch import Tensor

from workbench.compression.tucker import spectrum
from workbench.continual.subspaces import learnable, new_directions, protect, residual

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
