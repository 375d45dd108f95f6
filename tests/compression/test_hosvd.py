"""HOSVD against tensorly and its error bound; subspace iteration against the SVD."""

import tensorly
import torch
from tensorly.decomposition import tucker as tensorly_tucker
from torch import Tensor

from workbench.compression.hosvd import by_correlation, by_svd, hosvd, subspace_step
from workbench.compression.tucker import expand, rank_for_energy, relative_error, unfold


def decaying_tensor() -> Tensor:
    """Random, with singular values that fall, so that truncation has something to cut."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 5, 4, 7, generator=generator, dtype=torch.float64)
    for mode, n in enumerate(x.shape):
        scale = 0.6 ** torch.arange(n, dtype=torch.float64)
        x = x * scale.view([-1 if i == mode else 1 for i in range(4)])
    return x


def test_full_rank_is_exact():
    x = decaying_tensor()
    assert relative_error(x, expand(*hosvd(x))) < 1e-14


def test_both_routes_give_the_same_tensor():
    x = decaying_tensor()
    fast, slow = (expand(*hosvd(x, 0.9, left_vectors=route)) for route in (by_correlation, by_svd))
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-10)


def test_truncation_agrees_with_tensorly():
    x = decaying_tensor()
    ours = hosvd(x, 0.9)
    theirs = tensorly_tucker(x.numpy(), rank=list(ours.core.shape), n_iter_max=0, init="svd")
    torch.testing.assert_close(expand(*ours), torch.from_numpy(tensorly.tucker_to_tensor(theirs)))


def test_ranks_bases_and_error_bound():
    x = decaying_tensor()
    core, bases = hosvd(x, 0.8)
    lost = 0.0
    for mode, U in enumerate(bases):
        assert U is not None
        energies = torch.linalg.svdvals(unfold(x, mode)).square()
        r = rank_for_energy(energies, 0.8)
        assert U.shape == (x.shape[mode], r)
        torch.testing.assert_close(U.T @ U, torch.eye(r, dtype=torch.float64))
        lost += float(energies[r:].sum() / energies.sum())
    error = relative_error(x, expand(core, bases))
    assert error <= lost**0.5 <= (4 * 0.2) ** 0.5


def test_one_minus_energy_alone_is_no_bound():
    x = torch.randn(6, 6, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert relative_error(x, expand(*hosvd(x, 0.7))) > 0.3**0.5


def test_modes_left_whole_and_a_zero_tensor():
    x = decaying_tensor()
    core, bases = hosvd(x, 0.7, modes=[1])
    assert [basis is None for basis in bases] == [True, False, True, True]
    assert core.shape == (6, bases[1].shape[1], 4, 7)  # pyright: ignore[reportOptionalMemberAccess]
    assert hosvd(torch.zeros(3, 2)).core.shape == (1, 1)


def test_bases_do_not_keep_the_whole_matrix_alive():
    for route in (by_correlation, by_svd):
        for basis in hosvd(decaying_tensor(), 0.5, left_vectors=route).bases:
            assert basis is not None
            assert basis.untyped_storage().nbytes() == basis.numel() * 8


def test_there_are_as_many_vectors_as_energies():
    x = torch.randn(5, 2, 1, dtype=torch.float64)
    energies, U = by_svd(x, 0)
    assert len(energies) == 2
    assert U.shape == (5, 2)


def test_subspace_iteration_converges_to_the_leading_vectors():
    x = decaying_tensor()
    _, U = by_svd(x, 1)
    basis = torch.linalg.qr(torch.randn(5, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).Q
    for _ in range(60):
        basis = subspace_step(x, basis, 1)
    torch.testing.assert_close(basis @ basis.T, U[:, :2] @ U[:, :2].T)
    torch.testing.assert_close(basis.T @ basis, torch.eye(2, dtype=torch.float64))
