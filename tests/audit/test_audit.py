"""The audit finds what rules really are, and a paper's claim that does not hold."""

import json
import math
from functools import partial
from importlib import import_module

import pytest
import torch

from workbench.audit.audit import audit, signal_to_noise, table, update_cosine, verdict
from workbench.audit.by_name import audit_rule, claims
from workbench.audit.locality import updates_by_step
from workbench.cli.main import main
from workbench.cost.formulas import layer_sizes
from workbench.cost.signal import backpropagated_macs, basis_macs
from workbench.credit.bases import dct
from workbench.networks.architectures import global_pool, maximum_pool, vgg9
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.rule import Claim, Locality
from workbench.rules import bptt, stllr, tess
from workbench.rules.stllr import STLLR

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


def test_plain_networks_are_audited_without_time(capsys):
    found = audit_rule("lls")
    assert found.shown == Locality(space=True, time=None, memory=None)
    assert main(["audit", "bp", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["bp"]
    assert row["local_in_space"] is False
    assert row["claim_holds"] is True
    assert row["claims_space"] is False
    assert "by definition" in row["claim"]
    assert main(["audit", "lls"]) == 0
    assert "holds" in capsys.readouterr().out


def test_a_rule_without_a_claim_has_none_to_hold(capsys):
    assert main(["audit", "drtp", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["drtp"]
    assert (row["claim"], row["claim_holds"]) == ("no claim", None)
    assert row["local_in_space"] is True
    assert main(["audit", "forward-forward"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("no claim")


def test_an_unknown_rule_is_named(capsys):
    assert main(["audit", "telepathy"]) == 1
    assert "there is no rule 'telepathy'; there are bptt, stllr" in capsys.readouterr().err
    with pytest.raises(ValueError, match="there are bptt, stllr"):
        claims(["telepathy"])


@pytest.mark.parametrize(
    ("classes", "side", "steps", "millions"),
    [(10, 48, 10, 13589.59), (10, 32, 20, 12079.69), (10, 32, 6, 3623.90), (100, 32, 6, 3624.18)],
)
def test_the_macs_of_the_tess_paper(classes, side, steps, millions):
    """Table III of arXiv 2502.01837, the columns of BPTT and S-TLLR."""
    network = vgg9(classes, (3, side, side), pool=maximum_pool, last_pool=global_pool)
    sizes = layer_sizes(network, torch.zeros(1, 1, 3, side, side))
    assert backpropagated_macs(sizes, steps) / 1e6 == pytest.approx(millions, abs=0.011)


def test_the_formula_of_tess_does_not_give_the_papers_column():
    network = vgg9(10, (3, 32, 32), pool=maximum_pool, last_pool=global_pool)
    neurons = [size.neurons for size in layer_sizes(network, torch.zeros(1, 1, 3, 32, 32))[1:-1]]
    latents = [1024, 512, 1024, 1024, 2048, 2048, 2048, 512]
    assert basis_macs(neurons, 10, 6) == 49_152_000
    assert basis_macs(latents, 10, 6) == 1_228_800
    assert not 5.4e6 < basis_macs(latents, 10, 6) < 5.5e6  # what the paper prints is 5.48 million
