"""What is still open, and what a verdict prints."""

import pytest

from workbench.course.exercises.verdict import is_open, right


def dots(x): ...


def passing(x):
    pass


def told(x):
    """What it shall do."""


def told_with_dots(x):
    """What it shall do."""
    ...  # noqa: PIE790


def nothing(x):
    return None


@pytest.mark.parametrize("answer", [None, ..., dots, passing, told, told_with_dots, nothing, lambda x: ...])
def test_what_does_nothing_is_open(answer):
    assert is_open(answer)


def says(x):
    return "What it shall do."


@pytest.mark.parametrize("answer", [0, "", False, len, says, lambda x: True, lambda x: 0, lambda x: "a", lambda x: x])
def test_what_does_anything_is_not(answer):
    assert not is_open(answer)


def test_a_verdict_prints_its_words():
    assert f"{right()}" == "Right."
