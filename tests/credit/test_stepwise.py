"""A rule from one function: OTTT written so is OTTT, on all kinds of networks and with all signals."""

from functools import partial

import pytest
import torch
from few_neurons import batch, gradients, largest_difference, network
from torch import nn

from workbench.credit.signals import BACKPROPAGATION, direct_feedback, feedback_alignment
from workbench.credit.stepwise import Ran, Step, Stepwise, attach
from workbench.credit.stepwise import gradients as stepwise_gradients
from workbench.credit.stepwise import online as stepwise_online
from workbench.networks.layers import LeakyReadout, SpikingLayer, TimeDropout, advance
from workbench.networks.spiking import ResidualBlock, SpikingSequential
from workbench.neurons.lif import Neuron
from workbench.rules import ottt


def ottt_step(step: Step) -> Ran:
    """A trace of each input that fades as the membrane does."""
    neurons, q, past, one = step.state or (None, 0.0, None, 0.0)
    ran, decay = advance(step.layer, step.x, step.weights, neurons), step.layer.neuron.decay
    q, one = decay * q + step.x[0].detach(), decay * one + 1.0
    if step.weights.recurrent is not None:
        past = torch.zeros_like(ran.output[0]) if past is None else decay * past + neurons.spikes
    return Ran(attach(step, ran, q, past, one), (ran.neurons, q, past, one))


def images():
    """Convolutions, pooling, a residual block, dropout."""
    torch.manual_seed(4)
    cells = partial(SpikingLayer, neuron=Neuron(0.8, 0.6), gain=3.0)
    body = SpikingSequential(cells(nn.Conv2d(4, 4, 3, padding=1)))
    parts = (cells(nn.Conv2d(2, 4, 3, padding=1)), nn.AvgPool2d(2), ResidualBlock(body), TimeDropout(0.0), nn.Flatten())
    return SpikingSequential(*parts, LeakyReadout(4 * 9, 4, 0.9)).double()


def pictures():
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(7, 5, 2, 6, 6, generator=generator) < 0.4).double()
    return x, torch.arange(5) % 4


@pytest.mark.parametrize("k", [None, 4])
@pytest.mark.parametrize("signal", ["backpropagation", "feedback alignment", "direct feedback"])
@pytest.mark.parametrize("kind", ["dense", "recurrent", "images"])
def test_ottt_of_one_function_is_ottt(kind, signal, k):
    net, (x, y) = (
        (images(), pictures()) if kind == "images" else (network(kind == "recurrent", sizes=(11, 9, 7)), batch())
    )
    make = {
        "backpropagation": lambda: BACKPROPAGATION,
        "feedback alignment": lambda: feedback_alignment(net),
        "direct feedback": lambda: direct_feedback(net, x),
    }
    taught = make[signal]()
    lengths = torch.tensor([len(x), 5, 4, 6, 5])
    for own in (None, lengths):
        report, found = gradients(
            partial(stepwise_gradients, rule=Stepwise(ottt_step, k, taught)), net, x, y, lengths=own
        )
        other, same = gradients(partial(ottt.gradients, params=ottt.OTTT(k, signal=taught)), net, x, y, lengths=own)
        assert largest_difference(found, same) < 1e-12
        assert report.loss == pytest.approx(other.loss)
        assert torch.allclose(report.logits, other.logits)
        assert report.spike_rates == pytest.approx(other.spike_rates)


def test_float32():
    net, (x, y) = network(sizes=(11, 9, 7)).float(), batch()
    _, found = gradients(partial(stepwise_gradients, rule=Stepwise(ottt_step)), net, x.float(), y)
    _, same = gradients(ottt.gradients, net, x.float(), y)
    assert largest_difference(found, same) < 1e-5


def test_a_step_at_a_time_uses_the_new_weights():
    updates = []
    for online in (partial(stepwise_online, rule=Stepwise(ottt_step, 5)), partial(ottt.online, params=ottt.OTTT(5))):
        net, (x, y) = network(), batch()
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        for _ in online(net, x, y):
            optimizer.step()
        updates.append({name: p.detach().clone() for name, p in net.named_parameters()})
    assert largest_difference(*updates) < 1e-12


@pytest.mark.parametrize("cut", [False, True])
def test_what_goes_beside_the_spikes_passes_all_that_is_between_layers(cut):
    net, (x, y) = images(), pictures()
    seen = []

    def run_step(step: Step) -> Ran:
        seen.append((step.x.detach(), step.beside))
        ran = advance(step.layer, step.x, step.weights, step.state)
        return Ran(attach(step, ran, step.x[0].detach()), ran.neurons, 3.0 * ran.output)

    stepwise_gradients(net, x, y, Stepwise(run_step, signal=BACKPROPAGATION._replace(cut=cut)))
    assert [beside is None for _, beside in seen] == [True, False] * len(x)
    assert all(torch.allclose(beside, 3.0 * spikes) for spikes, beside in seen if beside is not None)
    assert any(beside.any() for _, beside in seen if beside is not None)
    assert all(not beside.requires_grad and type(beside) is torch.Tensor for _, beside in seen if beside is not None)


def test_a_recurrent_layer_must_be_told_what_its_recurrent_weights_learn_from():
    def run_step(step: Step) -> Ran:
        ran = advance(step.layer, step.x, step.weights, step.state)
        return Ran(attach(step, ran, step.x[0]), ran.neurons)

    net, (x, y) = network(recurrent=True), batch()
    with pytest.raises(ValueError, match="does not say what its recurrent weights learn from"):
        stepwise_gradients(net, x, y, Stepwise(run_step))
