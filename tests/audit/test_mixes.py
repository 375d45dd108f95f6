"""Every sentence about an answer is held against the bits of an update, and a wrong one is found."""

import json

import pytest

from workbench.audit.audit import Finding
from workbench.audit.locality import space_dependence, time_dependence, updates_by_step
from workbench.audit.mixes import QUICK, SAID, MixFinding, from_same_state, quick_problem, sentences, step_dependence
from workbench.cli.main import main
from workbench.cost.counted import Measured
from workbench.mixes import AXES, DFA, GPM_DIRECTION, MEMORIES, TESS_SPACE, TIMES, TRACES, Mix, mix_named, prepare
from workbench.mixes.space import SPACES

pytestmark = pytest.mark.usefixtures("unchecked")


def later_layers(mix):
    """The largest dependence of the mix's rule on a layer above."""
    network, x, y, _ = quick_problem(mix)
    return space_dependence(
        network, x, y, from_same_state(network, prepare(mix, network, [x], 10, QUICK).gradients)
    ).later


def test_every_answer_has_its_sentence():
    assert set(SAID) == {(axis, answer.name) for axis, answers in AXES for answer in answers}


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_sentences_about_space(space):
    assert (later_layers(Mix(TRACES, space)) == 0) is SAID["space", space.name].local.space


@pytest.mark.parametrize("memory", [m for m in MEMORIES if m.name != "checkpoint"], ids=str)
def test_sentences_about_memory(memory):
    assert (later_layers(Mix(TRACES, TESS_SPACE, memory)) == 0) is SAID["memory", memory.name].local.space


@pytest.mark.parametrize("time", TIMES[:3], ids=str)
def test_sentences_about_time(time):
    network, x, y, _ = quick_problem(Mix(time))
    x, by_step = x[:2], prepare(Mix(time), network, [x], 10, QUICK).by_step
    assert (time_dependence(network, x, y, updates_by_step(by_step)).later == 0) is SAID["time", time.name].local.time


@pytest.mark.parametrize("direction", ["sgp", "code-cl", "subspace"])
def test_sentences_about_directions(direction):
    assert SAID["direction", direction].local.space
    assert step_dependence(mix_named(f"traces+tess+all+{direction}")) == 0


def test_a_step_that_hears_from_above_is_seen():
    assert step_dependence(Mix(TRACES, DFA, direction=GPM_DIRECTION)) > 0.01


def test_a_sentence_that_does_not_hold_is_broken_and_one_that_cannot_be_told_stays_unmeasured():
    seen = MixFinding(Finding(0.5, 0.0, 100, 400, {}, {}, Measured(*[0] * len(Measured._fields))), 0.5)
    broken = sentences(Mix(TRACES, TESS_SPACE, direction=GPM_DIRECTION), seen)
    assert [held.holds for held in broken] == [False, False, False, False]
    untold = sentences(Mix(TRACES, DFA, direction=GPM_DIRECTION), seen)
    assert [held.holds for held in untold] == [False, True, None, None]


def test_a_mix_is_audited_by_its_words(capsys):
    assert main(["audit", "instant+tess+all+gpm", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["instant+tess+all+gpm"]
    assert [held["holds"] for held in row["sentences"]] == [True] * 4
    assert (row["later_layers_of_step"], row["claim_holds"]) == (0, None)
    assert main(["audit", "instant+telepathy"]) == 2
    assert "the axis space has no answer 'telepathy'" in capsys.readouterr().err


def test_a_mix_that_trains_nothing_is_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"which eprop\+backprop\+events\+anywhere cannot train: e-prop carries"):
        quick_problem(mix_named("eprop+backprop+events"))
