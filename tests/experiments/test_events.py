"""Fashion-MNIST as events: the network that is said, its seeds, and its rules."""

from functools import cache

import pytest
import torch

from workbench.data.event_sets import EventSet
from workbench.data.split import Split
from workbench.experiments import events
from workbench.experiments.events import FASHION_FACTORS, FASHION_RULES, fashion_events_setting
from workbench.rules import RULES


@cache
def recordings() -> Split[EventSet]:
    """A few made recordings in the place of the simulated ones."""
    counts = (torch.rand(20, 20, 2, 17, 17, generator=torch.Generator().manual_seed(0)) < 0.1).to(torch.uint8)
    whole = EventSet(counts, torch.arange(20) % 10).flatten()
    return Split(whole, whole, tuple("abcdefghij"))


@pytest.fixture(autouse=True)
def made_recordings(monkeypatch):
    monkeypatch.setattr(events, "fashion_events", recordings)


def test_the_network_is_the_one_that_is_said():
    setting = fashion_events_setting(FASHION_RULES["stllr"], 0)
    shapes = [tuple(parameter.shape) for name, parameter in setting.network.named_parameters() if "weight" in name]
    assert shapes == [(200, 578), (200, 200), (10, 200)]
    assert [layer.neuron[:2] for layer in setting.network.hidden] == [(0.8, 0.6)] * 2
    assert [group["lr"] for group in setting.optimizer.param_groups] == [2e-3]
    assert setting.schedule(0.0) == 1.0
    assert setting.schedule(1.0) == pytest.approx(0.0)


def test_the_seed_decides_the_weights_and_leaves_no_trace():
    before = torch.get_rng_state()
    first, again, other = (fashion_events_setting(FASHION_RULES["stllr"], seed).network for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.hidden[0].connection.weight, other.hidden[0].connection.weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_every_spiking_rule_is_there_and_the_own_ones_come_first():
    own = ["stllr", "stllr-causal", "stllr-last5", "stllr-dfa", "stllr-sdfa", "stllr-drtp", "stllr-local", "tess"]
    assert list(FASHION_RULES)[: len(own)] == own
    assert {rule.name for rule in RULES if rule.for_spiking is not None} <= set(FASHION_RULES)


def gradients(name):
    setting = fashion_events_setting(FASHION_RULES[name], 0)
    setting.rule(setting.network, *setting.data.train.batch(torch.arange(20)))
    return setting.network.hidden[0].connection.weight.grad.clone()


def test_variants_learn_differently():
    """A non-causal term, fewer steps that learn, or another signal: each changes the update."""
    assert FASHION_FACTORS.alpha_post < 0 < FASHION_FACTORS.alpha_pre
    updates = [gradients(name) for name in ("stllr", "stllr-causal", "stllr-last5", "stllr-dfa")]
    for k, update in enumerate(updates):
        assert update.any()
        assert all(not torch.allclose(update, other, rtol=1e-3, atol=1e-9) for other in updates[:k])
