"""A rule of three factors: one pass over a sequence, piece by piece or step by step."""

import pytest
import torch
from signal_networks import FACTORS, NETWORKS, batch_for, dense, gradients, recurrent, run_through
from torch import nn

from workbench.credit.signals import direct_feedback
from workbench.credit.three_factor import learning_chunks
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import SpikingSequential
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import triangle
from workbench.neurons.traces import Factors
from workbench.rules import stllr
from workbench.rules.stllr import STLLR, online


def test_what_happened_long_before_learning_need_not_be_traced():
    net, shape = dense()
    x, y = batch_for(shape, steps=200)
    params = STLLR(Factors(0.4, 0.5, -0.6, 1.1), last_steps=5)
    _, expected = gradients(net, x, y, params)
    net.zero_grad()
    ongoing = stllr.begin_pass(net, params)
    for part in learning_chunks(200, 195, 16):
        ongoing.advance(x[part], y, part.start >= 195, ahead=0)  # every piece is taken to lie just before
    ongoing.hand_over()
    assert all(torch.allclose(p.grad, expected[name], atol=1e-13) for name, p in net.named_parameters())


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("last_steps", [None, 4])
def test_online_updates_add_up_to_the_whole_when_weights_stay(make, last_steps):
    net, shape = make()
    x, y = batch_for(shape)
    params = STLLR(FACTORS, last_steps, chunk=3)
    report, expected = gradients(net, x, y, params)
    total, reports = {name: torch.zeros_like(p) for name, p in net.named_parameters()}, []
    for step_report in online(net, x, y, params):
        reports.append(step_report)
        for name, parameter in net.named_parameters():
            total[name] += parameter.grad
    assert len(reports) == (last_steps or len(x))
    assert reports[-1].loss == pytest.approx(report.loss)
    assert torch.allclose(reports[-1].logits, report.logits)
    for name, grad in expected.items():
        assert torch.allclose(total[name], grad, atol=1e-10), name


def test_online_steps_use_the_new_weights():
    net, shape = recurrent()
    x, y = batch_for(shape)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    losses = []
    for report in online(net, x.expand(9, 5, 8), y, STLLR(FACTORS)):
        losses.append(report.loss)
        optimizer.step()
    frozen = [report.loss for report in online(recurrent()[0], x, y, STLLR(FACTORS))]
    assert losses[0] == pytest.approx(frozen[0])
    assert losses[-1] < 0.9 * frozen[-1]


def test_factors_may_differ_between_layers():
    net, shape = dense()
    x, y = batch_for(shape)
    chosen = {net.hidden[0]: Factors(0.1, 0.9, 1.0, 1.0), net.hidden[1]: FACTORS}
    _, found = gradients(net, x, y, STLLR(chosen.__getitem__))
    for place, factors in enumerate(chosen.values()):
        _, alone = gradients(net, x, y, STLLR(factors))
        name, other = (f"hidden.{i}.connection.weight" for i in (place, 1 - place))
        assert torch.allclose(found[name], alone[name], atol=1e-12)
        assert not torch.allclose(found[other], alone[other], atol=1e-12)


def test_another_loss_can_be_taken():
    torch.manual_seed(0)
    net = SpikingSequential(SpikingLayer(nn.Linear(8, 6), Neuron(0.7, 0.4), triangle), LeakyReadout(6, 2)).double()
    x, _ = batch_for((8,))
    target = torch.randn(5, 2, dtype=torch.double)

    def squared(output, y):
        return (output - y).square().sum((0, 2)).mean()

    report, found = gradients(net, x, target, STLLR(FACTORS, loss=squared, signal=direct_feedback(net, x)))
    _, output = run_through(net, x)
    assert report.loss == pytest.approx(float(squared(output, target)) / len(x))
    assert all(grad.any() for grad in found.values())
