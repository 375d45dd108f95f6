"""Class numbers in arrays: which are taken, and what is said of the others."""

import numpy as np
import pytest

from workbench.data.labels import check_classes


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, bool])
def test_whole_numbers_of_any_width_become_int64(dtype):
    labels = check_classes(np.array([0, 1, 1], dtype), 2, "the set")
    assert labels.dtype == np.int64
    assert labels.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.array([[0, 1]]), r"the set has labels of shape \(1, 2\) and type int64, expected class numbers"),
        (np.array([0.0, 1.0]), "type float64, expected class numbers"),
        (np.array([0, 3]), "the set has labels 0 to 3, expected 0 to 2"),
        (np.array([-1, 2]), "the set has labels -1 to 2, expected 0 to 2"),
    ],
)
def test_others_are_refused_with_their_name(labels, words):
    with pytest.raises(ValueError, match=words):
        check_classes(labels, 3, "the set")


def test_the_last_class_is_taken_and_no_label_is_none():
    assert check_classes(np.array([2, 0]), 3, "the set").tolist() == [2, 0]
    assert check_classes(np.array([], np.int64), 3, "the set").size == 0
