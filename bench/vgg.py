"""A small VGG (a quarter of VGG-9's channels) on 2 × 32 × 32 events, B = 8, T = 100, the last 5 steps learn.

One thread. The peer is snnTorch as its tutorials write it: a loop over time of `nn.Conv2d`, `snn.Leaky` (reset by
subtraction) and `nn.AvgPool2d`, with the same Ψ and plain weights. SpikingJelly is measured where it is installed.
"""

import importlib.util
import sys
from functools import partial

import snntorch
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.measure import compared, in_process, one_thread, peak_extra_bytes, product_peak, timings
from workbench.cost import layer_sizes
from workbench.kernels import current_loops
from workbench.networks import RELEASED_IMAGES, AveragePool, Cells, SpikingLayer, SpikingSequential, small_vgg
from workbench.neurons import Factors, psi_gesture, spike
from workbench.rules import BPTT, STLLR, bptt, stllr

BATCH, CLASSES, LAST, CHUNK = 8, 10, 5, 4
CELLS = Cells(RELEASED_IMAGES, psi_gesture, gain=2.0)
FACTORS = Factors(0.2, 0.75, -1.0, 1.0)


def events(steps: int, batch: int = BATCH) -> tuple[Tensor, Tensor]:
    """Random events (time, batch, 2, 32, 32), 5 % per pixel and step, and labels."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(steps, batch, 2, 32, 32, generator=generator) < 0.05
    return x.float(), torch.randint(0, CLASSES, (batch,), generator=generator)


def our_network() -> SpikingSequential:
    torch.manual_seed(0)
    return small_vgg(CLASSES, cells=CELLS)


def stllr_batch(net: SpikingSequential, x: Tensor, y: Tensor) -> stllr.StepReport:
    """One batch of S-TLLR, as published: standardised weights."""
    net.zero_grad()
    return stllr.gradients(net, x, y, STLLR(FACTORS, LAST, chunk=CHUNK))


class SnnTorchVGG(nn.Module):
    """The same net in snnTorch with the effective weights of `net`, so that both have nearly the same spikes."""

    def __init__(self, net: SpikingSequential):
        super().__init__()
        parts = []
        for part in net:
            if isinstance(part, SpikingLayer):
                assert isinstance(part.connection, nn.Conv2d)
                conv = nn.Conv2d(part.connection.in_channels, part.connection.out_channels, 3, padding=1)
                conv.weight = nn.Parameter(part.effective_weight().detach().clone())
                parts += [conv, leaky(RELEASED_IMAGES.decay, RELEASED_IMAGES.threshold)]
            elif isinstance(part, AveragePool):
                parts.append(nn.AvgPool2d(2))
            else:
                parts.append(getattr(part, "connection", part))
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        membranes = {part: part.reset_mem() for part in self.parts if isinstance(part, snntorch.Leaky)}
        outputs = []
        for z in x:
            for part in self.parts:
                if isinstance(part, snntorch.Leaky):
                    z, membranes[part] = part(z, membranes[part])
                else:
                    z = part(z)
            outputs.append(z)
        return torch.stack(outputs)


def leaky(decay: float, threshold: float) -> snntorch.Leaky:
    """snnTorch's neuron with the Ψ of S-TLLR."""
    psi = partial(spike, psi=psi_gesture)
    return snntorch.Leaky(beta=decay, threshold=threshold, spike_grad=psi, reset_mechanism="subtract")


def through_time_batch(net: nn.Module, x: Tensor, y: Tensor) -> None:
    """One batch of backpropagation through time; the loss of the last steps."""
    net.zero_grad()
    output = net(x)[-LAST:]
    (F.cross_entropy(output.flatten(0, 1), y.repeat(LAST), reduction="sum") / len(y)).backward()


def spikingjelly_network(net: SpikingSequential) -> nn.Module | None:
    """The same in SpikingJelly, every layer over all steps at once; None where it is not installed."""
    if importlib.util.find_spec("spikingjelly") is None:
        return None
    from spikingjelly.activation_based import functional, layer, neuron, surrogate  # pyright: ignore

    def lif() -> nn.Module:
        """LIF neurons of the same γ and threshold with its usual surrogate."""
        psi, tau = surrogate.ATan(), 1.0 / (1.0 - RELEASED_IMAGES.decay)
        return neuron.LIFNode(tau, False, RELEASED_IMAGES.threshold, None, psi, detach_reset=True, step_mode="m")

    parts = [
        lif() if isinstance(part, snntorch.Leaky) else layer.SeqToANNContainer(part) for part in SnnTorchVGG(net).parts
    ]

    class Whole(nn.Sequential):
        """Forgets the membranes of the batch before."""

        def forward(self, input: Tensor) -> Tensor:
            functional.reset_net(self)
            return super().forward(input)

    return Whole(*parts)


def speed(steps: int = 100) -> dict[str, object]:
    """Seconds per batch of both, and what part of the machine's best matrix product the forward pass reaches."""
    one_thread()
    net, (x, y) = our_network(), events(steps)
    peer = SnnTorchVGG(net)
    ours, theirs = timings(partial(stllr_batch, net, x, y), partial(through_time_batch, peer, x, y), repeats=3)
    jelly, numbers = spikingjelly_network(net), {}
    if jelly is not None:
        again, other = timings(partial(stllr_batch, net, x, y), partial(through_time_batch, jelly, x, y), repeats=3)
        numbers = {"spikingjelly_ratio": other.elapsed / again.elapsed}
    macs = sum(size.macs for size in layer_sizes(net, x)) * BATCH * (steps + 2 * LAST)
    peak = product_peak()
    return compared(
        "vgg",
        "snnTorch BPTT",
        ours,
        theirs,
        steps=steps,
        last_steps=LAST,
        loops=current_loops(),
        spike_rates=stllr_batch(net, x, y).spike_rates,
        peak_gmacs_per_second=peak / 1e9,
        dense_of_peak=macs / ours.processor / peak,
        **numbers,
    )


def memory() -> dict[str, object]:
    """Peak extra memory of one batch at T = 20 and 100, each in a process of its own, against snnTorch at 100."""
    ours = {steps: in_process("bench.vgg", "stllr", steps) for steps in (20, 100)}
    snn, unrolled = (in_process("bench.vgg", rule, 100) for rule in ("snntorch", "bptt"))
    return {
        "name": "vgg-memory",
        "peer": "snnTorch BPTT",
        "ratio": snn / ours[100],
        "bytes": ours[100],
        "peer_bytes": snn,
        "growth": ours[100] / ours[20],
        "our_bptt_bytes": unrolled,
    }


def peak(rule: str, steps: int) -> int:
    """Peak extra bytes of one batch in this process."""
    one_thread()
    net, (x, y), tiny = our_network(), events(steps), events(2 * CHUNK, 1)
    batch = {
        "stllr": partial(stllr_batch, net),
        "snntorch": partial(through_time_batch, SnnTorchVGG(net)),
        "bptt": partial(bptt.gradients, net, params=BPTT(LAST)),
    }[rule]
    return peak_extra_bytes(lambda: batch(x, y), lambda: batch(*tiny))


BENCHMARKS = {"vgg": speed, "vgg-memory": memory}

if __name__ == "__main__":
    print(peak(sys.argv[1], int(sys.argv[2])))
