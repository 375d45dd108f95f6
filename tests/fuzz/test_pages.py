"""What people and browsers send: answers of students, addresses of pages, command lines; fuzzed."""

import argparse
import contextlib
import io
import math
import re
from urllib.parse import quote

import numpy as np
import torch
from fuzzed import Refused, filled, fuzz, mostly, outcome, texts
from hypothesis import example
from hypothesis import strategies as st

from widgets.page.link import read_link, write_link
from workbench.cli.main import USAGE, build_parser, main
from workbench.cli.parser import whole
from workbench.course.exercises import Written, exercises

# --- exercises ------------------------------------------------------------------------------------------------------


class Unprintable(Exception):
    """An error of a student that cannot even be said."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Odd:
    """Says that it equals anything, and has no truth."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("do not compare me")

    def __bool__(self) -> bool:
        raise RuntimeError("I am neither")

    __hash__ = None


plain_answers = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    texts,
    st.binary(max_size=3),
    st.complex_numbers(),
    st.lists(st.floats(), max_size=3),
    st.lists(st.lists(st.integers(), max_size=2), max_size=2),
    st.dictionaries(texts, st.integers(), max_size=2),
    st.sampled_from(
        [..., object(), Odd(), set(), len, math, np.array(["a"]), np.array([None]), np.float32(1), np.int8(1)]
    ),
)
tensor_answers = st.builds(
    filled,
    st.lists(st.integers(0, 4), max_size=3).map(tuple),
    st.sampled_from([torch.float64, torch.float16, torch.bool, torch.int64, torch.uint8, torch.complex64]),
    st.sampled_from(["normal", "zeros", "ones", "spikes"]),
    st.integers(0, 9),
)
errors = st.sampled_from([ValueError("a"), NotImplementedError(), KeyError("x"), RecursionError(), Unprintable()])
ALL = list(exercises().values())
FUNCTIONS = [each for each in ALL if isinstance(each, Written)]
SENTENCE = re.compile(r"Not yet: .+|Not answered yet.*", re.S)


def answering(answer):
    def given(*_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    return given


@fuzz(ci=200, each=st.sampled_from(FUNCTIONS), answer=st.one_of(plain_answers, tensor_answers, errors))
@example(each=FUNCTIONS[0], answer="text")
@example(each=FUNCTIONS[0], answer=object())
@example(each=FUNCTIONS[0], answer=1j)
@example(each=FUNCTIONS[0], answer=[1.0, [2.0]])
@example(each=FUNCTIONS[0], answer=10**400)
@example(each=FUNCTIONS[0], answer=math.nan)
@example(each=FUNCTIONS[0], answer=Unprintable())
@example(each=FUNCTIONS[0], answer=Odd())
def test_exercises(each, answer):
    """Whatever a student's function gives, the check says one of its sentences."""
    verdict = each.judge(answering(answer))
    assert SENTENCE.fullmatch(verdict.words), verdict.words
    assert not verdict.right
    if answer is ... or isinstance(answer, NotImplementedError):
        assert verdict.mistake == "did not answer"


@fuzz(ci=200, each=st.sampled_from(ALL), given=st.lists(st.one_of(plain_answers, tensor_answers), max_size=2))
def test_answers_that_are_no_functions(each, given):
    """What is given instead of a function, settings, a letter or a number is refused in one of the same sentences."""
    verdict = each.judge(*given) if each.kind == "predict and explain" else each.judge(*given[:1])
    assert verdict.right or SENTENCE.fullmatch(verdict.words), verdict.words


@fuzz(values=st.lists(st.floats(-10, 10), min_size=1, max_size=4), wrong=st.integers(0, 3), by=st.floats())
@example(values=[1.0], wrong=0, by=math.nan)
@example(values=[1.0, 2.0], wrong=1, by=math.inf)
def test_numbers_that_are_off(values, wrong, by):
    right = torch.tensor(values, dtype=torch.float64)
    given = right.clone()
    given[wrong % len(values)] += by
    exercise = ALL_RIGHT._replace(trials=lambda: [(right,)])
    verdict = exercise.judge(lambda x: given)
    distance = abs(float(given[wrong % len(values)]) - float(right[wrong % len(values)]))
    if distance < 1e-8:
        assert verdict.right
    elif not distance < 1e-2:
        assert not verdict.right


ALL_RIGHT = Written("same", 1, "The same", lambda x: x, (), list, ("a", "b", "c"))

# --- addresses ------------------------------------------------------------------------------------------------------

json_texts = st.one_of(
    texts,
    st.sampled_from(
        ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "[" * 9999, "null", '"a"', "-0", "1e5", "{}", "true"]
    ),
)
keys = st.one_of(texts, st.sampled_from(["tab", "lif.decay", ".x", "x.", "a.b.c", ".", "lif.decay\x00"]))


@fuzz(pairs=st.lists(st.tuples(keys, json_texts), max_size=6), raw=texts, mangled=st.booleans())
@example(pairs=[("lif.decay", "NaN")], raw="", mangled=False)
@example(pairs=[("lif.decay", "1e999")], raw="", mangled=False)
@example(pairs=[("lif.decay", "[1, Infinity]")], raw="", mangled=False)
@example(pairs=[("lif.steps", "9" * 5000)], raw="", mangled=False)
def test_links_that_are_read(pairs, raw, mangled):
    """Numbers that no control can hold stay words; what was read is written and read again."""
    query = (
        raw
        if mangled
        else "&".join(f"{quote(key, errors='replace')}={quote(text, errors='replace')}" for key, text in pairs)
    )
    tab, states = read_link(query)
    assert tab is None or isinstance(tab, str)

    def sound(value):
        if isinstance(value, float):
            return math.isfinite(value)
        if isinstance(value, list):
            return all(map(sound, value))
        return all(map(sound, value.values())) if isinstance(value, dict) else True

    assert all(sound(value) for state in states.values() for value in state.values())
    again = read_link("?" + write_link(tab, states))
    assert again == (tab or None, states)


# --- command lines --------------------------------------------------------------------------------------------------


words = st.one_of(
    texts,
    st.sampled_from(
        ["--help", "--version", "--json", "--seed", "-1", "--epochs", "--epochs=x", "train", "sweep", "audit"]
    ),
    st.sampled_from(["--", "-", "--rule", "@x", "bench", "app", "--port", "99999", "lab", "list", "--no-such"]),
)


@fuzz(ci=75, line=st.lists(words, max_size=4))  # the parser of all commands takes 10 ms
@example(line=["train", "--seed", "9" * 5000])
@example(line=["\ud800"])
def test_command_lines(line):
    """A line is understood, or refused with the usage of the command and one sentence; nothing runs here."""
    parser, printed, refused = build_parser(), io.StringIO(), None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            assert callable(parser.parse_args(line).run)
        except SystemExit as end:
            refused = end.code
    assert refused in (None, 0, USAGE)
    assert "Traceback" not in printed.getvalue()
    if refused:
        assert "usage: workbench" in printed.getvalue()
        assert "error: " in printed.getvalue()


@fuzz(text=st.one_of(texts, st.integers().map(str)), least=st.integers(-3, 3), most=st.none() | st.integers(4, 9))
@example(text="9" * 5000, least=0, most=None)
@example(text="٣", least=0, most=9)
@example(text="1_0", least=0, most=99)
def test_whole_numbers_of_command_lines(text, least, most):
    read = whole("epochs", least, most)
    number = outcome(read, text, words="epochs", errors=(argparse.ArgumentTypeError,))
    if not isinstance(number, Refused):
        assert number >= least
        assert most is None or number <= most


@fuzz(ci=30, line=st.lists(mostly(st.sampled_from(["rules", "tasks", "--json"]), texts), max_size=2))  # a whole command
def test_lists_of_names(line):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["list", *line])
    assert code in (0, USAGE)
    assert "Traceback" not in err.getvalue()
    assert bool(err.getvalue()) == bool(code)
