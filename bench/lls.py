"""LLS against backpropagation on SmallConv and VGG8: seconds per batch and memory, CIFAR-sized images, one thread.

Both train the same network in the same memory layout; what is timed fills `.grad` for one batch of 128. A second peer
is LLS as one would first write it: block after block with autograd through the local loss, torch's default layout,
and the basis built anew in every step.
"""

import sys
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.measure import alternate, in_process, one_thread, peak_extra_bytes
from workbench.experiments import NetworkMaker
from workbench.meters import KeptBytes
from workbench.networks import BlockNetwork, small_conv, vgg8
from workbench.rules import LLS, backprop, lls, local_head

CLASSES, SHAPE = 10, (3, 32, 32)


def network(make: NetworkMaker) -> BlockNetwork:
    return make(CLASSES, SHAPE[0], local_head(CLASSES), 0)


def images(batch: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, *SHAPE, generator=generator)
    return x, torch.randint(0, CLASSES, (batch,), generator=generator)


def lls_batch(net: BlockNetwork, x: Tensor, y: Tensor) -> None:
    net.zero_grad()
    lls.gradients(net, x, y)


def backprop_batch(net: BlockNetwork, x: Tensor, y: Tensor) -> None:
    net.zero_grad()
    backprop.gradients(net, x, y)


def straightforward(net: BlockNetwork) -> BlockNetwork:
    """The same sizes as torch lays them out by default, with LeakyReLU in a tensor of its own."""
    net = net.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]
    for module in net.modules():
        if isinstance(module, nn.LeakyReLU):
            module.inplace = False
    return net


def straightforward_batch(net: BlockNetwork, x: Tensor, y: Tensor) -> None:
    """LLS without closed form, pieces or a kept basis."""
    net.zero_grad()
    for block in net.blocks:
        a = block.features(x)
        z = block.latents(a)
        frequency, k = torch.linspace(50.0, 512.0, CLASSES), torch.arange(z.shape[1])
        basis = torch.sin(frequency[:, None] * k).sign()
        F.cross_entropy(F.normalize(z) @ basis.T / LLS().temperature, y).backward()
        x = block.between(a.detach())
    F.cross_entropy(net.classifier(x), y).backward()


def speed(name: str, make: NetworkMaker, repeats: int, batch: int = 128) -> dict[str, object]:
    """Seconds per batch of backpropagation over ours; beside it that of the straightforward LLS."""
    one_thread()
    net, plain, (x, y) = network(make), straightforward(network(make)), images(batch)
    ours, theirs = alternate(partial(lls_batch, net, x, y), partial(backprop_batch, net, x, y), repeats)
    again, simple = alternate(partial(lls_batch, net, x, y), partial(straightforward_batch, plain, x, y), repeats)
    return {
        "name": name,
        "peer": "backpropagation",
        "ratio": theirs / ours,
        "ratio_to_straightforward_lls": simple / again,
        "seconds": ours,
        "peer_seconds": theirs,
        "straightforward_seconds": simple,
        "batch": batch,
    }


def memory(batch: int = 32) -> dict[str, object]:
    """Bytes that autograd keeps at the worst moment for VGG8; beside it the peak of the whole process."""
    kept = [kept_bytes(run, batch) for run in (lls_batch, backprop_batch)]
    peaks = [in_process("bench.lls", rule, batch) for rule in ("lls", "backprop")]
    return {
        "name": "lls-memory",
        "peer": "backpropagation",
        "ratio": kept[1] / kept[0],
        "bytes": kept[0],
        "peer_bytes": kept[1],
        "peak_ratio": peaks[1] / peaks[0],
        "peak_bytes": peaks[0],
        "peer_peak_bytes": peaks[1],
        "batch": batch,
    }


def kept_bytes(run, batch: int) -> int:
    """Peak of what autograd saves for VGG8, the network's own tensors and the input left out."""
    net, (x, y) = network(vgg8), images(batch)
    with KeptBytes(*net.parameters(), *net.buffers(), x) as kept:
        run(net, x, y)
    return kept.peak


def peak(rule: str, batch: int) -> int:
    """Peak extra bytes of one batch of VGG8 in this process, the gradients of all weights (25 MB) among them."""
    one_thread()
    net, run = network(vgg8), lls_batch if rule == "lls" else backprop_batch
    return peak_extra_bytes(lambda: run(net, *images(batch)), lambda: run(net, *images(2)))


BENCHMARKS = {
    "lls-smallconv": partial(speed, "lls-smallconv", small_conv, 15),
    "lls-vgg8": partial(speed, "lls-vgg8", vgg8, 3),
    "lls-memory": memory,
}

if __name__ == "__main__":
    print(peak(sys.argv[1], int(sys.argv[2])))
