"""LANCE against a HOSVD at every step: an economy SVD of all four unfoldings of each input, as the published baseline
(arXiv 2411.06346) runs it. Batches of 128, energy 0.7, one thread.

The layers are those of `bench.compression`, and two of the size that the paper's ResNet-18 ends with. The paper counts
n² m operations for each unfolding (n ≥ m its sides), a full SVD; that is 70 to 80 times the operations of a whole step
of these layers. The economy SVD that is really run takes far fewer, so the ratio of seconds is smaller than the paper's
of operations: what remains of a step are the exact convolutions, which both sides run alike.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from bench.compression import BATCH, ENERGY, compressed, some, stepper, task
from bench.measure import alternate, one_thread
from workbench.compression import Modes, compress, hosvd_each_step
from workbench.experiments import LAYERS, LabelledImages, freeze_except, inputs_of, with_hosvd
from workbench.networks import ImageNetBlock

PAPER_LAYERS = ("0.conv1", "0.conv2")


def hosvd_time() -> dict[str, object]:
    """`ratio`: what compression itself costs, the projections against the decompositions of the same inputs.

    `ratio_whole_step`, `ratio_unfrozen_part`: whole training steps, of the network and of its unfrozen part alone.
    `paper_…`: the same for layers of the paper's size.
    """
    one_thread()
    t = task()
    lance, hosvd = compressed(t.whole, t.images.train.images), with_hosvd(t.whole, [], ENERGY)
    x, y = some(t.images.train)
    inputs = inputs_of_all(t.whole, LAYERS, x, y)
    ours, peer = alternate(
        partial(compress_all, lance, LAYERS, inputs), partial(compress_all, hosvd, LAYERS, inputs), repeats=5
    )
    tail = compressed(t.network, t.data.train.images), with_hosvd(t.network, [], ENERGY)
    return {
        "name": "lance-hosvd",
        "peer": "HOSVD of the same inputs at every step",
        "ratio": peer / ours,
        "seconds": ours,
        "peer_seconds": peer,
        "ratio_whole_step": step_ratio(lance, hosvd, x, y, repeats=5),
        "ratio_unfrozen_part": step_ratio(*tail, *some(t.data.train), repeats=5),
        **paper_sized(),
    }


def step_ratio(lance: nn.Module, hosvd: nn.Module, x: Tensor, y: Tensor, repeats: int) -> float:
    ours, peer = alternate(stepper(lance, x, y), stepper(hosvd, x, y), repeats)
    return peer / ours


def paper_sized() -> dict[str, float]:
    """The last two convolutions of a ResNet-18 for 224×224 images: 512 channels, 7×7, on noise behind a ReLU.

    Noise, because the published weights are not at hand: it leaves LANCE more directions to carry than photographs do.
    """
    torch.manual_seed(0)
    plain = nn.Sequential(ImageNetBlock(512, 512, stride=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 100))
    freeze_except(plain, [*PAPER_LAYERS, "3"])
    x, *others = (torch.randn(BATCH, 512, 7, 7).relu() for _ in range(3))
    y = torch.randint(0, 100, (BATCH,))
    lance = compress(plain, others, ENERGY, layers=PAPER_LAYERS)
    hosvd = hosvd_each_step(plain, PAPER_LAYERS, ENERGY, Modes(batch=True))
    inputs = inputs_of_all(plain, PAPER_LAYERS, x, y)
    projecting, decomposing = (partial(compress_all, n, PAPER_LAYERS, inputs) for n in (lance, hosvd))
    ours, peer = alternate(projecting, decomposing, repeats=2)
    return {"paper_ratio": peer / ours, "paper_ratio_unfrozen_part": step_ratio(lance, hosvd, x, y, repeats=3)}


def inputs_of_all(network: nn.Module, layers: Sequence[str], x: Tensor, y: Tensor) -> list[Tensor]:
    return [inputs_of(network, layer, LabelledImages(x, y)).images for layer in layers]


def compress_all(network: nn.Module, layers: Sequence[str], inputs: list[Tensor]) -> None:
    for layer, x in zip(layers, inputs, strict=True):
        network.get_submodule(f"{layer}.compressor")(x)


BENCHMARKS: dict[str, Callable[[], dict[str, object]]] = {"lance-hosvd": hosvd_time}
