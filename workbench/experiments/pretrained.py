"""Pre-trained networks: weights from a file, and our own ResNet-20, trained on six classes of Fashion-MNIST.

The shipped weights were made, in about six minutes on one CPU core, by

    python -m workbench.experiments.pretrained resnet20_fashion.safetensors

with the whole of Fashion-MNIST (`workbench.data.sets.fashion_mnist`; Debian's package or a download). It saw six
classes; dresses, sandals, bags and ankle boots were left out: they are what a fine-tuned network has to learn.
"""

import argparse
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from tqdm import tqdm

from workbench.data.sets.fashion_mnist import fashion_mnist
from workbench.experiments.fine_tuning import class_scores, gradients, select_classes
from workbench.networks.resnet import ResNet, resnet20
from workbench.training.checkpoint import write_safetensors
from workbench.training.loop import train
from workbench.training.setting import Plan, Setting

KNOWN_CLASSES = (0, 1, 2, 4, 6, 7)  # T-shirt, trouser, pullover, coat, shirt, sneaker
NEW_CLASSES = (3, 5, 8, 9)  # dress, sandal, bag, ankle boot
WEIGHTS = Path(__file__).with_name("resnet20_fashion.safetensors")
EPOCHS = 2


def fashion_resnet20() -> ResNet:
    """ResNet-20 for grey 28×28 images, trained on the six `KNOWN_CLASSES`; the shipped weights are float16."""
    network = resnet20(c_in=1, n_classes=len(KNOWN_CLASSES))
    load_weights(network, WEIGHTS)
    return network


def load_weights(network: nn.Module, path: str | Path, skip: Sequence[str] = ()) -> None:
    """Put the weights in a file into `network`: .safetensors, .npz, or torch's .pt and .pth (weights only, no code).

    Files of torchvision and timm fit networks with their layer names, for instance those of `imagenet_resnet`. `skip`
    names layers that keep what they have, such as a readout with another number of classes. Counters of batches seen
    may be missing. ValueError for an unreadable file, and for names or shapes that do not fit.

    >>> load_weights(resnet20(c_in=1, n_classes=10), WEIGHTS, skip=["linear"])
    """
    stored = _read(Path(path))
    stored = {name.removeprefix("module."): tensor for name, tensor in stored.items()}
    wanted = {name: t for name, t in network.state_dict().items() if not name.startswith(tuple(f"{s}." for s in skip))}
    missing = [n for n in wanted if n not in stored and not n.endswith("num_batches_tracked")]
    if missing:
        raise ValueError(
            f"{path} lacks {len(missing)} of {len(wanted)} arrays, first '{missing[0]}'; it holds {list(stored)[:3]}… "
            "Is it a file for another network?"
        )
    for name, tensor in wanted.items():
        if name in stored and stored[name].shape != tensor.shape:
            raise ValueError(
                f"'{name}' has shape {tuple(stored[name].shape)} in {path} and {tuple(tensor.shape)} in the network; "
                f"to keep the network's own, skip its layer: skip=['{name.rpartition('.')[0]}']"
            )
    network.load_state_dict({n: stored[n] for n in wanted if n in stored}, strict=False)


def _read(path: Path) -> Mapping[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"{path} cannot be read as weights ({error}); expected .safetensors, .npz, .pt or .pth"
        ) from None
    return state.get("state_dict", state) if isinstance(state, dict) else {}


def main() -> None:
    """Train ResNet-20 on `KNOWN_CLASSES` and write its weights in float16."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("file", type=Path, help="where to write the weights (.safetensors)")
    file = parser.parse_args().file
    data = select_classes(fashion_mnist(progress=True), KNOWN_CLASSES)
    network = resnet20(c_in=1, n_classes=len(KNOWN_CLASSES))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    setting = Setting(network, optimizer, data, gradients, class_scores, batch_size=128)
    steps = EPOCHS * -(-len(data.train.labels) // setting.batch_size)
    accuracy = None
    for record in tqdm(train(setting, Plan(EPOCHS)), total=steps):
        accuracy = record.held_out_score or accuracy
    state = {n: t.half() if t.is_floating_point() else t for n, t in network.state_dict().items()}
    write_safetensors(file, state, {"classes": str(KNOWN_CLASSES), "accuracy": f"{accuracy:.4f}"})
    print(f"held-out accuracy {accuracy:.4f}, {file.stat().st_size} bytes in {file}")


if __name__ == "__main__":
    main()
