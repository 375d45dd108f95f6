"""Conceptors, subspaces, accuracies, streams and tensor decompositions, fuzzed against their laws."""

import math

import numpy as np
import torch
from fuzzed import FLOATS, Refused, anything, close, filled, fuzz, mostly, outcome, shares, tensors, texts
from hypothesis import assume, example
from hypothesis import strategies as st

from workbench.compression import tucker
from workbench.compression.hosvd import by_correlation, by_svd, hosvd, subspace_step
from workbench.compression.lance import linear_weight_gradient
from workbench.continual import conceptors as logic
from workbench.continual import metrics
from workbench.continual.streams import Task, image_task, permuted_pixels, split_classes
from workbench.continual.subspaces import (
    complement,
    learnable,
    new_directions,
    one_sided,
    orthonormal,
    protect,
    residual,
)

sample_sets = tensors(2, 2, 5, kinds=FLOATS, fills=["normal", "spikes", "ones", "zeros", "edges", "bad"])
normal_sets = st.builds(
    lambda d, n, seed, kind: filled((d, n), kind, seed=seed),
    st.just(4),
    st.integers(1, 6),
    st.integers(0, 99),
    st.sampled_from(FLOATS),
)
apertures = mostly(st.floats(0.1, 20.0) | st.just(math.inf))


# 15 ms an example.
@fuzz(ci=200, samples=mostly(normal_sets, sample_sets), aperture=apertures, gamma=apertures)
@example(samples=torch.ones(0, 3), aperture=1.0, gamma=1.0)
@example(samples=torch.full((2, 2), math.nan), aperture=1.0, gamma=1.0)
@example(samples=torch.full((2, 2), 1e308, dtype=torch.float64), aperture=1.0, gamma=1.0)
@example(samples=torch.ones(2, 2), aperture=5e-324, gamma=1.0)
@example(samples=torch.tensor([[1e308, 1.0], [1.0, 1e-45]], dtype=torch.float64), aperture=1.0, gamma=1.0)
@example(samples=torch.ones(2, 2), aperture=True, gamma="1")
def test_conceptors(samples, aperture, gamma):
    """C = R (R + α⁻² I)⁻¹ written out; NOT twice, capacity, and apertures that multiply."""
    r = outcome(logic.correlation, samples, words="samples|sample|shape")
    if isinstance(r, Refused):
        return
    c = outcome(logic.conceptor, r, aperture, words="aperture")
    if isinstance(c, Refused):
        return
    assert bool(((c.values > 0) & (c.values <= 1)).all())
    assert 0 <= logic.capacity(c) <= 1 + 1e-9
    C, d = logic.dense(c), len(samples)
    X = samples.double()
    if 0.1 <= aperture < 100 and bool(X.abs().lt(1e3).all()):
        R = X @ X.T / X.shape[1]
        expected = R @ torch.linalg.inv(R + aperture**-2 * torch.eye(d, dtype=torch.float64))
        assert torch.allclose(C, expected, atol=1e-5)
    assert torch.allclose(logic.dense(logic.negation(c)), torch.eye(d, dtype=torch.float64) - C, atol=1e-9)
    adapted = outcome(logic.adapt, c, gamma, words="gamma")
    if not isinstance(adapted, Refused):
        assert bool(((adapted.values >= 0) & (adapted.values <= 1)).all())
        if 0.1 < gamma < 30 and 0.1 < aperture < 30:
            assert torch.allclose(adapted.values, logic.conceptor(r, aperture * gamma).values, atol=1e-9)
    assert torch.allclose(logic.dense(logic.from_dense(C)), C, atol=1e-6)


# Some ten small decompositions, 15 ms an example.
@fuzz(ci=120, a=normal_sets, b=mostly(normal_sets, sample_sets), aperture=st.floats(0.2, 10.0))
def test_conceptor_logic(a, b, aperture):
    """OR of conceptors is the conceptor of both sets, AND by de Morgan, both symmetric and within bounds."""
    assume(bool(b.isfinite().all()) and bool(b.abs().lt(100).all()) and b.numel())
    ra, rb = logic.correlation(a), logic.correlation(b)
    c, e = logic.conceptor(ra, aperture), logic.conceptor(rb, aperture)
    either = outcome(logic.disjunction, c, e, words="space")
    both = outcome(logic.conjunction, c, e, words="space")
    alike = outcome(logic.similarity, c, e, words="space")
    assert isinstance(either, Refused) == isinstance(both, Refused) == isinstance(alike, Refused) == (len(a) != len(b))
    if isinstance(either, Refused):
        return
    R = logic.dense(ra).double() + logic.dense(rb).double()
    expected = R @ torch.linalg.inv(R + aperture**-2 * torch.eye(len(a), dtype=torch.float64))
    assert torch.allclose(logic.dense(either), expected, atol=1e-4)
    assert torch.allclose(logic.dense(logic.disjunction(e, c)), logic.dense(either), atol=1e-6)
    assert -1e-9 <= alike <= 1 + 1e-9
    values = torch.linalg.eigvalsh(logic.dense(both))
    assert bool(((values > -1e-6) & (values < 1 + 1e-6)).all())
    smaller = torch.linalg.eigvalsh(logic.dense(c).double() - logic.dense(both))
    assert float(smaller.min()) > -1e-4
    rows = torch.eye(len(a), dtype=c.vectors.dtype)
    away = rows.double() - logic.dense(c).double()
    assert torch.allclose(logic.outside(rows, c).double(), away, atol=1e-4)
    assert torch.allclose(logic.projection(c)(rows).double(), away, atol=1e-4)


@fuzz(matrix=tensors(0, 3, 4, kinds=FLOATS))
@example(matrix=torch.full((2, 2), math.nan))
@example(matrix=torch.ones(2, 3))
@example(matrix=torch.ones(0, 0))
def test_conceptors_from_matrices(matrix):
    c = outcome(logic.from_dense, matrix, words="conceptor|matrix")
    assert isinstance(c, Refused) or torch.allclose(logic.dense(c), matrix.double(), atol=1e-5)


@fuzz(
    d=st.integers(1, 6),
    k=st.integers(0, 6),
    n=st.integers(1, 8),
    seed=st.integers(0, 99),
    energy=mostly(shares, st.sampled_from([-0.1, 1.1, math.nan, None, "1"])),
    kind=st.sampled_from(FLOATS),
)
@example(d=2, k=1, n=2, seed=0, energy=None, kind=torch.float64)
def test_subspaces(d, k, n, seed, energy, kind):
    """Orthogonal to what is protected, and P with them holds the share that was asked for."""
    k = min(k, d)
    P = orthonormal(filled((d, k), seed=seed)).to(kind)
    X = filled((d, n), seed=seed + 1)
    R = X @ X.T
    assert torch.allclose(complement(P).T @ P.double(), torch.zeros(d - k, k, dtype=torch.float64), atol=1e-6)
    for measure in (residual, one_sided):
        U = outcome(new_directions, P, R, energy, measure, words="energy")
        if isinstance(U, Refused):
            continue
        assert torch.allclose(U.T @ U, torch.eye(U.shape[1], dtype=torch.float64), atol=1e-9)
        assert torch.allclose(U.T @ P.double(), torch.zeros(U.shape[1], k, dtype=torch.float64), atol=1e-6)
        grown = protect(P, R, energy, measure)
        assert grown.shape == (d, k + U.shape[1])
        assert learnable(P, R, energy, measure).shape[1] >= min(U.shape[1], 1)
        if measure is residual and energy < 1 and k + n >= d:
            held = float(torch.trace(grown.T @ R @ grown))
            assert held >= (energy - 1e-6) * float(R.trace())


accuracies = st.floats(0, 1) | st.sampled_from([0.0, 1.0])
wrong_accuracies = st.sampled_from([-0.1, 1.1, math.nan, math.inf])


@fuzz(
    tasks=st.integers(0, 4),
    wide=mostly(st.just(0), st.integers(1, 2)),
    values=st.lists(mostly(accuracies, accuracies | wrong_accuracies), min_size=24, max_size=24),
    baselines=mostly(st.just(0), st.integers(-1, 1)),
    kind=st.sampled_from(FLOATS),
    flat=mostly(st.just(False), st.just(True)),
)
@example(tasks=2, wide=1, values=[0.5] * 24, baselines=0, kind=torch.float64, flat=False)
@example(tasks=2, wide=0, values=[0.0, math.nan] + [0.0] * 22, baselines=0, kind=torch.float64, flat=False)
@example(tasks=2, wide=0, values=[0.5] * 24, baselines=0, kind=torch.float64, flat=True)
@example(tasks=2, wide=0, values=[0.5, math.nan] * 12, baselines=0, kind=torch.float64, flat=False)
def test_metrics(tasks, wide, values, baselines, kind, flat):
    A = torch.tensor(values[: tasks * (tasks + wide)], dtype=kind).reshape(tasks, tasks + wide)
    A = A.flatten() if flat else A
    untrained = torch.full((max(tasks + baselines, 0),), 0.1)
    words = "accuracy|accuracies|untrained|stream|tasks"
    found = {
        "acc": outcome(metrics.average_accuracy, A, words=words),
        "bwt": outcome(metrics.backward_transfer, A, words=words),
        "f": outcome(metrics.forgetting, A, words=words),
        "fwt": outcome(metrics.forward_transfer, A, untrained, words=words),
        "gain": outcome(metrics.gain_over, A, A, words=words),
    }
    for value in found.values():
        assert isinstance(value, Refused) or -1 <= value <= 1
    if isinstance(found["acc"], Refused):
        return
    assert not flat
    assert not wide
    a = A.double().numpy()
    assert math.isclose(found["acc"], a[-1].mean(), abs_tol=1e-6)
    if tasks > 1:
        assert math.isclose(found["bwt"], np.mean([a[-1, i] - a[i, i] for i in range(tasks - 1)]), abs_tol=1e-6)
        worst = [max(a[t, i] for t in range(i, tasks - 1)) - a[-1, i] for i in range(tasks - 1)]
        assert math.isclose(found["f"], np.mean(worst), abs_tol=1e-6)
    assert found["gain"] == 0.0


whole = mostly(st.integers(1, 5), st.sampled_from([0, -1, 1.5, "2", None, True]))


@fuzz(
    n_tasks=whole,
    labels=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    order=mostly(st.none() | st.permutations(range(4)), st.lists(st.integers(-1, 4), max_size=4)),
    name=texts,
    seed=st.integers(0, 9),
)
@example(n_tasks=None, labels=[0], order=None, name="", seed=0)
@example(n_tasks=2.0, labels=[0], order=None, name="", seed=0)
@example(n_tasks=1.5, labels=[0], order=None, name="", seed=0)
def test_streams(n_tasks, labels, order, name, seed):
    y = torch.tensor(labels)
    x = torch.arange(len(y) * 4.0).reshape(len(y), 1, 2, 2)
    base = Task(name, x, y, x, y, 4)
    tasks = outcome(permuted_pixels, base, n_tasks, seed, words="n_tasks|task")
    if not isinstance(tasks, Refused):
        assert len(tasks) == n_tasks
        for task in tasks:
            assert torch.equal(task.train_x.flatten(1).sort(1).values, x.flatten(1))
        assert torch.equal(tasks[0].train_x, x)
    parts = outcome(split_classes, base, n_tasks, order, words="n_tasks|order|classes")
    if not isinstance(parts, Refused):
        assert sum(len(part.train_y) for part in parts) == len(y)
        for part in parts:
            assert bool((part.train_y < part.classes).all())


@fuzz(
    shape=st.lists(st.integers(0, 3), min_size=1, max_size=5),
    labels=st.lists(st.integers(-1, 3), max_size=4),
    more=st.integers(0, 2),
)
@example(shape=[1, 2, 2], labels=[-1], more=1)
@example(shape=[1, 0, 2], labels=[0], more=1)
@example(shape=[1, 2, 2], labels=[1], more=0)
@example(shape=[1, 1, 1], labels=[0], more=1)
def test_image_tasks(shape, labels, more):
    train, test = np.ones(shape, np.uint8), np.zeros((more, *shape[1:]), np.uint8)
    words = "images|labels|image"
    task = outcome(image_task, "a", train, np.array(labels, np.int64), test, np.zeros(more, np.int64), words=words)
    if not isinstance(task, Refused):
        assert bool(task.train_x.isfinite().all())
        assert int(task.train_y.min()) >= 0
        assert int(task.train_y.max()) < task.classes


# --- tensors --------------------------------------------------------------------------------------------------------

tensor_sets = tensors(0, 4, 4, kinds=FLOATS, fills=["normal", "spikes", "zeros", "ones", "bad"])
modes = mostly(st.integers(0, 3), st.sampled_from([-1, 4, 99, 1.5, None]))


@fuzz(x=tensor_sets, mode=modes, rows=st.integers(0, 3), columns=mostly(st.none(), st.integers(0, 4)))
@example(x=torch.ones(2), mode=1.5, rows=1, columns=None)
@example(x=torch.ones(2, 0), mode=0, rows=1, columns=None)
@example(x=torch.tensor([-1e308, 1.0], dtype=torch.float64), mode=0, rows=0, columns=None)
def test_unfolding(x, mode, rows, columns):
    matrix = outcome(tucker.unfold, x, mode, words="mode")
    if isinstance(matrix, Refused):
        return
    folded = tucker.fold(matrix, mode, x.shape)
    assert close(folded.nan_to_num(), x.nan_to_num(), 0)
    M = filled((rows, x.shape[mode] if columns is None else columns), x.dtype)
    product = outcome(tucker.mode_product, x, M, mode, words="mode")
    if not isinstance(product, Refused) and bool(x.isfinite().all()):
        expected = M @ matrix
        if bool(expected.isfinite().all() & product.isfinite().all()):  # near the largest number a sum may overflow
            assert close(tucker.unfold(product, mode), expected, 1e3)
        R = outcome(tucker.mode_correlation, x, mode, words="x holds")
        if not isinstance(R, Refused):
            assert close(R, matrix.double() @ matrix.double().T, 1e3)


@fuzz(
    energies=st.lists(st.floats(0, 100), max_size=6),
    energy=mostly(shares, anything),
    shape=st.lists(st.integers(0, 5), max_size=4),
)
@example(energies=[1.0], energy=None, shape=[])
@example(energies=[1.0], energy=True, shape=[])
def test_ranks(energies, energy, shape):
    e = torch.tensor(sorted(energies, reverse=True), dtype=torch.float64)
    rank = outcome(tucker.rank_for_energy, e, energy, words="energy")
    if not isinstance(rank, Refused):
        assert 0 <= rank <= len(e)
        total = float(e.sum())
        assert rank == len(e) or total == 0 or float(e[:rank].sum()) > energy * total * (1 - 1e-12)
        assert rank == 0 or energy == 1 or float(e[: rank - 1].sum()) <= energy * total * (1 + 1e-12)
    assert tucker.tucker_elements(shape, [None] * len(shape)) == math.prod(shape)


@fuzz(
    x=tensor_sets,
    energy=mostly(shares, anything),
    chosen=mostly(st.none() | st.lists(st.integers(0, 3), max_size=3), st.lists(st.integers(-1, 9), max_size=3)),
    how=st.sampled_from([by_svd, by_correlation]),
)
@example(x=torch.full((2, 2), math.nan), energy=0.5, chosen=None, how=by_svd)
@example(x=torch.full((2, 2), math.inf), energy=0.5, chosen=None, how=by_correlation)
@example(x=torch.ones(()), energy=None, chosen=None, how=by_svd)
@example(x=torch.ones(2, 0), energy=0.5, chosen=None, how=by_svd)
@example(x=torch.ones(2, 2), energy=0.5, chosen=[5], how=by_svd)
def test_hosvd(x, energy, chosen, how):
    """‖X‖² = ‖S‖² + ‖X − X̂‖², and what is lost of X is within its bound."""
    found = outcome(hosvd, x, energy, chosen, how, words=r"energy|mode|\bx\b")
    if isinstance(found, Refused):
        return
    back = tucker.expand(found.core, found.bases)
    assert back.shape == x.shape
    assert bool(back.isfinite().all())
    total, left = float(x.double().square().sum()), float((x - back).double().square().sum())
    assert math.isclose(total, float(found.core.double().square().sum()) + left, abs_tol=1e-4 * max(total, 1.0))
    cut = sum(basis is not None for basis in found.bases)
    assert left <= (sum([1 - energy] * cut) + 1e-4) * max(total, 1e-9) + 1e-9
    if cut and x.numel() and found.bases[0] is not None:
        Q = subspace_step(x, found.bases[0], 0)
        assert Q.shape == found.bases[0].shape


@fuzz(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4)),
    out=st.integers(1, 3),
    energy=shares,
    kind=st.sampled_from(FLOATS),
    seed=st.integers(0, 99),
)
def test_lance_gradient(shape, out, energy, kind, seed):
    """From core and bases the gradient is that of the projected input."""
    x, g = filled(shape, kind, seed=seed), filled((*shape[:2], out), kind, seed=seed + 1)
    core, bases = hosvd(x, energy)
    grad = linear_weight_gradient(core, bases, g)
    back = tucker.expand(core, bases)
    assert close(grad, torch.einsum("abo,abi->oi", g, back), 1e4)
