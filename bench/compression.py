"""LANCE on the last four convolutions of a ResNet-20: batches of 128, energy 0.7, one thread.

The network is the published CIFAR-10 one, fine-tuned to 20 classes of CIFAR-100, where their files lie beside the
checkout, else our own with the new classes of Fashion-MNIST. The peer is backpropagation through the same unfrozen
layers; `bench.hosvd` has the other one.
`lance-memory` measures both networks: the notebook's, on whose inputs energy 0.7 leaves very few directions, gives the
ratio; the CIFAR-10 one, whose inputs are richer, is named beside it.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from bench.measure import alternate, one_thread
from workbench.compression import kept_by_formula
from workbench.data import Split
from workbench.experiments import (
    LabelledImages,
    Transfer,
    class_scores,
    fine_tuning,
    load_weights,
    new_clothes,
    sgd,
    trained_parameters,
    transfer,
)
from workbench.experiments import with_lance as lance_version
from workbench.meters import network_tensors, peak_process_bytes, saved_bytes
from workbench.networks import resnet20
from workbench.training import Plan, Setting, train

BATCH, ENERGY, EPOCHS, CLASSES = 128, 0.7, 8, 20
RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # with which the published network was trained


def task() -> Transfer:
    weights = RECORDINGS / "resnet20_cifar10_weights.npz"
    if not weights.is_file():
        return new_clothes()
    network = resnet20()
    load_weights(network, weights)
    with np.load(RECORDINGS / "cifar100_3500_1000_png.npz", allow_pickle=False) as file:
        return transfer(network, Split(cifar_images(file, "train"), cifar_images(file, "test")))


def cifar_images(file: np.lib.npyio.NpzFile, part: str) -> LabelledImages:
    """The images of the first 20 classes, standardised."""
    labels, offsets, packed = (file[f"{part}_{kind}"] for kind in ("labels", "offsets", "bytes"))
    rows = np.flatnonzero(labels < CLASSES)
    pictures = [np.asarray(Image.open(io.BytesIO(packed[offsets[i] : offsets[i + 1]].tobytes()))) for i in rows]
    x = torch.from_numpy(np.stack(pictures)).movedim(3, 1).float() / 255
    mean, deviation = (torch.tensor(numbers).view(3, 1, 1) for numbers in (MEAN, DEVIATION))
    return LabelledImages((x - mean) / deviation, torch.from_numpy(labels[rows].astype(np.int64)))


def batches(images: Tensor) -> list[Tensor]:
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    return [images[rows] for rows in order.split(BATCH) if len(rows) == BATCH]


def compressed(network: nn.Module, images: Tensor) -> nn.Module:
    return lance_version(network, batches(images), ENERGY)


def some(data: LabelledImages) -> tuple[Tensor, Tensor]:
    return data.batch(torch.randperm(len(data.labels), generator=torch.Generator().manual_seed(1))[:BATCH])


def stepper(network: nn.Module, x: Tensor, y: Tensor) -> Callable[[], object]:
    """One whole training step: forward, gradients, update."""
    optimizer = sgd(network)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        fine_tuning.gradients(network, x, y)
        optimizer.step()

    return step


def step_time() -> dict[str, object]:
    """Seconds of a LANCE step against one of backpropagation; of the whole network, and of the unfrozen part alone."""
    one_thread()
    t = task()
    x, y = some(t.images.train)
    lance = compressed(t.whole, t.images.train.images)
    ours, peer = alternate(stepper(lance, x, y), stepper(t.whole, x, y), repeats=15)
    x, y = some(t.data.train)
    tail = compressed(t.network, t.data.train.images)
    ours_tail, peer_tail = alternate(stepper(tail, x, y), stepper(t.network, x, y), repeats=15)
    return {
        "name": "lance-step",
        "peer": "backpropagation through the same unfrozen layers",
        "ratio": peer / ours,
        "seconds": ours,
        "peer_seconds": peer,
        "ratio_unfrozen_part": peer_tail / ours_tail,
    }


def memory() -> dict[str, object]:
    """Bytes kept for the unfrozen layers, by hooks and formula, peak of the process, and accuracy.

    `ratio` is of the notebook's network; the same numbers of the CIFAR-10 network are named `cifar_…`.
    """
    one_thread()
    results: dict[str, object] = {"name": "lance-memory", "peer": "backpropagation through the same unfrozen layers"}
    results |= memory_of(new_clothes)
    if (RECORDINGS / "resnet20_cifar10_weights.npz").is_file():
        results |= {f"cifar_{key}": value for key, value in memory_of(task).items()}
    return results


def memory_of(make: Callable[[], Transfer]) -> dict[str, object]:
    t = make()
    x, y = some(t.images.train)
    lance = compressed(t.whole, t.images.train.images)
    ours, peer = (saved_bytes(stepper(n, x, y), [*network_tensors(n), x, y]) for n in (lance, t.whole))
    table = kept_by_formula(lance, BATCH)
    peaks = [peak_process_bytes(process_step, make, is_lance) for is_lance in (True, False)]
    fresh = make()
    networks = (compressed(fresh.network, fresh.data.train.images), fresh.network)
    accuracies = [fine_tune(network, fresh.data) for network in networks]
    return {
        "ratio": peer / ours,
        "bytes": ours,
        "peer_bytes": peer,
        "ratio_by_formula": sum(row.input_bytes for row in table) / sum(row.kept_bytes for row in table),
        "peak_process_bytes": peaks[0],
        "peer_peak_process_bytes": peaks[1],
        "accuracy": accuracies[0],
        "peer_accuracy": accuracies[1],
        "points_lost": 100 * (accuracies[1] - accuracies[0]),
    }


def process_step(make: Callable[[], Transfer], is_lance: bool) -> Callable[[], object]:
    """The step of the unfrozen part alone, for a process of its own."""
    t = make()
    network = compressed(t.network, t.data.train.images) if is_lance else t.network
    return stepper(network, *some(t.data.train))


def fine_tune(network: nn.Module, data: Split[LabelledImages]) -> float:
    """Held-out accuracy after a short training, mean of two orders of samples."""
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    reached = []
    for seed in range(2):
        network.load_state_dict(start)
        optimizer = torch.optim.SGD(trained_parameters(network), lr=0.05, momentum=0.9, weight_decay=1e-4)
        *_, last = train(Setting(network, optimizer, data, fine_tuning.gradients, class_scores), Plan(EPOCHS, seed))
        reached.append(last.held_out_score)
    return sum(reached) / len(reached)


BENCHMARKS = {"lance-step": step_time, "lance-memory": memory}
