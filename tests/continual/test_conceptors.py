"""Conceptors against dense formulas with explicit inverses, extended precision, laws of logic and published numbers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.continual.conceptors import (
    Conceptor,
    adapt,
    capacity,
    conceptor,
    conjunction,
    correlation,
    cut,
    dense,
    disjunction,
    empty,
    from_dense,
    intersection,
    negation,
    outside,
    projection,
    similarity,
)

SIZES = [2, 3, 7, 24, 96]
EXACT = 1e-12


def random_conceptor(d, k, seed, low=0.02, high=0.98):
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(d, k, dtype=torch.float64, generator=generator)).Q
    return Conceptor(basis, low + (high - low) * torch.rand(k, dtype=torch.float64, generator=generator))


def identity(d):
    return Conceptor(torch.eye(d, dtype=torch.float64), torch.ones(d, dtype=torch.float64))


def projector(columns):
    basis = torch.linalg.qr(columns).Q
    return Conceptor(basis, torch.ones(basis.shape[1], dtype=torch.float64))


def close(a, b, tolerance=EXACT):
    a, b = (dense(c) if isinstance(c, Conceptor) else torch.as_tensor(c) for c in (a, b))
    assert float((a - b).abs().max()) <= tolerance


def dense_and(C, B):
    inverse = np.linalg.inv
    return inverse(inverse(C) + inverse(B) - np.eye(len(C)))


def dense_or(C, B):
    identity = np.eye(len(C))
    return identity - dense_and(identity - C, identity - B)


@pytest.mark.parametrize("d", SIZES)
def test_and_or_not_equal_the_formulas_with_inverses(d):
    c, b = random_conceptor(d, d, 1), random_conceptor(d, d, 2)
    C, B = dense(c).numpy(), dense(b).numpy()
    close(conjunction(c, b), dense_and(C, B))
    close(disjunction(c, b), dense_or(C, B))
    close(negation(c), np.eye(d) - C)


@pytest.mark.parametrize("ranks", [(1, 1), (3, 5), (12, 12), (20, 9)])
def test_laws_of_logic(ranks):
    d = 24
    a, b, c = random_conceptor(d, ranks[0], 1), random_conceptor(d, ranks[1], 2), random_conceptor(d, ranks[0], 3)
    close(negation(negation(a)), a)
    close(negation(conjunction(a, b)), disjunction(negation(a), negation(b)))
    close(negation(disjunction(a, b)), conjunction(negation(a), negation(b)))
    for both in (conjunction, disjunction):
        close(both(a, b), both(b, a))
        close(both(both(a, b), c), both(a, both(b, c)))
    close(disjunction(disjunction(a, b), c), disjunction(a, b, c))
    close(conjunction(a, identity(d)), a)
    close(disjunction(a, empty(d)), a)
    close(disjunction(a, identity(d)), identity(d))
    assert len(conjunction(a, empty(d)).values) == 0


@pytest.mark.parametrize("d", SIZES)
def test_a_conceptor_joined_with_itself(d):
    c = random_conceptor(d, d, 4)
    C = dense(c).numpy()
    close(conjunction(c, c), C @ np.linalg.inv(2 * np.eye(d) - C))
    close(disjunction(c, c), 2 * C @ np.linalg.inv(np.eye(d) + C))


@pytest.mark.parametrize(("d", "n"), [(2, 1), (6, 40), (30, 12), (30, 30), (80, 200)])
@pytest.mark.parametrize("aperture", [0.3, 1.0, 6.0])
def test_conceptor_minimises_its_objective_and_or_adds_correlations(d, n, aperture):
    generator = torch.Generator().manual_seed(d + n)
    X, Y = (torch.randn(d, n, dtype=torch.float64, generator=generator) for _ in range(2))
    R, S = (Z.numpy() @ Z.numpy().T / n for Z in (X, Y))
    ridge = np.eye(d) / aperture**2
    c, b = conceptor(correlation(X), aperture), conceptor(correlation(Y), aperture)
    close(c, R @ np.linalg.inv(R + ridge))
    close(disjunction(c, b), (R + S) @ np.linalg.inv(R + S + ridge))
    C = dense(c).requires_grad_()
    objective = (X - C @ X).square().sum() / n + C.square().sum() / aperture**2
    assert float(torch.autograd.grad(objective, C)[0].abs().max()) < 1e-11


def test_not_inverts_correlation_and_aperture():
    X = torch.randn(9, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    R = X @ X.T / 50
    S = torch.linalg.inv(R)
    inverse_data = torch.linalg.cholesky(S) * 3.0  # nine columns with correlation R⁻¹
    close(negation(conceptor(correlation(X), 2.5)), conceptor(correlation(inverse_data), 1 / 2.5), 1e-11)


@pytest.mark.parametrize("gamma", [0.2, 1.0, 1.1, 30.0])
def test_adaptation_multiplies_the_aperture(gamma):
    r = correlation(torch.randn(12, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(3)))
    c = conceptor(r, 2.0)
    close(adapt(c, gamma), conceptor(r, 2.0 * gamma))
    C = dense(c).numpy()
    close(adapt(c, gamma), C @ np.linalg.inv(C + (np.eye(12) - C) / gamma**2))


def test_orthogonal_data_and_the_limits_of_the_aperture():
    sigma2 = 0.7
    r = correlation(torch.eye(5, dtype=torch.float64) * math.sqrt(5 * sigma2))
    close(conceptor(r, 3.0), torch.eye(5, dtype=torch.float64) * (sigma2 / (sigma2 + 3.0**-2)))
    thin = correlation(torch.randn(10, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(5)))
    close(conceptor(thin, math.inf), thin.vectors @ thin.vectors.T)
    assert float(dense(conceptor(thin, 1e-9)).abs().max()) < 1e-15
    shares = [capacity(conceptor(thin, a)) for a in (0.1, 0.5, 1.0, 4.0, 100.0, math.inf)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.4)


def test_projectors_give_intersection_and_span():
    e = torch.eye(6, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))).Q
    p, q = projector(turn @ e[:, [0, 1, 2]]), projector(turn @ (e[:, [1, 2, 4]] @ turn[:3, :3]))
    shared, span = turn @ e[:, [1, 2]], turn @ e[:, [0, 1, 2, 4]]
    close(conjunction(p, q), shared @ shared.T)
    close(disjunction(p, q), span @ span.T)
    close(conjunction(p, p), p)
    close(disjunction(p, p), p)
    assert len(conjunction(p, negation(p)).values) == 0
    close(disjunction(p, negation(p)), identity(6))


def test_disjoint_ranges():
    c, b = random_conceptor(12, 4, 1), random_conceptor(12, 5, 2)
    assert conjunction(c, b).vectors.shape == (12, 0)
    assert intersection(c, b).shape == (12, 0)
    e = torch.eye(12, dtype=torch.float64)
    c, b = Conceptor(e[:, :3], c.values[:3]), Conceptor(e[:, 3:7], b.values[:4])
    close(disjunction(c, b), dense(c) + dense(b), 1e-15)


@pytest.mark.parametrize("other", [5, 8, 11])
def test_and_in_the_shared_subspace_only(other):
    """Ranges of 8 and of `other` dimensions in 12, three of them shared: compared with W (Wᵀ(C⁺+B⁺−I)W)⁻¹ Wᵀ."""
    basis = torch.linalg.qr(torch.randn(12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(7))).Q
    turn = torch.linalg.qr(torch.randn(8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(8))).Q
    turn_other = torch.linalg.qr(torch.randn(other, other, dtype=torch.float64)).Q
    first = 8 - max(3, 8 + other - 12)
    c = Conceptor(basis[:, :8] @ turn, random_conceptor(12, 8, 1).values)
    b = Conceptor(basis[:, first : first + other] @ turn_other, random_conceptor(12, other, 2).values)
    W = basis[:, first:8].numpy()
    inner = W.T @ (np.linalg.pinv(dense(c).numpy()) + np.linalg.pinv(dense(b).numpy()) - np.eye(12)) @ W
    close(conjunction(c, b), W @ np.linalg.inv(inner) @ W.T)


def two_by_two(angle, s1, s2):
    """A conceptor with eigenvectors turned by `angle`, in extended precision and as a Conceptor."""
    c, s = np.cos(np.longdouble(angle)), np.sin(np.longdouble(angle))
    V = np.array([[c, -s], [s, c]])
    return (V * np.array([s1, s2], np.longdouble)) @ V.T, Conceptor(
        torch.from_numpy(V.astype(float)), torch.tensor([s1, s2], dtype=torch.float64)
    )


def inverse_2x2(M):
    (a, b), (c, d) = M
    return np.array([[d, -b], [-c, a]]) / (a * d - b * c)


@pytest.mark.parametrize("angle", [0.0, 1e-3, 0.4, 1.5])
@pytest.mark.parametrize("values", [(1e-6, 0.5), (1 - 1e-6, 0.5), (1 - 1e-6, 1e-6), (1e-5, 2e-5), (1 - 1e-5, 1 - 2e-5)])
def test_nearly_singular_conceptors_in_extended_precision(angle, values):
    one = np.eye(2, dtype=np.longdouble)
    C, c = two_by_two(0.3, *values)
    B, b = two_by_two(0.3 + angle, *values)
    both = inverse_2x2(inverse_2x2(C) + inverse_2x2(B) - one)
    either = one - inverse_2x2(inverse_2x2(one - C) + inverse_2x2(one - B) - one)
    close(conjunction(c, b), both.astype(float), 1e-11)
    close(disjunction(c, b), either.astype(float), 1e-11)


def test_directions_that_nearly_coincide():
    for angle in (1e-2, 1e-4):
        a, b = (torch.tensor([[math.cos(t)], [math.sin(t)], [0.0]], dtype=torch.float64) for t in (0.0, angle))
        plane = disjunction(projector(a), projector(b))
        close(plane, torch.diag(torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)), 1e-10)
    assert len(disjunction(projector(a), projector(a.clone())).values) == 1


@pytest.mark.parametrize("d", [1152, 4608])
def test_large_spaces_hold_the_same_small_logic(d):
    small_c, small_b = random_conceptor(16, 7, 1), random_conceptor(16, 12, 2)
    Q = torch.linalg.qr(torch.randn(d, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))).Q
    c, b = (Conceptor(Q @ s.vectors, s.values) for s in (small_c, small_b))
    for both in (conjunction, disjunction):
        large, small = both(c, b), both(small_c, small_b)
        inside = Q.T @ large.vectors
        close(Conceptor(inside, large.values), small)
        assert float((large.vectors - Q @ inside).abs().max()) < EXACT  # nothing outside
        assert float((large.vectors.T @ large.vectors - torch.eye(len(large.values))).abs().max()) < EXACT
    assert capacity(c) == pytest.approx(capacity(small_c) * 16 / d)


def test_unseen_directions_stay_exactly_zero():
    samples = torch.zeros(50, 300)
    samples[:4] = torch.randn(4, 300, generator=torch.Generator().manual_seed(0))
    turn = torch.linalg.qr(torch.randn(50, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(1))).Q
    for data in (turn @ samples.double(), turn @ samples[:, :20].double()):  # zero but for rounding errors
        assert len(correlation(data).values) == 4
    for data in (samples, samples[:, :20]):
        c = conceptor(correlation(data), 4.0)
        for _ in range(500):
            c = adapt(c, 1.1)
        c = disjunction(c, c)
        assert len(c.values) == 4
        assert float(c.vectors[4:].abs().max()) == 0.0
    assert len(conceptor(correlation(torch.zeros(5, 8)), 1.0).values) == 0


def test_similarity():
    c, b = random_conceptor(20, 6, 1), random_conceptor(20, 9, 2)
    C, B = dense(c), dense(b)
    assert similarity(c, b) == pytest.approx(float((C * B).sum() / (C.norm() * B.norm())), abs=EXACT)
    assert similarity(c, c) == pytest.approx(1.0)
    assert similarity(c, Conceptor(negation(projector(c.vectors)).vectors, torch.ones(14).double())) < 1e-14
    assert similarity(c, empty(20)) == 0.0


@pytest.mark.parametrize("k", [0, 3, 9, 10, 20])
def test_rows_outside_a_conceptor(k):
    c, G = random_conceptor(20, k, 1), torch.randn(4, 20, dtype=torch.float64)
    expected = G @ (torch.eye(20, dtype=torch.float64) - dense(c))
    torch.testing.assert_close(outside(G, c), expected, rtol=0, atol=EXACT)
    torch.testing.assert_close(projection(c)(G), expected, rtol=0, atol=EXACT)
    share = outside(G, c) @ c.vectors  # along an eigenvector the share 1 − s is left
    torch.testing.assert_close(share, (1 - c.values) * (G @ c.vectors), rtol=0, atol=EXACT)


@pytest.mark.parametrize("d", [3, 27, 96])
def test_stored_in_float32_a_conceptor_means_the_same(d):
    """What a layer of float32 stores is orthonormal to 1e-7 only; no law may ask it for more."""
    for ranks in ((d, d), (d, d // 2), (d // 3, d)):
        c, b = (random_conceptor(d, k, i) for i, k in enumerate(ranks))
        stored = [Conceptor(x.vectors.float(), x.values.float()) for x in (c, b)]
        both = conjunction(*stored)
        assert both.vectors.shape == conjunction(c, b).vectors.shape == (d, min(ranks))
        assert capacity(both) == pytest.approx(capacity(conjunction(c, b)), rel=1e-5)
        close(both, conjunction(c, b), 1e-5)
        close(disjunction(*stored), disjunction(c, b), 1e-5)
        close(negation(stored[0]), negation(c), 1e-6)
        assert similarity(*stored) == pytest.approx(similarity(c, b), rel=1e-6)
        for law in (both, disjunction(*stored), negation(stored[1])):
            V = law.vectors
            torch.testing.assert_close(V.T @ V, torch.eye(V.shape[1]).double(), rtol=0, atol=1e-12)
        close(negation(negation(stored[0])), Conceptor(*(x.double() for x in stored[0])), 1e-6)
    everything = Conceptor(random_conceptor(d, d, 5).vectors.float(), torch.ones(d))
    assert len(negation(everything).values) == 0
    assert float(projection(everything)(torch.randn(4, d)).abs().max()) < 1e-14  # nothing may move
    assert conjunction(everything, stored[0]).vectors.shape == stored[0].vectors.shape


def test_rounding_errors_of_float32_inputs_are_no_directions():
    turn = torch.linalg.qr(torch.randn(60, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(2))).Q
    for n in (30, 500):
        samples = torch.randn(7, n, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
        exact = turn[:, :7] @ samples
        for inputs in (exact, exact.float(), turn[:, :7].float() @ samples.float()):
            assert len(correlation(inputs).values) == 7


def test_dense_form_there_and_back():
    c = random_conceptor(15, 6, 1)
    close(from_dense(dense(c)), c)
    assert len(from_dense(dense(c)).values) == 6
    assert cut(Conceptor(torch.eye(3), torch.tensor([0.1, 0.2, 0.9])), 0.2).values.tolist() == pytest.approx([0.2, 0.9])


def test_published_numbers(golden):
    """α⁻² is a float32 in the code that gave these numbers; 1/16 survives that, 1/36 does not."""
    data = {key: torch.from_numpy(np.asarray(value)) for key, value in golden("conceptors").items()}
    a = conceptor(correlation(data["data_a"]), float(data["aperture_a"]))
    rounded = float(np.float32(1 / 36)) ** -0.5
    b = conceptor(correlation(data["data_b"]), rounded)
    close(a, data["conceptor_a"])
    close(b, data["conceptor_b"])
    assert abs(dense(conceptor(correlation(data["data_b"]), 6.0)) - data["conceptor_b"]).max() < 1e-9
    close(disjunction(a, b), data["a_or_b"])
    close(conjunction(a, b), data["a_and_b"])
    close(negation(a), data["not_a"])
    close(adapt(a, float(data["adapted_a_gamma"])), data["adapted_a"])
    assert capacity(a) == pytest.approx(float(data["capacity_a"]), abs=EXACT)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 12), st.data())
def test_values_stay_between_zero_and_one(d, data):
    ks = data.draw(st.tuples(st.integers(0, d), st.integers(0, d)))
    values = st.floats(1e-9, 1.0, exclude_min=True)
    c, b = (
        Conceptor(
            random_conceptor(d, k, k + i).vectors,
            torch.tensor(data.draw(st.lists(values, min_size=k, max_size=k))).double(),
        )
        for i, k in enumerate(ks)
    )
    both, either = conjunction(c, b), disjunction(c, b)
    for result in (both, either):
        assert bool(((result.values >= 0) & (result.values <= 1)).all())
    C, B = dense(c), dense(b)
    for greater, smaller in ((dense(either), C), (dense(either), B), (C, dense(both)), (B, dense(both))):
        assert float(torch.linalg.eigvalsh(greater - smaller).min()) > -1e-6  # AND ≤ C, B ≤ OR


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conceptor(correlation(torch.eye(3)), 0.0), "aperture must be above 0, got 0.0"),
        (lambda: adapt(empty(3), float("nan")), "gamma must be above 0, got nan"),
        (lambda: correlation(torch.zeros(4, 0)), "at least one sample"),
        (lambda: conjunction(empty(3), empty(4)), "dimensions 3 and 4"),
        (lambda: disjunction(empty(3), empty(4)), "dimensions 3 and 4"),
        (lambda: similarity(empty(3), empty(4)), "dimensions 3 and 4"),
        (lambda: from_dense(torch.tensor([[0.0, 1.0], [0.0, 0.0]])), "symmetric"),
        (lambda: from_dense(torch.eye(2) * 3), r"lie in \[0, 1\], got 3 to 3"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_how_far_off_a_matrix_may_be():
    """A millionth, for eigenvalues beyond their ends and for what is not symmetric."""
    for off, good in ((0.9e-6, True), (1.1e-6, False)):
        above, below, tilted = torch.eye(2).double(), torch.eye(2).double(), torch.eye(2).double() / 2
        above[0, 0] += off
        below[0, 0] = -off
        tilted[0, 1] += off
        for matrix in (above, below, tilted):
            if good:
                from_dense(matrix)
            else:
                with pytest.raises(ValueError, match="conceptor"):
                    from_dense(matrix)
    assert from_dense(torch.full((1, 1), 0.5, dtype=torch.float64)).values.tolist() == [0.5]


def test_nothing_seen_yet_has_no_direction():
    assert [tuple(part.shape) for part in empty(4)] == [(4, 0), (0,)]
