"""The residual networks, weights from files, and the data and layers of fine-tuning."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.experiments.fine_tuning import (
    class_scores,
    freeze_except,
    gradients,
    inputs_of,
    last_convolutions,
    select_classes,
    trained_parameters,
    without,
)
from workbench.experiments.pretrained import KNOWN_CLASSES, WEIGHTS, fashion_resnet20, load_weights
from workbench.networks import resnet as imagenet_resnet
from workbench.networks.resnet import ResNet, pad_shortcut, resnet20
from workbench.training.score import evaluate


def test_resnet20_has_the_papers_size_and_stages():
    network = resnet20()
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) + 1 == 20
    assert sum(p.numel() for p in network.parameters()) == 269_722  # the paper's 0.27 M
    shapes = [network.layer1, network.layer2, network.layer3]
    x = torch.randn(2, 16, 32, 32)
    for stage, expected in zip(shapes, [(16, 32), (32, 16), (64, 8)], strict=True):
        x = stage(x)
        assert x.shape == (2, expected[0], expected[1], expected[1])


def test_shortcut_takes_every_second_pixel_and_pads_channels_on_both_sides():
    x = torch.randn(2, 4, 6, 6)
    y = pad_shortcut(x, 2, 4)
    torch.testing.assert_close(y[:, 2:6], x[:, :, ::2, ::2])
    assert y.shape == (2, 8, 3, 3)
    assert not y[:, :2].any()
    assert not y[:, 6:].any()


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


def test_imagenet_networks_have_the_names_of_published_files():
    with torch.device("meta"):
        networks = [imagenet_resnet.resnet18(), imagenet_resnet.resnet34()]
    assert [sum(p.numel() for p in n.parameters()) for n in networks] == [11_689_512, 21_797_672]
    assert [len(n.state_dict()) for n in networks] == [122, 218]
    names = set(networks[0].state_dict())
    assert {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight"} <= names
    assert {"layer2.0.downsample.1.num_batches_tracked", "layer4.1.bn2.bias", "fc.weight", "fc.bias"} <= names


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


# --- fine-tuning ----------------------------------------------------------------------------------------------------


def test_selected_classes_are_numbered_in_the_given_order():
    split = fashion_mnist_small()
    data = select_classes(split, (9, 5))
    assert data.train.images.shape == (1000, 1, 28, 28)
    assert data.test.labels.bincount().tolist() == [100, 100]
    row = int((torch.from_numpy(split.train.labels) == 9).nonzero()[0])
    image = torch.from_numpy(split.train.images[row]).float()
    first = data.train.images[data.train.labels == 0][0, 0]
    assert torch.corrcoef(torch.stack([image.flatten(), first.flatten()]))[0, 1] > 0.9999
    everything = select_classes(split, range(10)).train.images
    assert float(everything.mean()) == pytest.approx(0, abs=1e-4)
    assert float(everything.std()) == pytest.approx(1, abs=1e-4)
    with pytest.raises(ValueError, match="different numbers from 0 to 9"):
        select_classes(split, (1, 1))


def test_only_the_named_layers_learn():
    network = ResNet(1, 4, c_in=1, n_classes=3)
    assert last_convolutions(network, 2) == ["layer3.0.conv1", "layer3.0.conv2"]
    freeze_except(network, ["layer3.0.conv2", "linear"])
    learning = {id(p) for p in trained_parameters(network)}
    expected = (network.get_parameter("layer3.0.conv2.weight"), *network.linear.parameters())
    assert learning == {id(p) for p in expected}
    assert not any(module.training for module in network.modules())


def test_the_rule_gives_the_clipped_gradient():
    network, x, y = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), 100 * torch.randn(6, 1, 2, 2), torch.arange(6) % 3
    exact = torch.autograd.grad(F.cross_entropy(network(x), y), list(network.parameters()))
    norm = torch.cat([g.flatten() for g in exact]).norm()
    gradients(network, x, y)
    for p, g in zip(network.parameters(), exact, strict=True):
        torch.testing.assert_close(p.grad, g * 2.0 / norm, rtol=1e-4, atol=1e-6)


def test_a_network_without_its_frozen_part_gives_the_same_gradients():
    network = freeze_except(ResNet(1, 4, c_in=1, n_classes=3), ["layer3.0.conv1", "linear"])
    data = select_classes(fashion_mnist_small(), (5, 7, 9)).train
    data = data._replace(images=data.images[:9], labels=data.labels[:9])
    features = inputs_of(network, "layer3", data, batch_size=4)
    tail = without(network, ("conv1", "bn1", "relu", "layer1", "layer2"))
    for n, x in ((network, data.images), (tail, features.images)):
        gradients(n, x, data.labels)
    for p, q in zip(trained_parameters(network), trained_parameters(tail), strict=True):
        torch.testing.assert_close(p.grad, q.grad)
