"""Bases against their formulas, the golden vectors, and the numbers of classes for which the released one collapses."""

import math
import warnings
from functools import partial

import pytest
import torch
from torch.nn import functional as F

from workbench.credit import bases
from workbench.credit.bases import CloseRowsWarning


def test_waves_follow_their_formula_at_single_entries():
    for c, k in ((0, 0), (3, 1), (9, 511), (5, 2047)):
        angle = (50.0 + c * 462.0 / 9.0) * k
        assert bases.sine(10, 2048)[c, k].item() == pytest.approx(math.sin(angle), abs=1e-9)
        assert bases.cosine(10, 2048)[c, k].item() == pytest.approx(math.cos(angle), abs=1e-9)
        assert bases.square(10, 2048)[c, k].item() == (math.copysign(1.0, math.sin(angle)) if k else 0.0)
        shifted = (50.0 + c * 462.0 / 9.0) * (k + 0.5)
        assert bases.sine(10, 2048, phase=0.5)[c, k].item() == pytest.approx(math.sin(shifted), abs=1e-9)


@pytest.mark.parametrize(("wave", "name"), [(bases.sine, "lls_conv_cosine"), (bases.square, "lls_conv_square")])
def test_golden_basis_is_ours_in_single_precision(golden, wave, name):
    published = torch.tensor(golden(name)["basis"])
    assert torch.equal(wave(10, 80, dtype=torch.float32), published)
    assert (wave(10, 80) - published).abs().max() < 3e-3


def test_single_precision_would_shift_the_phase():
    assert (bases.sine(10, 2048) - bases.sine(10, 2048, dtype=torch.float32)).abs().max() > 0.05


@pytest.mark.parametrize("wave", [bases.sine, bases.square])
def test_first_latent_is_dead_and_half_a_sample_of_phase_repairs_it(wave):
    assert not wave(10, 512)[:, 0].any()
    assert wave(10, 512, phase=0.5)[:, 0].abs().min() > 0.05
    assert bases.closest_rows(wave(10, 512, phase=0.5)).cosine < 0.06


@pytest.mark.parametrize("wave", [bases.sine, bases.cosine, bases.square, bases.dct])
def test_waves_stay_within_one_and_depend_on_nothing_but_their_size(wave):
    torch.manual_seed(1)
    first = wave(10, 512)
    torch.manual_seed(2)
    assert torch.equal(first, wave(10, 512))
    assert first.dtype == torch.float64
    assert first.abs().max() <= 1.0


@pytest.mark.parametrize(("wave", "bound"), [(bases.sine, 0.011), (bases.square, 0.06), (bases.cosine, 0.02)])
@pytest.mark.parametrize("latents", [512, 1024, 2048])
def test_ten_classes_are_nearly_orthogonal(wave, bound, latents):
    assert bases.closest_rows(wave(10, latents)).cosine < bound


@pytest.mark.parametrize(("classes", "latents", "sine", "square"), [(100, 1024, 0.04, 0.20), (20, 512, 0.058, 0.127)])
def test_known_closeness_of_other_numbers_of_classes(classes, latents, sine, square):
    assert bases.closest_rows(bases.sine(classes, latents)).cosine == pytest.approx(sine, abs=0.002)
    assert bases.closest_rows(bases.square(classes, latents)).cosine == pytest.approx(square, abs=0.002)


def test_only_the_frequency_modulo_a_turn_counts():
    f = bases.released_frequencies(7)
    assert torch.allclose(bases.sine(7, 100, f), bases.sine(7, 100, bases.aliased(f)), atol=1e-9)
    assert bases.aliased(f).abs().max() <= math.pi


@pytest.mark.parametrize(
    ("wave", "classes", "pair"),
    [(bases.sine, 114, "40 and 80"), (bases.sine, 227, ""), (bases.square, 176, "12 and 131")],
)
def test_collapsing_classes_are_refused_by_name(wave, classes, pair):
    with pytest.raises(ValueError, match=rf"classes .*{pair}.* above 0.99"):
        bases.build(wave, classes, 1024)


def test_close_classes_are_warned_about():
    with pytest.warns(CloseRowsWarning, match=r"classes 11 and 19 is 0.796, above 0.5"):
        bases.build(bases.sine, 200, 512)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bases.build(bases.sine, 200, 1024)


def test_closest_rows_against_a_loop_over_all_pairs():
    basis = torch.randn(7, 30, dtype=torch.double)
    basis[5] = -basis[2] + 0.1 * basis[0]
    largest = max(
        (abs(F.cosine_similarity(basis[i], basis[j], dim=0).item()), i, j) for i in range(7) for j in range(i + 1, 7)
    )
    found = bases.closest_rows(basis)
    assert (found.first, found.second) == largest[1:] == (2, 5)
    assert found.cosine == pytest.approx(largest[0], abs=1e-12)


def test_orthonormal_rows():
    identity = torch.eye(10, dtype=torch.double)
    assert torch.allclose(bases.orthonormal(10, 64) @ bases.orthonormal(10, 64).T, identity, atol=1e-12)
    assert torch.allclose(bases.dct(10, 64) @ bases.dct(10, 64).T, 32 * identity, atol=1e-12)
    assert torch.equal(bases.dct(3, 64, first=5)[0], bases.dct(10, 64)[4])


def test_random_rows_depend_on_their_seed_alone_and_are_averaged_down():
    assert torch.equal(bases.random(10, 512, seed=3), bases.random(10, 512, seed=3))
    assert not torch.equal(bases.random(10, 512, seed=3), bases.random(10, 512, seed=4))
    assert bases.random(10, 4096).std() == pytest.approx(0.1, rel=0.02)
    wide = bases.random(10, 2048, seed=3)
    assert torch.allclose(bases.random(10, 512, seed=3, hidden=2048), wide.view(10, 512, 4).mean(2))


def test_built_basis_is_rounded_from_double():
    basis = bases.build(partial(bases.sine, phase=0.5), 10, 2048)
    assert basis.dtype == torch.float32
    assert torch.equal(basis, bases.sine(10, 2048, phase=0.5).float())


def test_synchrony_is_one_for_the_row_itself_and_blind_to_length():
    basis = bases.square(10, 512)
    cosines = bases.synchrony(7.0 * basis, basis)
    assert torch.allclose(cosines.diagonal(), torch.ones(10, dtype=torch.double))
    assert (cosines - torch.eye(10, dtype=torch.double)).abs().max() < 0.06


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: bases.sine(0, 5), "got 0 classes, 5 latents"),
        (lambda: bases.sine(3, 5, torch.ones(2)), "3 classes need 3 frequencies, got 2"),
        (lambda: bases.dct(10, 10), "10 latents have the frequencies 1..9, but 10 were asked for from 1 on"),
    ],
)
def test_bad_sizes_are_quoted(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_as_many_classes_as_there_are_frequencies():
    assert bases.dct(4, 5).shape == (4, 5)
    with pytest.raises(ValueError, match="but 5 were asked for"):
        bases.dct(5, 5)
