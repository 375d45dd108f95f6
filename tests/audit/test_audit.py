"""The audit finds what rules really are, and a paper's claim that does not hold."""

import math
from functools import partial
from importlib import import_module

import pytest
import torch

from workbench.audit.audit import audit, signal_to_noise, table, update_cosine, verdict
from workbench.audit.locality import updates_by_step
from workbench.credit.bases import dct
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.rule import Claim, Locality
from workbench.rules import bptt, stllr, tess
from workbench.rules.stllr import STLLR

pytestmark = pytest.mark.usefixtures("unchecked")

module = import_module("workbench.audit.audit")  # the face gives the function of this name


@pytest.fixture
def problem():
    torch.manual_seed(0)
    network = SpikingMLP([40, 48, 48], 4, Neuron(0.7, 0.6), readout_decay=0.5).double()
    x = (torch.rand(16, 8, 40) < 0.3).double()
    return network, x, torch.arange(8) % 4


def test_stllr_holds_what_it_claims(problem):
    network, x, y = problem
    params = STLLR(chunk=4)
    updates = updates_by_step(partial(stllr.online, params=params))
    found = audit(network, x, y, partial(stllr.gradients, params=params), bptt.gradients, updates)
    assert found.shown == Locality(space=False, time=True, memory=True)
    assert found.cosine["readout"] == pytest.approx(1.0, abs=1e-12)
    assert all(-1 <= value <= 1 for value in found.cosine.values())
    assert verdict(found, stllr.RULE.claim)
    assert verdict(found, Claim(Locality(space=True), "here")) is False
    assert verdict(found, None) is None


def test_memory_that_grows_is_seen_whoever_keeps_it(problem):
    network, x, y = problem
    kept = []

    def hoarding(network, x, y):
        """Local in what it does, but it remembers every step."""
        kept.clear()
        kept.extend(now.repeat(1, 50).clone() for now in x)
        return stllr.gradients(network, x, y, STLLR(chunk=4))

    assert audit(network, x, y, hoarding).shown.memory is False
    assert audit(network, x, y, bptt.gradients, bptt.gradients).shown.memory is False


def test_the_released_loop_breaks_the_claim_of_its_paper(problem):
    network, x, y = problem
    params = tess.TESS(tess.make_heads(network, x, 4, basis=dct), chunk=4)
    claim = tess.RULE.claim
    right = audit(network, x, y, partial(tess.gradients, params=params))
    wrong = audit(network, x, y, partial(tess.released_gradients, params=params))
    assert verdict(right, claim)
    assert not verdict(wrong, claim)
    text = table({"right": right, "wrong": wrong, "mine": wrong}, {"right": claim, "wrong": claim}).splitlines()
    assert text[1].endswith("holds")
    assert text[2].endswith("BROKEN")
    assert "not local!" in text[2]
    assert text[3].endswith("no claim")
    assert "holds" not in text[3]


def test_signal_to_noise_of_known_updates():
    one = torch.tensor([1.0, 0.0])
    assert signal_to_noise([one + 1, one - 1]) == pytest.approx(1 / (2 + 2))
    assert math.isnan(signal_to_noise([one, one]))
    assert math.isnan(update_cosine(one, torch.zeros(2)))
    assert update_cosine(one, -2 * one) == pytest.approx(-1.0)


def test_too_few_samples_are_refused(problem):
    network, x, y = problem
    with pytest.raises(ValueError, match=f"at least {module.SMALL_BATCHES} samples, got 4"):
        audit(network, x[:, :4], y[:4], stllr.gradients)
