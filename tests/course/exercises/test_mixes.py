"""Exercises of notebook 15: a right answer written out, reasons for what is wrong, the truth of the prediction."""

import itertools

from workbench.course.exercises.mixes import MIX, TRAINS, WHY_REFUSED
from workbench.mixes import mix_named, refusal


def ours(time, memory, network):
    if network == "blocks":
        return time == "instant" and memory not in ("checkpoint", "events")
    if memory == "checkpoint":
        return time == "bptt"
    return time != "eprop" or (network != "convolutional" and memory in ("all", "lance"))


def test_the_rules_written_out():
    assert TRAINS.judge(ours).right


def test_what_is_wrong_is_told_with_its_reason():
    words = TRAINS.judge(lambda time, memory, network: time != "bptt" and ours(time, memory, network)).words
    assert words.startswith("Not yet: with 'bptt' and 'all' a network of kind 'dense' trains.")
    words = TRAINS.judge(lambda time, memory, network: network == "dense").words
    assert words.startswith("Not yet: with 'instant' and 'all' a network of kind 'recurrent' trains.")


def test_mixes_for_a_small_device():
    right = itertools.product(("traces",), ("tess", "lls", "classifier"), ("lance", "events"), ("gpm", "code-cl"))
    for answers in right:
        assert MIX.judge(dict(zip(("time", "space", "memory", "direction"), answers, strict=True))).right


def test_the_pair_that_does_not_fit():
    assert refusal(mix_named("eprop+backprop+hosvd"), "dense")
    assert WHY_REFUSED.lettered[WHY_REFUSED.right[0]].text == "no"
