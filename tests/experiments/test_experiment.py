"""A named experiment: its length in words, its settings, and what cannot be begun."""

from typing import NamedTuple

import pytest
import torch
from tiny import TINY

from workbench.experiments.experiment import Experiment, prepare, prepare_with, rule_of, start
from workbench.experiments.named import EXPERIMENTS, experiment
from workbench.experiments.streams import SPLIT_FASHION


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rule": "x"}, "split-fashion has no rule 'x'; it has code-cl, fine-tuning"),
        ({"rule": "gpm", "epochs": 0}, "epochs must be at least 1, got 0"),
        ({"rule": "gpm", "tasks": 6}, "split-fashion has 1 to 5 tasks, got 6"),
        ({"rule": "gpm", "tasks": 0}, "split-fashion has 1 to 5 tasks, got 0"),
    ],
)
def test_wrong_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        start(SPLIT_FASHION, **arguments)


@pytest.mark.parametrize(
    ("name", "rule", "words"),
    [
        ("split-fashion", "workbench.rules.ottt:RULE", "rule .ottt. does not say for_blocks"),
        ("sound", "workbench.rules.lls:RULE", "rule 'lls' does not say for_spiking, and this experiment trains a spik"),
        ("tess-still", "workbench.rules.lls:RULE", "rule 'lls' does not say for_spiking"),
        ("lls-fashion", "workbench.rules.ottt:RULE", "rule 'ottt' does not say for_blocks, and this experiment trains"),
        ("sound", "workbench.rules.lls:gradients", "is a function, expected a LearningRule"),
        ("sound", "nowhere:RULE", "there is no rule at 'nowhere:RULE': No module named 'nowhere'"),
    ],
)
def test_a_rule_of_ones_own_that_does_not_fit(name, rule, words):
    with pytest.raises(ValueError, match=words):
        rule_of(experiment(name), rule)


@pytest.mark.parametrize("name", ["fashion-events", "sound", "tess-events", "lls-fashion", "dvs-gesture", "lls-mnist"])
def test_a_rule_of_ones_own_is_made_as_one_of_the_catalogue(name):
    blocks = name.startswith("lls")
    filed, own = ("drtp", "workbench.rules.drtp:RULE") if blocks else ("ottt", "workbench.rules.ottt:RULE")
    chosen = experiment(name)
    assert type(rule_of(chosen, own)) is type(rule_of(chosen, filed))
    if blocks:
        assert rule_of(chosen, own) == rule_of(chosen, filed)


def prepared(rule, seed):
    """A setting of three tasks that says what it was made from, and what was drawn for it."""
    return Made(rule, seed, torch.rand(2), ["first", "second", "third"])


class Made(NamedTuple):
    rule: str
    seed: int
    drawn: torch.Tensor
    stream: list[str]


ONE = Experiment("one", "one task", {"a": "rule a", "b": "rule b"}, 4, prepared)
THREE = ONE._replace(name="three", tasks=3)


@pytest.mark.parametrize(("experiment", "words"), [(ONE, "4 epochs"), (THREE, "4 epochs for each of 3 tasks")])
def test_its_length_in_words(experiment, words):
    assert experiment.length == words


def test_a_setting_is_made_from_rule_and_seed_and_leaves_the_generator_alone():
    before = torch.get_rng_state()
    made, again, other = prepare(ONE, "b", 3), prepare(ONE, "b", 3), prepare(ONE, "b", 4)
    assert (made.rule, made.seed) == ("rule b", 3)
    assert torch.equal(made.drawn, again.drawn)
    assert not torch.equal(made.drawn, other.drawn)
    assert torch.equal(torch.get_rng_state(), before)
    assert prepare_with(ONE, "rule of mine", 3).rule == "rule of mine"


@pytest.mark.parametrize("tasks", [1, 2, 3, None])
def test_a_stream_may_be_cut(tasks):
    assert prepare(THREE, "a", tasks=tasks).stream == ["first", "second", "third"][:tasks]


@pytest.mark.parametrize(
    ("experiment", "tasks", "words"),
    [(ONE, 1, "one is one task and cannot be cut to 1"), (THREE, 4, "1 to 3 tasks, got 4"), (THREE, 0, "got 0")],
)
def test_tasks_that_there_are_not_are_quoted(experiment, tasks, words):
    with pytest.raises(ValueError, match=words):
        prepare(experiment, "a", tasks=tasks)


def test_a_run_has_the_epochs_asked_for_or_its_own():
    assert {record.steps for record in start(TINY, "stllr", epochs=1)} == {4}
    assert len(list(start(TINY, "stllr"))) == 4 * TINY.epochs


@pytest.mark.parametrize(
    ("name", "mix"),
    [
        ("fashion-events", "traces+dfa+lance"),
        ("sound", "traces+tess+lance"),
        ("tess-events", "eprop+backprop"),
        ("tess-still", "traces+dfa+events"),
        ("lls-fashion", "instant+lls-m+lance"),
    ],
)
def test_a_mix_begins(name, mix):
    record = next(start(EXPERIMENTS[name], mix, epochs=1))
    assert 0 < record.loss < 20


@pytest.mark.parametrize("name", ["fashion-events", "sound", "tess-events", "lls-fashion"])
def test_a_direction_wants_a_stream(name):
    with pytest.raises(ValueError, match=r"protects earlier tasks, and here is one; take a stream"):
        prepare(EXPERIMENTS[name], "instant+backprop+all+gpm")


def test_the_parts_that_a_mix_hangs_on_blocks_learn():
    """LLS-M trains its modulation: the optimiser has the heads that the mix made."""
    setting = prepare(EXPERIMENTS["lls-fashion"], "instant+lls-m")
    learned = {id(p) for group in setting.optimizer.param_groups for p in group["params"]}
    heads = list(setting.network.heads.parameters())
    assert heads
    assert {id(p) for p in heads} <= learned


def test_an_experiment_without_mixes_says_which_have_them():
    with pytest.raises(ValueError, match=r"flow takes no mixes, got 'traces\+dfa'; fashion-events, sound, tess-events"):
        prepare(EXPERIMENTS["flow"], "traces+dfa")
