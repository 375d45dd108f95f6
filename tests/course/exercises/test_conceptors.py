"""Exercises of notebook 11: the right answers against the library, the truth of the prediction."""

import torch

from workbench.continual import capacity, conceptor, correlation, dense, disjunction
from workbench.continual.conceptors import from_dense
from workbench.course.exercises.conceptors import CONCEPTOR, EITHER, OR_TWICE, QUOTA


def test_conceptors_are_those_of_the_library():
    for X, aperture in CONCEPTOR.trials():
        ours = CONCEPTOR.right(X, aperture)
        torch.testing.assert_close(ours, dense(conceptor(correlation(X), aperture)).float(), atol=1e-5, rtol=1e-4)


def test_quotas_are_those_of_the_library():
    for (C,) in QUOTA.trials():
        torch.testing.assert_close(QUOTA.right(C).double(), torch.tensor(capacity(from_dense(C))).double())


def test_or_is_that_of_the_library():
    for A, B in EITHER.trials():
        theirs = dense(disjunction(from_dense(A), from_dense(B))).float()
        torch.testing.assert_close(EITHER.right(A, B), theirs, atol=1e-4, rtol=1e-3)


def test_the_same_data_twice_are_more_data():
    half = torch.tensor([[0.5]])
    assert OR_TWICE.lettered[OR_TWICE.right[0]].text == f"{EITHER.right(half, half).item():.2f}"
