"""BPTT in pieces is BPTT, and keeps less."""

import pytest
import torch

from workbench.meters.kept import KeptBytes
from workbench.networks.layers import TimeDropout
from workbench.networks.spiking import SpikingMLP, SpikingSequential
from workbench.rules import bptt, bptt_in_pieces
from workbench.rules.bptt import BPTT
from workbench.rules.bptt_in_pieces import InPieces


def batch(steps, dtype=torch.float64):
    """Spikes and labels."""
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(steps, 4, 9, generator=generator) < 0.3).to(dtype), torch.tensor([0, 1, 2, 0])


@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("steps", [None, 1, 4, 30])
@pytest.mark.parametrize("last", [None, 5])
@pytest.mark.parametrize("lengths", [None, torch.tensor([13, 6, 9, 13])])
def test_gradients_are_those_of_bptt(dtype, close, steps, last, lengths):
    x, y = batch(13, dtype)
    network = SpikingMLP([9, 8, 7], 3, recurrent=True, readout_decay=0.7).to(dtype)
    grads = []
    for rule in (
        lambda: bptt.gradients(network, x, y, BPTT(last), lengths),
        lambda: bptt_in_pieces.gradients(network, x, y, InPieces(BPTT(last), steps), lengths),
    ):
        network.zero_grad()
        report = rule()
        grads.append((report, {name: p.grad.clone() for name, p in network.named_parameters()}))
    (plain, expected), (pieces, found) = grads
    assert pieces.loss == pytest.approx(plain.loss, rel=1e-5)
    torch.testing.assert_close(pieces.logits, plain.logits)
    assert pieces.spike_rates == pytest.approx(plain.spike_rates, rel=1e-5)
    for name, grad in expected.items():
        torch.testing.assert_close(found[name], grad, rtol=0, atol=close * max(1.0, float(grad.abs().max())))


def test_memory_grows_as_the_root_of_time():
    kept, state = {}, {}
    for steps in (25, 400):
        x, y = batch(steps)
        network = SpikingMLP([9, 8, 7], 3).double()
        with KeptBytes(*network.parameters(), x, y) as meter:
            state[steps] = bptt_in_pieces.gradients(network, x, y).state_bytes
        kept[steps] = meter.peak
    assert kept[400] < 5 * kept[25]  # 16 times the steps, 4 times the piece
    assert state[400] < 5 * state[25]


@pytest.mark.parametrize("params", [BPTT(window=3), BPTT(summed_output=True)])
def test_what_bptt_alone_has(params):
    x, y = batch(6)
    with pytest.raises(ValueError, match="neither a window nor a summed output"):
        bptt_in_pieces.gradients(SpikingMLP([9, 8], 3), x, y, InPieces(params))


def test_dropout_would_draw_twice():
    x, y = batch(6)
    network = SpikingMLP([9, 8], 3)
    network.extra = SpikingSequential(TimeDropout(0.5))
    with pytest.raises(ValueError, match="would draw another mask the second time"):
        bptt_in_pieces.gradients(network, x, y)
