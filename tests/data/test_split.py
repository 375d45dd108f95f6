"""A split: both parts changed alike, the names of the classes kept."""

from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.split import Split


def test_map_changes_both_parts_and_keeps_the_names():
    split = Split([3, 4], [5], ("shoe", "bag"))
    assert split.map(sum) == Split(7, 5, ("shoe", "bag"))
    assert split.classes[1] == "bag"


def test_data_sets_are_splits():
    split = fashion_mnist_small()
    assert isinstance(split, Split)
    assert split.map(lambda part: len(part.labels)) == Split(5000, 1000, split.classes)
    assert len(split.classes) == 10
