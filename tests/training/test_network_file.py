"""A network in a file comes back with equal outputs; its weights go into one that is made alike; or a clear error."""

import json
import os
import subprocess
import sys
from functools import partial

import pytest
import torch
from tiny import TINY
from torch import nn

from workbench.compression.baselines import checkpointed
from workbench.compression.lance import compress
from workbench.continual.multihead import alexnet, mlp
from workbench.continual.multihead import reduced_resnet18 as task_resnet
from workbench.continual.protected import prepare
from workbench.experiments.experiment import start
from workbench.experiments.flow import SpikingUNet, predict_flow
from workbench.networks.architectures import Cells, global_pool, maximum_pool, spiking_resnet18, spiking_vgg
from workbench.networks.block_networks import dense_network, pool_before_latents, small_conv
from workbench.networks.blocks import block_logits
from workbench.networks.description import describe
from workbench.networks.layers import over_the_maximum
from workbench.networks.resnet import ImageNetResNet, resnet20
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.neurons.lif import Neuron, hard_reset
from workbench.neurons.surrogate import triangle
from workbench.rules.lls import local_head, mixing
from workbench.rules.local_classifier import trained_head
from workbench.training.checkpoint import save_checkpoint
from workbench.training.network_file import load_network, read_network_file, save_network

CELLS = Cells(Neuron(0.7, 0.4), partial(triangle, height=0.4), over_the_maximum, False, hard_reset)


def images(channels, side, *time):
    return torch.rand(*time, 3, channels, side, side, generator=torch.Generator().manual_seed(1))


def plain(network, x):
    return network.eval()(x)


def first_task(network, x):
    return network.eval()(x, 0)


@torch.no_grad()
def compressed():
    network = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 3))
    return compress(network, [images(2, 8)], layers=["0"])


NETWORKS = {
    "recurrent": (lambda: SpikingMLP([12, 10, 8], 3, Neuron(0.9, 0.3), recurrent=True), spiking_logits, (12,)),
    "vgg": (lambda: spiking_vgg(((4,), (5,)), 3, (2, 8, 8), CELLS, maximum_pool, global_pool, 0.1), spiking_logits, 8),
    "spiking resnet": (lambda: spiking_resnet18(3, stages=(4, 4, 8, 8)), spiking_logits, 16),
    "u-net": (lambda: SpikingUNet((2, 3)), predict_flow, (4, 8, 8)),
    "blocks": (lambda: pool_before_latents(small_conv(make_head=local_head(10, modulation=mixing))), block_logits, 0),
    "dense blocks": (lambda: dense_network([784, 8], 3, trained_head(3)), block_logits, 0),
    "resnet": (lambda: resnet20(c_in=1), plain, 0),
    "imagenet resnet": (lambda: ImageNetResNet((1, 1, 1, 1), 4), plain, (3, 32, 32)),
    "tasks": (lambda: alexnet([2, 3]), first_task, (3, 32, 32)),
    "tasks, residual": (lambda: task_resnet([2, 3], width=4), first_task, (3, 16, 16)),
    "tasks, shared head": (lambda: mlp([10], (784, 6)), first_task, 0),
    "compressed": (compressed, plain, (2, 8, 8)),
    "twice": (lambda: checkpointed(nn.Sequential(nn.Sequential(nn.Linear(4, 4), nn.ReLU())), ["0"]), plain, (4,)),
    "float64": (lambda: SpikingMLP([12, 10], 3).double(), spiking_logits, (12,)),
}


def inputs(network, shape, spiking):
    """A batch that fits, with five steps for a spiking network."""
    shape = {0: (1, 28, 28), 8: (2, 8, 8), 16: (2, 16, 16)}.get(shape, shape)
    dtype = next(network.parameters()).dtype
    x = torch.rand(*(5, 3) if spiking else (3,), *shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    return (x < 0.3).to(dtype) if spiking else x


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_with_equal_outputs(tmp_path, name):
    make, outputs, shape = NETWORKS[name]
    network = make()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    x = inputs(network, shape, outputs in (spiking_logits, predict_flow))
    save_network(tmp_path / "a.safetensors", network)
    again = load_network(tmp_path / "a.safetensors")
    assert describe(again) == describe(network)
    assert [p.requires_grad for p in again.parameters()] == [p.requires_grad for p in network.parameters()]
    with torch.no_grad():
        assert torch.equal(outputs(again, x), outputs(network, x))
    made = make()
    assert load_network(tmp_path / "a.safetensors", into=made) is made
    with torch.no_grad():
        assert torch.equal(outputs(made, x), outputs(network, x))


def test_parts_and_tensors_that_are_shared_stay_shared(tmp_path):
    layer = nn.Linear(3, 3)
    network = nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(3, 3))
    network[3].bias = layer.bias
    save_network(tmp_path / "a.safetensors", network)
    again = load_network(tmp_path / "a.safetensors")
    assert again[0] is again[2]
    assert again[3].bias is again[0].bias
    other = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3), nn.Linear(3, 3))
    with pytest.raises(ValueError, match="2: the same part as '0' in the file, Linear in the network"):
        load_network(tmp_path / "a.safetensors", other)


def test_a_checkpoint_of_a_run_is_a_network_too(tmp_path):
    path = tmp_path / "run.safetensors"
    *_, last = start(TINY, "stllr", checkpoint=path)
    network = load_network(path)
    data = TINY.prepare(TINY.rules["stllr"], 0).data.test
    right = (spiking_logits(network, data.x).argmax(1) == data.labels).float().mean()
    assert float(right) == last.held_out_score


def test_settings_and_versions_are_kept(tmp_path):
    save_network(tmp_path / "a.safetensors", nn.Linear(2, 1), {"rule": "stllr", "rate": 0.1, "seeds": [1, 2]})
    found = read_network_file(tmp_path / "a.safetensors")
    assert found.settings == {"rule": "stllr", "rate": 0.1, "seeds": [1, 2]}
    assert found.versions["torch"] == torch.__version__
    assert found.description["class"] == "torch.nn.modules.linear:Linear"


def own_psi(v):
    return triangle(v)


class OwnNetwork(nn.Module):
    def __init__(self, rate=0.5):
        super().__init__()
        self.layer, self.rate = nn.Linear(3, 2), rate


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SpikingMLP([6, 5], 3, psi=own_psi), "'hidden.0.psi' is the function own_psi of .*`into`"),
        (OwnNetwork, "'the network' is a OwnNetwork of .*`into`"),
        (lambda: prepare(nn.Sequential(nn.Linear(3, 2))), "`into`"),
    ],
)
def test_what_is_ones_own_is_loaded_into_a_network_only(tmp_path, make, words):
    network, other = make(), make()
    save_network(tmp_path / "a.safetensors", network)
    with pytest.raises(ValueError, match=words):
        load_network(tmp_path / "a.safetensors")
    load_network(tmp_path / "a.safetensors", other)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), other.parameters(), strict=True))


def test_constants_of_ones_own_network_count(tmp_path):
    save_network(tmp_path / "a.safetensors", OwnNetwork())
    with pytest.raises(ValueError, match=r"a.safetensors.*\n  rate: 0.5 in the file, 0.7 in the network"):
        load_network(tmp_path / "a.safetensors", OwnNetwork(0.7))


def changed(description, place, value):
    *path, last = place
    for key in path:
        description = description[key]
    description[last] = value


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("class",), "os:system"),
        (("class",), "workbench.data.delivery.catalogue:fetch"),
        (("class",), "workbench.no.such:Network"),
        (("class",), "torch.nn.modules.linear:no_such"),
        (("class",), 7),
        (("constants", "forward"), {"function": "os:system"}),
        (("constants", "x"), {"function": "workbench.training.checkpoint:save_checkpoint"}),
        (("constants", "x"), {"partial": {"function": "builtins:eval"}, "args": ["1"], "keywords": {}}),
        (("constants", "x"), {"class": "subprocess:Popen", "fields": {"args": "true"}}),
        (("constants", "x"), {"class": "workbench.neurons.lif:Neuron", "fields": {"no": 1}}),
        (("constants", "__class__"), "x"),
        (("constants", "x"), {"odd": 1}),
        (("tensors", "weight", "shape"), [9, 9]),
        (("tensors", "weight", "same"), "nowhere"),
        (("parts",), None),
    ],
)
def test_a_description_runs_nothing_and_is_checked(tmp_path, place, value):
    network = nn.Linear(3, 2)
    description = json.loads(json.dumps(describe(network)))
    changed(description, place, value)
    state = {"tensors": network.state_dict(), "learning": [], "description": description}
    save_checkpoint(tmp_path / "a.safetensors", {"network": state})
    with pytest.raises(ValueError, match=r"a\.safetensors"):
        load_network(tmp_path / "a.safetensors")


def test_a_checkpoint_without_a_network_says_so(tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", {"step": 1})
    with pytest.raises(ValueError, match="a checkpoint without a network"):
        load_network(tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="a checkpoint without a network"):
        read_network_file(tmp_path / "a.safetensors")


FRESH = "import sys; from workbench.training import load_network; print(load_network(sys.argv[1]).describe())"


def test_a_process_that_knows_no_network_yet_can_load_one(tmp_path):
    """Classes of rooms above are found by the names in the file."""
    save_network(tmp_path / "a.safetensors", dense_network([784, 8], 3, trained_head(3)))
    command = [sys.executable, "-c", FRESH, str(tmp_path / "a.safetensors")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ})
    assert done.stdout == "8–3\n", done.stderr
