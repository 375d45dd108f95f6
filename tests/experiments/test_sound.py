"""The experiment `sound`: every rule runs, and S-TLLR learns."""

import pytest
import torch

from workbench.experiments.experiment import start
from workbench.experiments.named import experiment
from workbench.experiments.overrides import vary
from workbench.experiments.sound import SOUND_RULES, voice_network

pytestmark = pytest.mark.usefixtures("unchecked")


@pytest.mark.parametrize("rule", SOUND_RULES)
def test_every_rule_takes_a_step(rule):
    few = vary(experiment("sound"), per_class=4)
    record = next(start(few, rule, epochs=1))
    assert record.loss > 0
    assert record.spike_rates["hidden.0"] > 0.01


def test_stllr_learns_whose_voice_it_is():
    *_, last = start(vary(experiment("sound"), learning_rate=1e-2, per_class=80), "stllr", epochs=3)
    assert last.held_out_score is not None
    assert last.held_out_score > 0.45


def test_the_network_is_the_papers_kind():
    network = voice_network()
    assert network.describe() == "128–100–5"
    assert network.hidden[0].recurrent is not None
    assert network.readout.decay == network.hidden[0].neuron.decay
    assert torch.equal(voice_network(seed=3).readout.connection.weight, voice_network(seed=3).readout.connection.weight)
