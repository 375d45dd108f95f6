"""The batches of other benchmarks with two threads against one, ours and the peers': seconds that pass.

torch shares its matrix products and convolutions among threads. Our compiled loops stay with one: a thread of ours on
the second core meets torch's, which waits there actively for its next product (docs/measured.md, "What did not make a
batch faster"). With two threads convolutions are left to the library at half the density of spikes
(`workbench.kernels.compiled_convolution`).
"""

from collections.abc import Callable
from functools import partial

import torch

from bench import dense, recurrent, tess, vgg
from bench.measure import alternate, one_thread

Batch = Callable[[], object]
THREADS = 2


def in_threads(number: int, run: Batch) -> None:
    """Run with so many threads; one again afterwards."""
    torch.set_num_threads(number)
    try:
        run()
    finally:
        one_thread()


def gain(run: Batch, repeats: int) -> float:
    """Seconds with one thread divided by seconds with two; medians of runs in turn."""
    two, one = alternate(partial(in_threads, THREADS, run), partial(in_threads, 1, run), repeats)
    return one / two


def report(name: str, ours: Batch, theirs: Batch, repeats: int = 5) -> dict[str, object]:
    """How many times faster two threads are: of our batch as the ratio, and of the peer's."""
    mine = gain(ours, repeats)
    return {"name": name, "peer": "itself in one thread", "ratio": mine, "peer_gain": gain(theirs, repeats)}


def of_dense(name: str, last: int | None) -> dict[str, object]:
    """The dense network, 700–450–450–20."""
    net, (x, y) = dense.our_network(), dense.events(128)
    peer = dense.SnnTorchMLP(net)
    ours = partial(dense.stllr_batch, net, x, y, last)
    return report(name, ours, partial(dense.snntorch_batch, peer, x, y, last))


def of_recurrent(name: str, last: int | None) -> dict[str, object]:
    """The recurrent network, 700–450–20."""
    net, (x, y) = recurrent.our_network(), recurrent.events(256)
    peer = recurrent.SnnTorchRecurrent(net)
    ours = partial(recurrent.stllr_batch, net, x, y, last)
    return report(name, ours, partial(recurrent.snntorch_batch, peer, x, y, last))


def of_images(name: str, taught_by_waves: bool) -> dict[str, object]:
    """The small VGG, taught by S-TLLR or by TESS; the last steps learn."""
    net, (x, y) = vgg.our_network(), vgg.events(100)
    stllr = partial(vgg.stllr_batch, net, x, y)
    ours = partial(tess.tess_batch, net, tess.params(net, vgg.LAST), x, y) if taught_by_waves else stllr
    return report(name, ours, partial(vgg.through_time_batch, vgg.SnnTorchVGG(net), x, y), repeats=3)


BENCHMARKS = {
    "threads-dense": partial(of_dense, "threads-dense", None),
    "threads-recurrent": partial(of_recurrent, "threads-recurrent", None),
    "threads-recurrent-last10": partial(of_recurrent, "threads-recurrent-last10", 10),
    "threads-vgg": partial(of_images, "threads-vgg", False),
    "threads-tess": partial(of_images, "threads-tess", True),
}
