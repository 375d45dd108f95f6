"""All exercises together: no plausible wrong answer passes, most are named, and every right one passes."""

import itertools

import pytest
import torch
from student_answers import DESIGNED, DESIGNS, FUNCTIONS, QUESTIONS, WRITTEN, function

from workbench.course.exercises.catalogue import ask, check, exercise, exercises, hint
from workbench.course.exercises.reading import alike
from workbench.course.exercises.verdict import NOT_YET
from workbench.course.exercises.written import mistaken, tried
from workbench.names import UnknownName

LEAST, NAMED = 12, 8  # wrong answers of an exercise, and how many of them the check must name
ALL = list(exercises().values())
by_name = {"ids": lambda each: each.name}


@pytest.mark.parametrize("each", WRITTEN, **by_name)
def test_wrong_functions_are_refused_and_named(each):
    answers = FUNCTIONS[each.name]
    assert len(answers) >= LEAST
    assert sum(bool(mistake) for mistake, _ in answers) >= NAMED
    for mistake, body in answers:
        verdict = check(each.name, function(each, body))
        assert not verdict.right, body
        assert verdict.mistake == mistake, f"{body}\n{verdict}"
        assert "Right" not in verdict.words


@pytest.mark.parametrize("each", WRITTEN, **by_name)
def test_the_right_function_passes_in_either_precision(each):
    assert check(each.name, each.right).words == "Right."
    if each.name in ("local_signal", "trains", "local_in_time", "lif", "signal_macs"):
        return  # no tensor of float comes in, or comes out, of these

    def single(*arguments):
        return torch.as_tensor(each.right(*arguments)).float()

    assert check(each.name, lambda *arguments: single(*arguments)).right


def agree(first, second):
    return all(a is b or (a is not None and b is not None and alike(a, b)) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("each", WRITTEN, **by_name)
def test_known_mistakes_differ_from_the_right_answer_and_from_each_other(each):
    """So that none is hidden by the one before it, and none is right."""
    known = mistaken(each)
    assert len({mistake.name for mistake, _ in known}) == len(known)
    numbers = [[expected for _, expected in tried(each)], *(results for _, results in known)]
    for first, second in itertools.combinations(numbers, 2):
        assert not agree(first, second)


@pytest.mark.parametrize("each", DESIGNED, **by_name)
def test_wrong_designs_are_refused_and_named(each):
    assert len(DESIGNS[each.name]) >= LEAST
    for mistake, settings in DESIGNS[each.name]:
        verdict = check(each.name, settings)
        assert (verdict.right, verdict.mistake) == (False, mistake), f"{settings}\n{verdict}"
    missed = {mistake for mistake, _ in DESIGNS[each.name]}
    assert {goal.mistake for goal in each.goals} <= missed  # every goal is missed by one of them


@pytest.mark.parametrize("each", QUESTIONS, **by_name)
def test_of_all_pairs_of_answer_and_reason_one_is_right(each):
    verdicts = {(a, r): check(each.name, a, r) for a in each.lettered for r in each.numbered}
    assert len(verdicts) > LEAST
    assert [pair for pair, verdict in verdicts.items() if verdict.right] == [each.right]
    assert all(verdict.mistake for pair, verdict in verdicts.items() if pair != each.right)


@pytest.mark.parametrize("each", ALL, **by_name)
def test_what_is_untouched_is_not_answered_yet(each):
    for nothing in ((), (...,), (None,)):
        verdict = check(each.name, *nothing)
        assert not verdict.right
        assert verdict.mistake == "did not answer"
        assert verdict.words.startswith("Not answered yet")


@pytest.mark.parametrize("each", ALL, **by_name)
def test_hints_lead_on(each):
    first, second, third = (hint(each.name, level) for level in (1, 2, 3))
    assert len({first, second, third}) == 3
    assert f"hint('{each.name}', 2)" in first
    assert f"hint('{each.name}', 3)" in second
    assert "More" not in third


def test_there_are_forty_of_four_kinds_in_every_notebook():
    assert len(ALL) >= 40
    kinds = [each.kind for each in ALL]
    assert min(kinds.count(kind) for kind in ("write it", "find the bug", "predict and explain", "design it")) >= 7
    assert {each.notebook for each in ALL} == set(range(18))
    assert [each.notebook for each in ALL] == sorted(each.notebook for each in ALL)


def test_graders_get_an_error():
    assert check("trace", exercise("trace").right, strict=True).right
    with pytest.raises(AssertionError, match="it does not forget"):
        check("trace", lambda x, decay: x.cumsum(0), strict=True)
    with pytest.raises(AssertionError, match=NOT_YET):
        check("trace", ..., strict=True)


def test_what_there_is_not_is_named():
    with pytest.raises(UnknownName, match="no exercise 'trase'; did you mean 'trace'"):
        check("trase", ...)
    with pytest.raises(ValueError, match="levels 1, 2 and 3, got 4"):
        hint("trace", 4)
    with pytest.raises(ValueError, match="'write it'; only predictions are asked"):
        ask("trace")
    assert ask("below_threshold").title == "A weak input"
