"""The residual networks, weights from files, and the data and layers of fine-tuning."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.experiments.fine_tuning import class_scores, select_classes
from workbench.experiments.pretrained import KNOWN_CLASSES, WEIGHTS, fashion_resnet20, load_weights
from workbench.networks.resnet import ResNet, resnet20
from workbench.training.score import evaluate


def test_published_cifar_weights_load_and_recognise_images(recordings: Path):
    pil = pytest.importorskip("PIL.Image")
    network = resnet20()
    load_weights(network, recordings / "resnet20_cifar10_weights.npz")
    with np.load(recordings / "cifar100_3500_1000_png.npz") as file:
        names, labels, offsets = list(file["classes"]), file["test_labels"], file["test_offsets"]
        bytes_ = file["test_bytes"]
    truck_like = [names.index("pickup_truck"), names.index("bus")]
    rows = [i for i, label in enumerate(labels) if label in truck_like]
    images = [np.asarray(pil.open(io.BytesIO(bytes_[offsets[i] : offsets[i + 1]].tobytes()))) for i in rows]
    x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    scores = class_scores(network, (x - mean.view(3, 1, 1)) / deviation.view(3, 1, 1))
    vehicles = (scores.argmax(1) == 9) | (scores.argmax(1) == 1)  # CIFAR-10: truck, automobile
    assert vehicles.float().mean() > 0.7


def test_shipped_weights_recognise_the_classes_that_they_know():
    assert WEIGHTS.stat().st_size <= 1_200_000
    network = fashion_resnet20()
    data = select_classes(fashion_mnist_small(), KNOWN_CLASSES)
    accuracy, _ = evaluate(network, data.test, class_scores)
    assert accuracy > 0.85


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pth"])
def test_weights_load_from_every_kind_of_file(tmp_path: Path, suffix: str):
    torch.manual_seed(0)
    source, target, path = ResNet(1, 4), ResNet(1, 4), tmp_path / f"weights{suffix}"
    state = source.state_dict()
    if suffix == ".safetensors":
        save_file(state, path)
    elif suffix == ".npz":
        np.savez(path, **{n: t.numpy() for n, t in state.items()})
    else:
        torch.save({"state_dict": {f"module.{n}": t for n, t in state.items()}}, path)
    load_weights(target, path)
    torch.testing.assert_close(target.state_dict(), state, rtol=0, atol=0)
    other = ResNet(1, 4, n_classes=3)
    head = other.linear.weight.detach().clone()
    load_weights(other, path, skip=["linear"])
    torch.testing.assert_close(other.conv1.weight, source.conv1.weight, rtol=0, atol=0)
    torch.testing.assert_close(other.linear.weight, head, rtol=0, atol=0)
    with pytest.raises(ValueError, match=r"skip=\['linear'\]"):
        load_weights(other, path)
    with pytest.raises(ValueError, match=r"lacks .* first 'layer1\.1\.conv1\.weight'"):
        load_weights(ResNet(2, 4), path)


def test_unreadable_files_are_named(tmp_path: Path):
    network = ResNet(1, 4)
    with pytest.raises(FileNotFoundError, match="no weights at"):
        load_weights(network, tmp_path / "none.pth")
    for suffix in (".safetensors", ".npz", ".pth"):
        path = tmp_path / f"broken{suffix}"
        path.write_bytes(b"not weights at all")
        with pytest.raises(ValueError, match="cannot be read as weights"):
            load_weights(network, path)
