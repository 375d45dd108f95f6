"""A dense net of 700–450–450–20 neurons: S-TLLR against snnTorch's backpropagation through time.

T = 128 steps, B = 32 samples, 3 % of the inputs spike per step, plain weights, one thread. The peer is snnTorch as its
tutorials write it: a loop over time of `nn.Linear` and `snn.Leaky` (reset by subtraction), with the same Ψ.
"""

import sys
from functools import partial

import snntorch
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.measure import compared, in_process, one_thread, peak_extra_bytes, timings
from workbench.networks import SpikingMLP
from workbench.neurons import Factors, Neuron, psi_speech, spike
from workbench.rules import STLLR, stllr

SIZES, CLASSES, NEURON = (700, 450, 450), 20, Neuron(0.9, 0.6)
FACTORS = Factors(0.5, 0.8, 1.0, 1.0)
LENGTHS = (32, 64, 128, 256, 512, 1000)  # steps


def events(steps: int, batch: int = 32) -> tuple[Tensor, Tensor]:
    """Random spikes (time, batch, 700), 3 % per step, and labels."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(steps, batch, SIZES[0], generator=generator) < 0.03
    return x.float(), torch.randint(0, CLASSES, (batch,), generator=generator)


def our_network() -> SpikingMLP:
    torch.manual_seed(0)
    return SpikingMLP(SIZES, CLASSES, NEURON, psi_speech, standardize=False)


class SnnTorchMLP(nn.Module):
    """The same net in snnTorch; linear maps taken from `net`, so that both have the same spikes."""

    def __init__(self, net: SpikingMLP):
        super().__init__()
        self.maps = nn.ModuleList(layer.connection for layer in net.hidden)  # pyright: ignore
        self.neurons = nn.ModuleList(
            snntorch.Leaky(
                beta=NEURON.decay,
                threshold=NEURON.threshold,
                spike_grad=partial(spike, psi=psi_speech),
                reset_mechanism="subtract",
            )
            for _ in net.hidden
        )
        self.readout = net.readout.connection

    def forward(self, x: Tensor) -> Tensor:
        membranes = [neuron.reset_mem() for neuron in self.neurons]  # pyright: ignore
        outputs = []
        for z in x:
            for i, (linear, neuron) in enumerate(zip(self.maps, self.neurons, strict=True)):
                z, membranes[i] = neuron(linear(z), membranes[i])
            outputs.append(self.readout(z))
        return torch.stack(outputs)


def snntorch_batch(net: SnnTorchMLP, x: Tensor, y: Tensor, last_steps: int | None = None) -> None:
    """One batch of backpropagation through time: the sum over steps of each step's cross-entropy."""
    net.zero_grad()
    output = net(x)[-(last_steps or len(x)) :]
    (F.cross_entropy(output.flatten(0, 1), y.repeat(len(output)), reduction="sum") / len(y)).backward()


def stllr_batch(net: SpikingMLP, x: Tensor, y: Tensor, last_steps: int | None = None) -> stllr.StepReport:
    """One batch of S-TLLR."""
    net.zero_grad()
    return stllr.gradients(net, x, y, STLLR(FACTORS, last_steps))


def speed(name: str, last_steps: int | None, steps: int = 128) -> dict[str, object]:
    """Seconds per batch of both, and their ratio."""
    one_thread()
    net = our_network()
    peer = SnnTorchMLP(net)
    x, y = events(steps)
    rates = stllr_batch(net, x, y).spike_rates
    ours, theirs = timings(partial(stllr_batch, net, x, y, last_steps), partial(snntorch_batch, peer, x, y, last_steps))
    return compared(name, "snnTorch BPTT", ours, theirs, steps=steps, last_steps=last_steps, spike_rates=rates)


def memory() -> dict[str, object]:
    """Peak extra memory of one batch at T = 32 and 256, each in a process of its own; the ratio is that at 256."""
    ours = {steps: in_process("bench.dense", "stllr", steps) for steps in (32, 256)}
    theirs = {steps: in_process("bench.dense", "snntorch", steps) for steps in (32, 256)}
    return {
        "name": "dense-memory",
        "peer": "snnTorch BPTT",
        "ratio": theirs[256] / ours[256],
        "bytes": ours[256],
        "peer_bytes": theirs[256],
        "bytes_at_32": ours[32],
        "peer_bytes_at_32": theirs[32],
        "growth": ours[256] / ours[32],
    }


def memory_over_time() -> dict[str, object]:
    """Peak extra memory of one batch at lengths up to T = 1,000; the ratio is that at the longest."""
    ours, theirs = (
        {steps: in_process("bench.dense", rule, steps) for steps in LENGTHS} for rule in ("stllr", "snntorch")
    )
    shortest, longest = LENGTHS[0], LENGTHS[-1]
    return {
        "name": "dense-memory-over-time",
        "peer": "snnTorch BPTT",
        "ratio": theirs[longest] / ours[longest],
        "growth": ours[longest] / ours[shortest],
        "peer_growth": theirs[longest] / theirs[shortest],
        "bytes_by_steps": {str(steps): each for steps, each in ours.items()},
        "peer_bytes_by_steps": {str(steps): each for steps, each in theirs.items()},
    }


def peak(rule: str, steps: int) -> int:
    """Peak extra bytes of one batch in this process."""
    one_thread()
    net = our_network()
    batch = partial(stllr_batch, net) if rule == "stllr" else partial(snntorch_batch, SnnTorchMLP(net))
    (x, y), tiny = events(steps), events(2, 2)
    return peak_extra_bytes(lambda: batch(x, y), lambda: batch(*tiny))


BENCHMARKS = {
    "dense": partial(speed, "dense", None),
    "dense-last10": partial(speed, "dense-last10", 10),
    "dense-memory": memory,
    "dense-memory-over-time": memory_over_time,
}

if __name__ == "__main__":
    print(peak(sys.argv[1], int(sys.argv[2])))
