"""Any return value is read as numbers or refused in words; numbers are written so that they can be compared."""

import itertools

import numpy as np
import pytest
import torch

from workbench.course.exercises.reading import MOST, Unreadable, alike, as_numbers, call_written, written


class Endless:
    """A sequence that claims to be enormous."""

    def __len__(self):
        return 10**12

    def __getitem__(self, place):
        return 0.0


loop: list = []
loop.append(loop)


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (2, 2.0),
        (True, 1.0),
        (np.float32(0.5), 0.5),
        (np.array([1, 2], dtype=">i2"), [1.0, 2.0]),
        ([1, torch.tensor(2.0), np.int8(3)], [1.0, 2.0, 3.0]),
        (torch.ones(2, requires_grad=True), [1.0, 1.0]),
        (torch.eye(2).to_sparse(), [[1.0, 0.0], [0.0, 1.0]]),
        ([], []),
    ],
)
def test_numbers_of_any_kind_are_read(value, numbers):
    found = as_numbers(value)
    assert found.tolist() == numbers
    assert found.dtype == torch.float64
    assert not found.requires_grad


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("text", "a str"),
        (None, "a NoneType"),
        ({"a": 1}, "a dict"),
        (1j, "a complex"),
        (torch.ones(2) * 1j, "complex numbers"),
        (np.array(["a"]), "an array of <U1"),
        (itertools.count(), "a count"),
        (Endless(), "a Endless"),
        (loop, "a list"),
        ([1.0, [2.0]], "parts have different shapes"),
        (10**400, "an? int that cannot be read"),
        (torch.ones(1).expand(10**9), "1,000,000,000 numbers"),
        (np.broadcast_to(np.float32(0), 10**9), "1,000,000,000 numbers"),
        ([0.0] * (MOST + 1), "a list"),
        (torch.ones(2, device="meta"), "a Tensor that cannot be read"),
        (len, "a function; call it"),
    ],
)
def test_anything_else_is_refused_in_words(value, words):
    with pytest.raises(Unreadable, match=words):
        as_numbers(value)


@pytest.mark.parametrize(
    ("given", "same"),
    [([1.0, 2.0], True), ([1.00001, 2.0], True), ([1.001, 2.0], False), ([1.0], False), ([float("nan"), 2.0], False)],
)
def test_four_digits_of_the_largest_count(given, same):
    assert alike(as_numbers(given), as_numbers([1.0, 2.0])) == same


def test_small_numbers_are_told_apart():
    assert not alike(as_numbers([1e-5]), as_numbers([2e-5]))
    assert alike(as_numbers([]), as_numbers([]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor([[1.0, 0.5]]), "[[1, 0.5]]"),
        (torch.arange(30.0), "a tensor of shape (30,) that begins with [0, 1, 2, 3]"),
        (0.123456, "0.1235"),
        ([1, 2], "[1, 2]"),
        (list(range(20)), "[0, 1, 2, 3, …]"),
        ("a" * 99, "'" + "a" * 56 + "…"),
    ],
)
def test_values_are_written_in_a_few_words(value, text):
    assert written(value) == text


def test_a_call_is_written_as_it_is_typed():
    assert call_written("window", ["lag", "tau"], [torch.tensor([1.0]), 20.0]) == "window(lag=[1], tau=20)"
