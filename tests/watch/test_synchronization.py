"""Synchronisation seen in training: means against loops, the signal against autograd, and it grows while LLS learns."""

from functools import partial

import pytest
import torch
from few_images import few_images
from torch.nn import functional as F

from workbench.credit import bases
from workbench.experiments.lls import BLOCK_RULES
from workbench.watch.synchronization import class_means, first_of_each_class, judge_basis, lead, leads, teach, watch

pytestmark = pytest.mark.usefixtures("unchecked")


def test_a_basis_that_collapses_is_refused_in_words():
    basis = judge_basis(bases.sine, 114, 1024)
    assert basis.refused
    assert (basis.closest.first, basis.closest.second) == (40, 80)
    with pytest.raises(ValueError, match="classes 40 and 80") as error:
        bases.check_rows(basis.rows)
    assert basis.words == str(error.value)


def test_a_good_basis_needs_no_words():
    basis = judge_basis(bases.square, 10, 128)
    assert (basis.refused, basis.words) == (False, "")
    assert torch.equal(basis.rows, bases.square(10, 128))
    assert float(basis.cosines.fill_diagonal_(0.0).abs().max()) == basis.closest.cosine


def test_a_basis_that_cannot_be_made_has_no_rows():
    basis = judge_basis(bases.dct, 40, 32)
    assert basis.refused
    assert basis.rows.shape == (0, 32)
    assert "use more latents or fewer classes" in basis.words


def test_the_push_lowers_the_loss_and_is_its_gradient():
    rows = bases.square(10, 64, phase=0.5)
    lesson = teach(rows, label=3, share=0.4, seed=1)
    noise = torch.randn(64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    z = (0.4 * F.normalize(rows[3], dim=0) + 0.6 * F.normalize(noise, dim=0)).requires_grad_()
    loss = F.cross_entropy(F.normalize(z, dim=0) @ rows.T / 0.5, torch.tensor(3))
    loss.backward()
    assert torch.allclose(lesson.push, -z.grad)
    assert lesson.probability == pytest.approx(float(torch.exp(-loss.detach())))
    assert torch.allclose(lesson.direction, F.normalize(z.detach(), dim=0))
    assert teach(rows, 3, 1.0).probability > lesson.probability > teach(rows, 3, 0.0).probability


def test_class_means_are_those_of_a_loop():
    values, y = torch.randn(12, 5), torch.tensor([2, 0, 1, 1, 2, 0, 0, 2, 1, 1, 1, 0])
    means = class_means(values, y)
    for c in range(3):
        assert torch.allclose(
            means[c], sum(v for v, label in zip(values, y, strict=True) if label == c) / (y == c).sum()
        )


@pytest.mark.parametrize(
    ("means", "value"), [(torch.eye(4), 1.0), (torch.full((4, 4), 0.3), 0.0), (-torch.eye(3), -1.0)]
)
def test_lead(means, value):
    assert lead(means) == pytest.approx(value, abs=1e-6)


def test_the_first_of_each_class():
    data = few_images(BLOCK_RULES["lls"], 0).data.test
    rows = first_of_each_class(data, 3)
    assert data.labels[rows].tolist() == sorted(3 * list(range(10)))
    assert all((data.labels[: row + 1] == data.labels[row]).sum() <= 3 for row in rows.tolist())


@pytest.fixture(scope="module")
def looks():
    rule = BLOCK_RULES["lls"]
    return list(watch(few_images(rule, 0), epochs=8, every=4, per_class=5))


def test_blocks_fall_in_step_while_they_learn(looks):
    assert [look.record.step for look in looks] == [0, 4, 8, 12, 15]
    assert all(means.shape == (10, 10) for look in looks for means in look.synchrony)
    assert len(looks[0].synchrony) == 4
    course = leads(looks)
    assert bool((course[-1, 1:] > course[0, 1:] + 0.05).all())
    assert course[-1, 0] > 0.01  # the first block sees edges only, and learns slowly


def test_looking_changes_nothing(looks):
    often = list(watch(few_images(BLOCK_RULES["lls"], 0), epochs=8, every=1, per_class=5))
    assert often[-1].record.loss == looks[-1].record.loss
    assert all(torch.equal(a, b) for a, b in zip(often[-1].synchrony, looks[-1].synchrony, strict=True))


def test_a_rule_without_waves_is_named():
    with pytest.raises(ValueError, match="make_head=local_head"):
        next(watch(few_images(BLOCK_RULES["bp"], 0)))


def test_other_waves_are_watched_too():
    from workbench.rules.lls import local_head

    rule = BLOCK_RULES["lls"]._replace(head=partial(local_head, basis=bases.dct))
    assert next(watch(few_images(rule, 0))).synchrony[0].shape == (10, 10)
