"""S-TLLR against autograd, the explicit eligibility matrix, and the golden vectors."""

import numpy as np
import pytest
import torch
from few_neurons import gradients, largest_difference
from torch import nn

from workbench.checks import check_batch
from workbench.meters.kept import KeptBytes
from workbench.networks.layers import SpikingLayer, advance, running_weights
from workbench.networks.spiking import SpikingMLP, layers_with_memory, spiking_logits
from workbench.neurons.lif import Neuron, hard_reset, soft_reset
from workbench.neurons.surrogate import fast_sigmoid, psi_speech, triangle
from workbench.neurons.traces import Factors, eligibility
from workbench.rules import bptt, ottt, stllr
from workbench.rules.stllr import STLLR, teach_layer


def events(steps: int, batch: int, inputs: int, classes: int, rate: float = 0.4):
    generator = torch.Generator().manual_seed(steps + batch)
    x = (torch.rand(steps, batch, inputs, generator=generator) < rate).double()
    return x, torch.randint(0, classes, (batch,), generator=generator)


def network(sizes=(11, 9, 7), classes=4, decay=0.8, **options):
    torch.manual_seed(1)
    net = SpikingMLP(sizes, classes, Neuron(decay, 0.6), fast_sigmoid, **options).double()
    for parameter in net.parameters():  # biases and gains that matter
        nn.init.normal_(parameter, parameter.detach().mean().item(), 0.3)
    return net


@pytest.mark.parametrize("chunk", [1, 5, 16, 64])
def test_last_spiking_layer_equals_backpropagation_through_time(chunk):
    net, batch = network(sizes=(11, 7)), events(33, 5, 11, 4)
    params = STLLR(Factors(0.2, 0.8, alpha_post=0.0), chunk=chunk)
    _, local = gradients(stllr.gradients, net, *batch, params)
    _, through_time = gradients(bptt.gradients, net, *batch)
    assert largest_difference(local, through_time) < 1e-7


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 1e-5)])
@pytest.mark.parametrize("chunk", [1, 5, 50])
@pytest.mark.parametrize("recurrent", [False, True])
def test_a_neuron_that_forgets_nothing_equals_backpropagation_through_time(dtype, tolerance, chunk, recurrent):
    """λ_pre = γ = 1, as the paper's λ_pre for spoken digits: S-TLLR and OTTT, with paths through past spikes cut."""
    net, (x, y) = network(sizes=(11, 7), decay=1.0, recurrent=recurrent).to(dtype), events(33, 5, 11, 4)
    if recurrent:
        nn.init.zeros_(net.hidden[0].recurrent_gain)
    x = x.to(dtype)
    _, through_time = gradients(bptt.gradients, net, x, y)
    for lambda_post in (0.2, 1.0):
        params = STLLR(Factors(lambda_post, 1.0, alpha_post=0.0), chunk=chunk)
        _, local = gradients(stllr.gradients, net, x, y, params)
        _, ottt_too = gradients(ottt.gradients, net, x, y, ottt.OTTT(chunk=chunk))
        assert largest_difference(local, through_time) < tolerance
        assert largest_difference(ottt_too, through_time) < tolerance


@pytest.mark.parametrize("factors", [Factors(0.5, 1.0, 1.0, 1.0), Factors(1.0, 0.5), Factors(1.0, 1.0)])
@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_traces_that_forget_nothing_equal_the_explicit_eligibility(factors, released, dtype):
    torch.manual_seed(3)
    layer = SpikingLayer(nn.Linear(6, 5), Neuron(1.0, 0.5), triangle, standardize=False).to(dtype)
    x, delta = events(15, 3, 6, 2)[0].to(dtype), torch.randn(15, 3, 5, dtype=dtype)
    psi = triangle(advance(layer, x, running_weights(layer)).potential - 0.5)
    explicit = sum(
        torch.einsum("ti,tij->ij", delta[:, b], eligibility(x[:, b], psi[:, b], factors, released)) for b in range(3)
    )
    for chunk in (1, 4, 50):
        layer.zero_grad()
        teach_layer(layer, x, delta, STLLR(factors, None, released, chunk=chunk))
        torch.testing.assert_close(layer.connection.weight.grad, explicit)


def test_first_of_two_layers_differs_from_backpropagation_through_time():
    net, batch = network(), events(33, 5, 11, 4)
    _, local = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.2, 0.8, alpha_post=0.0)))
    _, through_time = gradients(bptt.gradients, net, *batch)
    first, last = "hidden.0.connection.weight", "hidden.1.connection.weight"
    assert (local[last] - through_time[last]).norm() / through_time[last].norm() < 1e-7
    assert (local[first] - through_time[first]).norm() / through_time[first].norm() > 0.01


def test_released_bias_misses_its_trace():
    net, batch = network(sizes=(11, 7)), events(33, 5, 11, 4)
    _, traced = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.2, 0.8, 0.0)))
    _, released = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.2, 0.8, 0.0), traced_bias=False))
    bias, weight = "hidden.0.connection.bias", "hidden.0.connection.weight"
    assert torch.equal(traced[weight], released[weight])
    assert (traced[bias] - released[bias]).norm() / traced[bias].norm() > 0.1


@pytest.mark.parametrize("factors", [Factors(), Factors(0.5, 0.0, 1.0, 0.3)])
def test_one_time_step_is_plain_backpropagation_for_every_layer(factors):
    net, batch = network(), events(1, 6, 11, 4)
    _, local = gradients(stllr.gradients, net, *batch, STLLR(factors._replace(alpha_pre=1.0)))
    _, backpropagation = gradients(bptt.gradients, net, *batch)
    assert largest_difference(local, backpropagation) < 1e-8


def test_update_is_linear_in_both_amplitudes_and_spikes_do_not_depend_on_them():
    net, batch = network(), events(20, 5, 11, 4)
    report, both = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.3, 0.7, -0.6, 1.4)))
    other, causal = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.3, 0.7, 0.0, 1.0)))
    _, non_causal = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.3, 0.7, 1.0, 0.0)))
    assert report.logits.equal(other.logits)
    assert report.spike_rates == other.spike_rates
    for name in both:
        if name.startswith("hidden"):
            assert torch.allclose(both[name], 1.4 * causal[name] - 0.6 * non_causal[name], atol=1e-12)


@pytest.mark.parametrize("released", [False, True])
@pytest.mark.parametrize("chunk", [1, 4, 50])
def test_factored_update_equals_the_explicit_eligibility_matrix(released, chunk):
    torch.manual_seed(3)
    layer = SpikingLayer(nn.Linear(6, 5), Neuron(0.7, 0.5), triangle, standardize=False).double()
    x, _ = events(15, 3, 6, 2)
    delta = torch.randn(15, 3, 5, dtype=torch.double)
    factors = Factors(0.4, 0.6, -0.8, 1.2)
    teach_layer(layer, x, delta, STLLR(factors, None, released, chunk=chunk))
    psi = triangle(advance(layer, x, running_weights(layer)).potential - 0.5)
    explicit = sum(
        torch.einsum("ti,tij->ij", delta[:, b], eligibility(x[:, b], psi[:, b], factors, released)) for b in range(3)
    )
    assert torch.allclose(layer.connection.weight.grad, explicit, atol=1e-12)


def test_without_memory_only_the_present_counts():
    torch.manual_seed(3)
    layer = SpikingLayer(nn.Linear(6, 5), Neuron(0.7, 0.5), triangle, standardize=False).double()
    x, _ = events(15, 3, 6, 2)
    delta = torch.randn(15, 3, 5, dtype=torch.double)
    teach_layer(layer, x, delta, STLLR(Factors(0.4, 0.0, 0.0, 1.0), chunk=4))
    u = advance(layer, x, running_weights(layer)).potential
    expected = torch.einsum("tbi,tbj->ij", delta * triangle(u - 0.5), x)
    assert torch.allclose(layer.connection.weight.grad, expected, atol=1e-12)


def test_memory_does_not_know_the_number_of_steps():
    net = network()
    kept_local, kept_bptt, state = [], [], []
    for steps in (32, 64, 128):
        batch = events(steps, 5, 11, 4)
        with KeptBytes(*net.parameters(), batch[0]) as kept:
            report, _ = gradients(stllr.gradients, net, *batch, STLLR(last_steps=20))
        kept_local.append(kept.peak)
        state.append(report.state_bytes)
        with KeptBytes(*net.parameters(), batch[0]) as kept:
            gradients(bptt.gradients, net, *batch)
        kept_bptt.append(kept.peak)
    assert len(set(state)) == 1
    assert max(kept_local) < 1.2 * min(kept_local)  # the number of spikes differs
    assert kept_bptt[1] / kept_bptt[0] == pytest.approx(2.0, rel=0.1)
    assert kept_bptt[2] / kept_bptt[1] == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("chunk", [1, 4, 50])
def test_the_trace_of_psi_is_kept_only_where_it_is_asked_for(dtype, chunk):
    """u⁺ of 9 + 7 + 4 neurons, q of 11 + 9 + 7 inputs, and h of 9 + 7 spiking neurons unless α_post = 0."""
    net, (x, y), size = network().to(dtype), events(20, 5, 11, 4), 5 * dtype.itemsize
    x = x.to(dtype)
    with_h, without = (
        gradients(stllr.gradients, net, x, y, STLLR(Factors(0.3, 0.7, alpha), 7, chunk=chunk))[0].state_bytes
        for alpha in (-0.5, 0.0)
    )
    assert without == size * (9 + 7 + 4 + 11 + 9 + 7)
    assert with_h == without + size * (9 + 7)
    assert gradients(ottt.gradients, net, x, y)[0].state_bytes == without


@pytest.mark.parametrize("last_steps", [None, 7])
def test_size_of_pieces_does_not_change_the_result(last_steps):
    net, batch = network(readout_decay=0.9), events(20, 5, 11, 4)
    reference, expected = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.3, 0.7, -0.5), last_steps, chunk=1))
    for chunk in (3, 16, 64):
        report, local = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.3, 0.7, -0.5), last_steps, chunk=chunk))
        assert largest_difference(local, expected) < 1e-12
        assert report.loss == pytest.approx(reference.loss, abs=1e-12)


def test_leaky_readout_equals_backpropagation_through_time():
    net, batch = network(readout_decay=0.9), events(20, 5, 11, 4)
    _, local = gradients(stllr.gradients, net, *batch, STLLR(Factors(0.3, 0.7, -0.5)))
    _, through_time = gradients(bptt.gradients, net, *batch)
    for name in ("readout.connection.weight", "readout.connection.bias"):
        assert torch.allclose(local[name], through_time[name], atol=1e-12)


def test_simulation_gives_the_rule_its_outputs():
    net, batch = network(), events(20, 5, 11, 4)
    report, _ = gradients(stllr.gradients, net, *batch)
    assert torch.allclose(spiking_logits(net, batch[0], size=7), report.logits, atol=1e-12)


def golden_layer(vectors, reset):
    weight = torch.tensor(vectors["param_weight"])
    layer = SpikingLayer(
        nn.Linear(weight.shape[1], weight.shape[0]),
        Neuron(float(torch.sigmoid(torch.tensor(float(vectors["leak_logit"])))), float(vectors["threshold"])),
        psi_speech,
        reset=reset,
    )
    with torch.no_grad():
        layer.connection.weight.copy_(weight)
        layer.connection.bias.copy_(torch.tensor(vectors["param_bias"]))
        layer.gain.copy_(torch.tensor(vectors["param_gain"]))
    return layer


def close(ours, golden, tolerance=3e-5):
    """Relative distance below what float32 leaves: Ψ of slope 100 multiplies rounding errors of u by up to 200."""
    golden = torch.as_tensor(np.asarray(golden))
    return float((ours - golden).norm() / golden.norm()) < tolerance


@pytest.mark.parametrize(
    ("name", "reset"),
    [("stllr_linear_soft", soft_reset), ("stllr_linear_hard", hard_reset), ("stllr_linear_last4", soft_reset)],
)
@pytest.mark.parametrize("chunk", [1, 5, 16])
def test_dense_golden_vectors_as_released(golden, name, reset, chunk):
    vectors = golden(name)
    layer = golden_layer(vectors, reset)
    x, delta = torch.tensor(vectors["x"]), torch.tensor(vectors["learning_signal"])
    params = STLLR(Factors(*vectors["factors"].tolist()), int(vectors["last_steps"]), True, False, chunk)
    taught = teach_layer(layer, x, delta[-params.last_steps :], params)
    assert torch.equal(taught.output, torch.tensor(vectors["spikes"]))
    assert close(taught.traces.neurons.rest, vectors["membrane_after_reset"][-1])
    assert close(taught.traces.q, vectors["trace_pre"][-1])
    assert close(taught.traces.h, vectors["trace_post"][-1])
    assert close(layer.connection.weight.grad, vectors["grad_weight"])
    assert close(layer.connection.bias.grad, vectors["grad_bias"])
    assert close(layer.gain.grad, vectors["grad_gain"])
    assert close(taught.below, vectors["grad_x"])


def test_paper_form_differs_from_the_released_form_by_one_decay(golden):
    vectors = golden("stllr_linear_soft")
    layer = golden_layer(vectors, soft_reset)
    x, delta = torch.tensor(vectors["x"]), torch.tensor(vectors["learning_signal"])
    non_causal = Factors(*vectors["factors"].tolist())._replace(alpha_pre=0.0)
    teach_layer(layer, x, delta, STLLR(non_causal))
    paper = layer.connection.weight.grad.clone()
    layer.zero_grad()
    teach_layer(layer, x, delta, STLLR(non_causal, released_noncausal=True))
    assert torch.allclose(paper, non_causal.lambda_post * layer.connection.weight.grad, rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "params", "words"),
    [
        (torch.zeros(0, 3, 11), torch.zeros(3, dtype=torch.long), STLLR(), "at least one step"),
        (torch.full((5, 3, 11), float("nan")), torch.zeros(3, dtype=torch.long), STLLR(), "NaN"),
        (torch.zeros(5, 3, 11), torch.full((3,), 9), STLLR(), r"labels must lie in 0\.\.3"),
        (
            torch.zeros(5, 3, 11),
            torch.zeros(3, dtype=torch.long),
            STLLR(last_steps=6),
            r"last_steps must lie in 1\.\.5",
        ),
        (torch.zeros(5, 3, 11), torch.zeros(3, dtype=torch.long), STLLR(Factors(1.1)), "lambda_post"),
        (torch.zeros(5, 3, 12), torch.zeros(3, dtype=torch.long), STLLR(), "11 inputs"),
    ],
)
def test_bad_input_is_quoted(x, y, params, words):
    with pytest.raises(ValueError, match=words):
        stllr.gradients(network(), x.double(), y, params)


def test_labels_that_do_not_fit_the_batch_are_quoted():
    with pytest.raises(ValueError, match=r"shape \(3,\), got \(4,\)"):
        check_batch(torch.zeros(5, 3, 11), torch.zeros(4, dtype=torch.long))


def test_every_layer_of_a_network_is_run():
    assert list(layers_with_memory(network(readout_decay=0.9))) == ["hidden.0", "hidden.1", "readout"]
