"""The sound network, 700–450 recurrent–20, T = 256, B = 32: S-TLLR against snnTorch and against a plain implementation.

3 % of the inputs spike per step; plain weights in the comparison with snnTorch, one thread. Peers:

    snnTorch BPTT     its tutorials' way: a loop over time of `nn.Linear`, `snn.RLeaky` (subtracting reset), `snn.Leaky`
    plain BPTT        weights standardised anew in every step of one graph, as the baseline of the S-TLLR paper does
    plain S-TLLR      the published algorithm: one graph per step, outer products per sample in the recurrent layer

Event-driven loops are compiled by numba where the extra `fast` is installed, else they are plain torch.
"""

import sys
from functools import partial

import snntorch
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.measure import compared, in_process, one_thread, peak_extra_bytes, product_peak, timings
from workbench.cost import measure
from workbench.kernels import TORCH, current_loops
from workbench.networks import SpikingLayer, SpikingMLP, sound_network, spiking_layers
from workbench.neurons import Factors, Neuron, psi_speech, spike
from workbench.rules import STLLR, stllr

INPUTS, NEURONS, CLASSES, NEURON = 700, 450, 20, Neuron(0.99, 0.6)
FACTORS = Factors(0.5, 0.8, 1.0, 1.0)


def events(steps: int, batch: int = 32) -> tuple[Tensor, Tensor]:
    """Random spikes (time, batch, 700), 3 % per step, and labels."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(steps, batch, INPUTS, generator=generator) < 0.03
    return x.float(), torch.randint(0, CLASSES, (batch,), generator=generator)


def our_network(standardize: bool = False) -> SpikingMLP:
    """The network with weights scaled so that a few per cent of the neurons fire per step."""
    torch.manual_seed(0)
    net = sound_network(INPUTS, NEURONS, CLASSES, NEURON, standardize=standardize)
    with torch.no_grad():
        for parameter in net.hidden.parameters():
            parameter.mul_(0.5)
    return net


def recurrent_layer(net: SpikingMLP) -> SpikingLayer:
    """Its one hidden layer."""
    return next(iter(spiking_layers(net).values()))


def stllr_batch(
    net: SpikingMLP, x: Tensor, y: Tensor, last_steps: int | None = None, chunk: int = 32
) -> stllr.StepReport:
    """One batch of S-TLLR."""
    net.zero_grad()
    return stllr.gradients(net, x, y, STLLR(FACTORS, last_steps, chunk=chunk))


class SnnTorchRecurrent(nn.Module):
    """The same net in snnTorch, with the weights of `net`, so that both have nearly the same spikes."""

    def __init__(self, net: SpikingMLP):
        super().__init__()
        layer = recurrent_layer(net)
        self.map, self.readout = layer.connection, net.readout.connection
        self.neurons = snntorch.RLeaky(
            beta=NEURON.decay,
            threshold=NEURON.threshold,
            linear_features=NEURONS,
            spike_grad=partial(spike, psi=psi_speech),
            reset_mechanism="subtract",
        )
        self.neurons.recurrent.weight = layer.recurrent.weight  # pyright: ignore
        self.integrator = snntorch.Leaky(beta=NEURON.decay, reset_mechanism="none")

    def forward(self, x: Tensor) -> Tensor:
        z, membrane = self.neurons.init_rleaky()  # pyright: ignore
        integral, outputs = self.integrator.reset_mem(), []
        for now in x:
            z, membrane = self.neurons(self.map(now), z, membrane)
            _, integral = self.integrator(self.readout(z), integral)
            outputs.append(integral)
        return torch.stack(outputs)


def step_losses(output: Tensor, y: Tensor) -> Tensor:
    """Sum over steps of the cross-entropy of each output."""
    return F.cross_entropy(output.flatten(0, 1), y.repeat(len(output)), reduction="sum") / len(y)


def snntorch_batch(net: SnnTorchRecurrent, x: Tensor, y: Tensor, last_steps: int | None = None) -> None:
    """One batch of backpropagation through time."""
    net.zero_grad()
    step_losses(net(x)[-(last_steps or len(x)) :], y).backward()


State = tuple[Tensor, Tensor, Tensor]


def plain_step(net: SpikingMLP, x: Tensor, state: State) -> tuple[State, Tensor]:
    """One step of the network with all its weights standardised anew: u⁺, z and the readout; and u."""
    rest, z, integral = state
    layer = recurrent_layer(net)
    weight, recurrent = layer.effective_weights()
    assert recurrent is not None
    u = NEURON.decay * rest + F.linear(x, weight, layer.connection.bias) + F.linear(z, recurrent)
    z = spike(u - NEURON.threshold, psi_speech)
    integral = NEURON.decay * integral + net.readout.connection(z)
    return (u - NEURON.threshold * z.detach(), z, integral), u


def start(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Zero state."""
    batch = x.shape[1]
    return torch.zeros(batch, NEURONS), torch.zeros(batch, NEURONS), torch.zeros(batch, CLASSES)


def plain_bptt_batch(net: SpikingMLP, x: Tensor, y: Tensor, last_steps: int | None = None) -> None:
    """Backpropagation through time without any library of spiking neurons."""
    net.zero_grad()
    state, outputs = start(x), []
    for now in x:
        state, _ = plain_step(net, now, state)
        outputs.append(state[2])
    step_losses(torch.stack(outputs[-(last_steps or len(x)) :]), y).backward()


def plain_stllr_batch(net: SpikingMLP, x: Tensor, y: Tensor, last_steps: int | None = None) -> None:
    """The published algorithm, step by step: a graph per step, and outer products per sample in the recurrent layer."""
    net.zero_grad()
    state, readout = start(x), net.readout.connection.weight
    lambda_post, lambda_pre, alpha_post, alpha_pre = FACTORS
    q, q_recurrent, q_readout = torch.zeros_like(x[0]), torch.zeros_like(state[0]), torch.zeros_like(state[0])
    h = torch.zeros_like(state[0])
    for t, now in enumerate(x):
        past = state[1]
        rest, z, integral = (s.detach() for s in state)
        state, u = plain_step(net, now, (rest, z, integral))
        q, q_recurrent = lambda_pre * q + now, lambda_pre * q_recurrent + past.detach()
        q_readout, psi = NEURON.decay * q_readout + state[1].detach(), psi_speech(u.detach() - NEURON.threshold)
        if t >= len(x) - (last_steps or len(x)):
            error = torch.autograd.grad(step_losses(state[2][None], y), state[2], retain_graph=True)[0]
            delta = error @ readout.detach()
            outer = []
            for trace, present in ((q, now), (q_recurrent, past.detach())):
                causal = torch.einsum("bi,bj->bij", delta * psi, trace)
                outer.append((alpha_pre * causal + alpha_post * torch.einsum("bi,bj->bij", delta * h, present)).sum(0))
            for weight, grad in zip(recurrent_layer(net).effective_weights(), outer, strict=True):
                weight.backward(grad)  # pyright: ignore
            readout.grad = error.T @ q_readout + (0.0 if readout.grad is None else readout.grad)
        h = lambda_post * h + psi


def speed(name: str, last_steps: int | None, steps: int = 256) -> dict[str, object]:
    """Seconds per batch against snnTorch, and against the plain form of the same rule at a quarter of the steps."""
    one_thread()
    net, standardized = our_network(), our_network(standardize=True)
    peer, (x, y) = SnnTorchRecurrent(net), events(steps)
    ours, theirs = timings(
        partial(stllr_batch, net, x, y, last_steps), partial(snntorch_batch, peer, x, y, last_steps), repeats=7
    )
    part = x[: steps // 4]
    same, plain = timings(
        partial(stllr_batch, standardized, part, y, last_steps),
        partial(plain_stllr_batch, standardized, part, y, last_steps),
        repeats=2,
    )
    return compared(
        name,
        "snnTorch BPTT",
        ours,
        theirs,
        plain_stllr_ratio=plain.processor / same.processor,
        steps=steps,
        last_steps=last_steps,
        loops=current_loops(),
        spike_rates=stllr_batch(net, x, y).spike_rates,
        **use_of_the_machine(net, x, y, last_steps, ours.processor),
    )


def use_of_the_machine(
    net: SpikingMLP, x: Tensor, y: Tensor, last_steps: int | None, seconds: float
) -> dict[str, object]:
    """Products per second, those that were made and those that dense matrices would take, against the best matrix
    product of this machine."""
    rule = partial(stllr.gradients, params=STLLR(FACTORS, last_steps, kernels=TORCH))
    made, peak = measure(rule, net, x, y).macs, product_peak()
    learning, per_step = last_steps or len(x), 32 * NEURONS * (INPUTS + NEURONS + CLASSES)
    dense = per_step * (len(x) + learning) + learning * 32 * NEURONS * CLASSES
    return {
        "peak_gmacs_per_second": peak / 1e9,
        "made_of_peak": made / seconds / peak,
        "dense_of_peak": dense / seconds / peak,
    }


def memory() -> dict[str, object]:
    """Peak extra memory of one batch at T = 32 and 256, each in a process of its own, against plain BPTT at 256."""
    runs = {rule: {steps: in_process("bench.recurrent", rule, steps) for steps in (32, 256)} for rule in PEAKS}
    ours, plain, snn = runs["stllr"], runs["plain"], runs["snntorch"]
    return {
        "name": "recurrent-memory",
        "peer": "plain BPTT",
        "ratio": plain[256] / ours[256],
        "bytes": ours[256],
        "peer_bytes": plain[256],
        "growth": ours[256] / ours[32],
        "snntorch_ratio": snn[256] / ours[256],
        "snntorch_bytes": snn[256],
    }


def peak(rule: str, steps: int) -> int:
    """Peak extra bytes of one batch in this process."""
    one_thread()
    batch = PEAKS[rule]
    (x, y), tiny = events(steps), events(40, 2)
    return peak_extra_bytes(lambda: batch(x, y), lambda: batch(*tiny))


PEAKS = {
    "stllr": lambda x, y: stllr_batch(our_network(standardize=True), x, y),
    "plain": lambda x, y: plain_bptt_batch(our_network(standardize=True), x, y),
    "snntorch": lambda x, y: snntorch_batch(SnnTorchRecurrent(our_network()), x, y),
}
BENCHMARKS = {
    "recurrent": partial(speed, "recurrent", None),
    "recurrent-last10": partial(speed, "recurrent-last10", 10),
    "recurrent-memory": memory,
}

if __name__ == "__main__":
    print(peak(sys.argv[1], int(sys.argv[2])))
