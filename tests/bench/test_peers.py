"""What is said of a peer that is not installed; the rest needs them, see the docstring of the benchmark."""

import pytest
import torch

from bench import peers
from bench.peers import BENCHMARKS, LARGE, PEERS, SMALL, Sides, agreement
from workbench.rules import eprop


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_peer_that_is_not_installed_is_named_with_the_way_to_it(name, monkeypatch):
    monkeypatch.setattr(peers, "find_spec", lambda library: None)
    found = BENCHMARKS[name]()
    library = PEERS[name].library
    assert found["ratio"] is None
    assert found["not_installed"].startswith(f"{library} is not installed; pip install ")
    assert peers.INSTALL[library] in " ".join(peers.__doc__.split())


def test_updates_that_differ_are_not_timed(monkeypatch):
    one = torch.ones(3)
    assert agreement(Sides(lambda: [one], lambda: [one * 1.5])) == pytest.approx(0.5)
    assert agreement(Sides(lambda: [one * 0], lambda: [one * 0])) == float("inf")
    apart = peers.Peer("torch", "another", lambda size, dtype: Sides(lambda: [one], lambda: [one * 1.5]))
    monkeypatch.setitem(PEERS, "peers-bptt", apart)
    with pytest.raises(ValueError, match=r"the updates of another and ours differ by 5\.0e-01; nothing was timed"):
        BENCHMARKS["peers-bptt"]()


def test_every_layer_fires_in_both_sizes():
    for size in (SMALL, LARGE._replace(steps=20)):
        net = peers.network([size.inputs, size.neurons], torch.float32, 0.9, recurrent=True, bias=True)
        rates = eprop.gradients(net, *peers.events(size, torch.float32)).spike_rates
        assert 0.02 < rates["hidden.0"] < 0.6
