"""A student's function can do no harm: arguments, time, output, errors."""

import itertools

import pytest
import torch

from workbench.course.exercises import call as calls
from workbench.course.exercises.call import Called, call, copied, within_bounds


def test_arguments_are_copies():
    x, rows = torch.ones(2), [1, 2]
    called = call(lambda x, rows: (x.zero_(), rows.clear()), (x, rows))
    assert called.changed
    assert torch.equal(x, torch.ones(2))
    assert rows == [1, 2]
    assert not call(lambda x, rows: x + 1, (x, rows)).changed
    inner = copied((x, (x,)))
    inner[1][0].zero_()
    assert x.sum() == 2


def endless(x):
    while True:
        x = x + 1


def deep(x):
    return deep(x)


def raising(error):
    def function(x):
        raise error

    return function


class Silent(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (endless, "does not come to an end"),
        (lambda x: [each for each in itertools.count() if each < 0], "does not come to an end"),
        (deep, "stops with RecursionError: maximum recursion"),
        (raising(SystemExit("bye")), "stops with SystemExit: bye"),
        (raising(KeyError()), "stops with KeyError"),
        (raising(Silent()), "stops with Silent"),
        (raising(ValueError("a" * 999)), "stops with ValueError: " + "a" * 200),
        (raising(ValueError("one\ntwo")), "stops with ValueError: one"),
    ],
)
def test_errors_become_words(monkeypatch, function, words):
    monkeypatch.setattr(calls, "LINES", 5000)
    called = call(function, (1,))
    assert words in called.error
    assert "two" not in called.error
    assert "a" * 201 not in called.error
    assert called.endless == ("come to an end" in words)


def test_a_function_may_not_hold_the_end_back(monkeypatch):
    monkeypatch.setattr(calls, "LINES", 5000)

    def stubborn(x):
        try:
            endless(x)
        except Exception:
            return 1

    assert call(stubborn, (1,)).endless


def test_time_is_bounded_too(monkeypatch):
    monkeypatch.setattr(calls, "SECONDS", -1.0)
    assert call(endless, (1,)).endless


def test_the_student_may_still_interrupt():
    with pytest.raises(KeyboardInterrupt):
        call(raising(KeyboardInterrupt()), (1,))


def test_the_first_characters_of_what_is_printed_are_shown(capsys):
    assert call(lambda x: print("y" * 5000), (1,)).printed
    assert capsys.readouterr().out == "y" * calls.PRINTED
    assert call(lambda x: print("y"), (1,), quiet=True).printed
    assert capsys.readouterr().out == ""


def test_what_is_not_implemented_is_still_open():
    assert call(raising(NotImplementedError()), (1,)) == Called(...)


def test_a_function_is_bounded_inside_one_that_is_not():
    def endless():
        while True:
            pass

    def outer(inner):
        return sum(1 for _ in range(100)) + (inner() or 0)

    assert call(outer, (within_bounds(lambda: 5),), bound=False).value == 105
    found = call(outer, (within_bounds(endless),), bound=False)
    assert found.endless
    assert found.error.startswith("it does not come to an end")
