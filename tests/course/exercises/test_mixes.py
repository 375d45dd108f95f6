"""The checks of the exercises on mixes: each usual mistake is named, right answers pass."""

import re

import pytest

from workbench.course.exercises.mixes import check_trains


def ours(time, memory, network):
    if network == "blocks":
        return time == "instant" and memory not in ("checkpoint", "events")
    if memory == "checkpoint":
        return time == "bptt"
    return time != "eprop" or (network != "convolutional" and memory in ("all", "lance"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ours, r"^Right\.$"),
        (lambda t, m, n: not ours(t, m, n), "say what trains"),
        (lambda t, m, n: ours(t, m, n) or (t, m, n) == ("instant", "checkpoint", "blocks"), "as soon as it has run"),
        (lambda t, m, n: ours(t, m, n) or (m == "checkpoint" and n != "blocks"), "only the unrolled graph waits"),
        (lambda t, m, n: ours(t, m, n) and (t, m) != ("eprop", "lance"), "which stay"),
        (lambda t, m, n: ours(t, m, "dense" if n == "convolutional" else n), "for every synapse and sample"),
        (lambda t, m, n: ours("instant" if n == "blocks" else t, m, n), "answer in one step"),
        (lambda t, m, n: True, "'instant' and 'checkpoint' a network of kind 'dense' does not train: with one instant"),
        (lambda t, m, n: t != "bptt" and ours(t, m, n), "'bptt' and 'all' a network of kind 'dense' trains"),
        (lambda t, m, n: ..., "Not answered yet"),
        (lambda t, m, n: "yes", "Your function"),
    ],
)
def test_each_answer_gets_its_sentence(answer, words):
    assert re.search(words, check_trains(answer))
