"""Ablations: the depth that is said, and each rule with the one constant that its name says."""

from functools import cache

import pytest
import torch

from workbench.data.event_sets import EventSet
from workbench.data.split import Split
from workbench.experiments import ablations, events, sound
from workbench.experiments.ablations import DEPTHS, EVENTS_ABLATION, SOUND_ABLATION
from workbench.experiments.events import FASHION_CHUNK, FASHION_FACTORS, FASHION_RULES, fashion_events_setting
from workbench.experiments.experiment import prepare
from workbench.experiments.sound import CHUNK, SOUND_FACTORS
from workbench.rules import stllr

OWN = {"events": (FASHION_FACTORS, 20, FASHION_CHUNK), "sound": (SOUND_FACTORS, 60, CHUNK)}


@cache
def recordings(steps: int, *shape: int, classes: int = 10) -> Split[EventSet]:
    """A few made recordings in the place of the real ones."""
    counts = torch.rand(steps, 20, *shape, generator=torch.Generator().manual_seed(0)) < 0.1
    whole = EventSet(counts.to(torch.uint8), torch.arange(20) % classes).flatten()
    return Split(whole, whole, tuple("abcdefghij"[:classes]))


@pytest.fixture(autouse=True)
def made_recordings(monkeypatch):
    monkeypatch.setattr(events, "fashion_events", lambda: recordings(20, 2, 17, 17))
    monkeypatch.setattr(sound, "voices", lambda: recordings(60, 128, classes=5))


def updates(setting, rule=None):
    """What a rule makes of all recordings, the setting's own if none is given."""
    (rule or setting.rule)(setting.network, *setting.data.train.batch(torch.arange(20)))
    return [parameter.grad.clone() for parameter in setting.network.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("experiment", DEPTHS, ids=lambda experiment: experiment.name)
def test_the_network_is_as_deep_as_its_name_says(experiment):
    layers = int(experiment.name.rpartition("-")[2])
    network = prepare(experiment, "stllr").network
    assert [layer.connection.weight.shape[0] for layer in network.hidden] == [200] * layers


def test_waves_may_learn_faster():
    rates = {rule: prepare(DEPTHS[0], rule).optimizer.param_groups[0]["lr"] for rule in DEPTHS[0].rules}
    assert rates == {"stllr": 2e-3, "tess": 2e-3, "bptt": 2e-3, "tess-fast": 1e-2}


@pytest.mark.parametrize("rule", ["stllr", "tess", "bptt"])
def test_two_layers_are_the_experiment_that_all_others_are_held_against(rule):
    one, other = prepare(DEPTHS[1], rule, seed=3), fashion_events_setting(FASHION_RULES[rule], 3)
    for ours, theirs in zip(updates(one), updates(other), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("experiment", "rule"),
    [(each, rule) for each in (EVENTS_ABLATION, SOUND_ABLATION) for rule in each.rules if rule != "stllr"],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_rule_is_stllr_with_the_constant_of_its_name(experiment, rule):
    factors, steps, chunk = OWN[experiment.name.partition("-")[0]]
    last = int(rule.removeprefix("stllr-last")) if "last" in rule else steps
    alpha = {"antisymmetric": -1.0, "causal": 0.0, "symmetric": 1.0}.get(rule.partition("-")[2], factors.alpha_post)
    setting, same = (prepare(experiment, rule, seed=1) for _ in range(2))
    params = stllr.STLLR(factors._replace(alpha_post=alpha), last, chunk=chunk)
    expected = updates(same, lambda *batch: stllr.gradients(*batch, params=params))
    for ours, theirs in zip(updates(setting), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)
    usual = updates(prepare(experiment, "stllr", seed=1))
    if last != steps or alpha != factors.alpha_post:
        assert any(not torch.allclose(a, b, rtol=1e-3) for a, b in zip(expected, usual, strict=True))


def test_every_window_of_the_panel_is_there():
    assert ablations.WINDOWS == {"stllr-antisymmetric": -1.0, "stllr-causal": 0.0, "stllr-symmetric": 1.0}
