"""The tensor tools against tensorly, an independent library, and against the definitions."""

import pytest
import tensorly
import torch
from tensorly.tenalg import mode_dot, multi_mode_dot  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor

from workbench.compression import tucker
from workbench.compression.tucker import (
    Bases,
    expand,
    fold,
    last_two,
    mode_correlation,
    mode_product,
    project,
    rank_for_energy,
    relative_error,
    spectrum,
    tucker_elements,
    unfold,
)


def random_tensor(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def orthonormal(size: int, rank: int) -> Tensor:
    return torch.linalg.qr(random_tensor(size, rank)).Q


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_unfold_fold_and_mode_product_agree_with_tensorly(mode: int):
    x = random_tensor(3, 4, 5, 2)
    matrix = random_tensor(6, x.shape[mode])
    assert torch.equal(unfold(x, mode), torch.from_numpy(tensorly.unfold(x.numpy(), mode)))
    assert torch.equal(fold(unfold(x, mode), mode, x.shape), x)
    expected = mode_dot(x.numpy(), matrix.numpy(), mode)
    torch.testing.assert_close(mode_product(x, matrix, mode), torch.from_numpy(expected), rtol=0, atol=1e-13)


def test_mode_product_of_a_transposed_view():
    x = random_tensor(3, 4, 5).transpose(0, 2)
    expected = mode_dot(x.numpy(), random_tensor(2, 4).numpy(), 1)
    torch.testing.assert_close(mode_product(x, random_tensor(2, 4), 1), torch.from_numpy(expected))


def test_project_and_expand_agree_with_tensorly():
    x = random_tensor(3, 4, 5)
    bases = [orthonormal(n, r) for n, r in zip(x.shape, (2, 3, 1), strict=True)]
    numpy_bases = [b.numpy() for b in bases]
    core = multi_mode_dot(x.numpy(), numpy_bases, transpose=True)
    torch.testing.assert_close(project(x, bases), torch.from_numpy(core))
    whole = tensorly.tucker_to_tensor((core, numpy_bases))
    torch.testing.assert_close(expand(project(x, bases), bases), torch.from_numpy(whole))


def test_projection_is_idempotent_and_splits_the_energy():
    x = random_tensor(3, 4, 5)
    bases: Bases = (None, orthonormal(4, 2), orthonormal(5, 3))
    core = project(x, bases)
    x_hat = expand(core, bases)
    torch.testing.assert_close(expand(project(x_hat, bases), bases), x_hat)
    assert float(x.square().sum()) == pytest.approx(float(core.square().sum() + (x - x_hat).square().sum()))


@pytest.mark.parametrize("rows", [0, 1, 127, 128, 129, 300])
def test_gram_is_the_product_with_the_transpose(rows: int):
    X = random_tensor(rows, 7)
    torch.testing.assert_close(tucker.gram(X), X @ X.T)


def test_spectrum_holds_the_squared_singular_values():
    x = random_tensor(3, 4, 5)
    energies, vectors = spectrum(mode_correlation(x, 1))
    torch.testing.assert_close(energies, torch.linalg.svdvals(unfold(x, 1)).square())
    torch.testing.assert_close(vectors.T @ vectors, torch.eye(4, dtype=torch.float64))


@pytest.mark.parametrize(
    ("energies", "energy", "rank"),
    [
        ([7.0, 2.0, 1.0], 0.5, 1),
        ([7.0, 2.0, 1.0], 0.75, 2),
        ([8.0, 2.0], 0.8, 2),  # a tie keeps one more
        ([8.0, 2.0], 0.0, 1),
        ([8.0, 2.0, 0.0], 1.0, 3),
        ([0.0, 0.0], 0.7, 0),
    ],
)
def test_rank_for_energy(energies: list[float], energy: float, rank: int):
    assert rank_for_energy(torch.tensor(energies), energy) == rank


def test_relative_error_of_zero_tensors():
    assert relative_error(torch.zeros(2), torch.zeros(2)) == 0.0
    assert relative_error(torch.zeros(2), torch.ones(2)) == 1.0
    assert relative_error(torch.tensor([3.0, 4.0]), torch.tensor([3.0, 0.0])) == pytest.approx(0.8)


def test_elements_are_those_of_core_and_bases():
    assert tucker_elements((8, 16, 7, 7), (None, 3, 2, 1)) == 8 * 3 * 2 * 1 + 16 * 3 + 7 * 2 + 7


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: unfold(x, 3), "modes 0 to 1, got mode 3"),
        (lambda x: fold(x, 1, (2, 5)), r"\(2, 3\) is no unfolding along mode 1"),
        (lambda x: mode_product(x, torch.ones(4, 4, dtype=x.dtype), 1), "give a matrix with 3 columns"),
        (lambda x: project(x, [None]), "takes 2 bases"),
        (lambda x: rank_for_energy(x[0], 70.0), "must lie in"),
    ],
)
def test_bad_input_is_named(call, message: str):
    with pytest.raises(ValueError, match=message):
        call(random_tensor(2, 3))


def test_errors_of_small_tensors_are_relative_too():
    x = torch.tensor([0.3, -0.4])
    assert tucker.relative_error(x, x / 2) == pytest.approx(0.5)
    assert tucker.relative_error(torch.zeros(2), x) == 1.0


@pytest.mark.parametrize("shape", [(5, 8, 8), (2, 3, 7, 5), (2, 20, 20), (8, 8)])
def test_the_last_two_modes_at_once_are_one_after_the_other(shape):
    """Small maps by a Kronecker product, large ones mode by mode."""
    x = torch.randn(shape, dtype=torch.float64)
    rows, columns = torch.randn(3, shape[-2]).double(), torch.randn(shape[-1], 4).double().T
    expected = torch.einsum("...hw,ph,qw->...pq", x, rows, columns)
    torch.testing.assert_close(last_two(x, rows, columns), expected)
