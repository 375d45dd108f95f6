"""To NIR: the graph, simulated here as NIR defines it, spikes as our network does; what it cannot say is refused."""

import json
import sys
from functools import partial

import nir
import numpy as np
import own_networks
import pytest
import torch
from exchanged import NETWORKS, example
from torch import nn
from torch.nn import functional as F

from workbench.networks.exchange.nir_export import to_nir, write_nir
from workbench.networks.layers import SpikingLayer, TimeDropout
from workbench.networks.spiking import SpikingMLP, SpikingSequential, spiking_logits
from workbench.networks.taken_spiking import take_spiking
from workbench.neurons.lif import Neuron, hard_reset, late_reset, soft_reset, unit_reset
from workbench.neurons.surrogate import psi_speech

RESETS = {"soft_reset": soft_reset, "hard_reset": hard_reset, "unit_reset": unit_reset}


def simulate(graph, x, dt):
    """Euler steps through a graph, as NIR's equations say, with the reset of the metadata; the mean output."""
    state = {name: np.zeros_like(node.r) for name, node in graph.nodes.items() if hasattr(node, "r")}
    gave = {name: np.zeros_like(value) for name, value in state.items()}
    order = [name for name in graph.nodes if name != "input"]
    total = 0.0
    for now in x:
        values = {"input": now.numpy()}
        for name in order:
            node = graph.nodes[name]
            kind = type(node).__name__
            before = [a for a, b in graph.edges if b == name]
            given = sum(values[a] if a in values else recurrent(graph.nodes[a], gave[name]) for a in before)
            if name.endswith("recurrent"):
                continue
            values[name] = step(node, kind, given, state, name, dt)
            if name in gave:
                gave[name] = values[name]
        total = total + values["output"]
    return total / len(x)


def recurrent(node, spikes):
    return node.weight @ spikes


def step(node, kind, given, state, name, dt):
    match kind:
        case "Affine" | "Linear":
            return node.weight @ given + getattr(node, "bias", 0.0)
        case "Conv2d":
            options = (tuple(map(int, each)) for each in (node.stride, node.padding, node.dilation))
            x, weight, bias = (torch.as_tensor(each) for each in (given[None], node.weight, node.bias))
            return F.conv2d(x, weight, bias, *options)[0].numpy()
        case "AvgPool2d":
            options = (tuple(map(int, each)) for each in (node.kernel_size, node.stride, node.padding))
            return F.avg_pool2d(torch.as_tensor(given[None]), *options)[0].numpy()
        case "Flatten":
            return given.reshape(-1)
        case "Output":
            return given
    leaks = kind in ("LIF", "LI")
    change = (node.v_leak - state[name] + node.r * given) / node.tau if leaks else node.r * given
    v = state[name] + dt * change
    if kind in ("LI", "I"):
        state[name] = v
        return v
    z = (v > node.v_threshold).astype(v.dtype)
    reset = RESETS[json.loads(node.metadata["reset"])["function"].partition(":")[2]]
    state[name] = reset(torch.as_tensor(v), torch.as_tensor(z), float(node.v_threshold.flat[0])).numpy()
    return z


@pytest.mark.parametrize("name", NETWORKS)
def test_the_graph_does_what_the_network_does(name):
    network, x, shape = example(name)
    graph = to_nir(network, shape, dt=2e-3)
    assert graph.metadata["dt"] == 2e-3
    expected = spiking_logits(network, x)
    assert expected.abs().max() > 0
    for sample in range(2):
        assert np.allclose(simulate(graph, x[:, sample], 2e-3), expected[sample], atol=1e-9)


def test_what_stands_in_the_graph():
    network = SpikingMLP([4, 3], 2, Neuron(0.75, 0.5), psi_speech, readout_decay=0.0, recurrent=True)
    graph = to_nir(network, dt=1e-3)
    assert list(graph.nodes) == [
        "input", "hidden.0.connection", "hidden.0", "hidden.0.recurrent", "readout.connection", "readout", "output",
    ]  # fmt: skip
    assert ("hidden.0", "hidden.0.recurrent") in graph.edges
    assert ("hidden.0.recurrent", "hidden.0") in graph.edges
    neurons = graph.nodes["hidden.0"]
    assert (neurons.tau[0], neurons.r[0], neurons.v_threshold[0], neurons.v_reset[0]) == (4e-3, 4.0, 0.5, 0.0)
    assert json.loads(neurons.metadata["psi"]) == {"function": "workbench.neurons.surrogate:psi_speech"}
    assert np.allclose(graph.nodes["hidden.0.connection"].weight, network.hidden[0].effective_weight().detach())
    assert isinstance(graph.nodes["readout"], nir.LI)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path, network = tmp_path / "new" / "net.nir", SpikingMLP([4, 3], 2)
    write_nir(path, network)
    before = path.read_bytes()

    def fails(part, graph):
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nir, "write", fails)
    with pytest.raises(OSError, match=r"net.nir cannot be written: the disk is full"):
        write_nir(path, network)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["net.nir"]


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'local-learning-workbench\[nir\]'"):
        to_nir(SpikingMLP([4, 3], 2))


def convolution(**more):
    return SpikingLayer(nn.Conv2d(2, 2, **({"kernel_size": 3} | more)))


@pytest.mark.parametrize(
    ("parts", "shape", "words"),
    [
        ([convolution(), nn.MaxPool2d(2)], (2, 6, 6), r"'1' \(MaxPool2d\) has no node in NIR; NIR has average pooling"),
        ([convolution(), nn.Tanh()], (2, 6, 6), r"'1' \(Tanh\) has no node in NIR$"),
        ([convolution(groups=2)], (2, 6, 6), "is in groups, of which NIR's package takes the sizes wrongly"),
        ([convolution(kernel_size=(3, 1))], (2, 6, 6), "has a kernel of 3 × 1"),
        (
            [convolution(), nn.AdaptiveAvgPool2d(3)],
            (2, 6, 6),
            r"averages \(4, 4\) to \(3, 3\) pixels, over cells",
        ),
        ([convolution(), nn.AvgPool2d(3, ceil_mode=True)], (2, 6, 6), "counts its borders in a way that NIR has not"),
        ([convolution(), TimeDropout(0.1)], (2, 6, 6), r"'1' \(TimeDropout\) drops values at random"),
        ([convolution()], None, "the size of the pictures that come in must be told"),
        ([convolution()], (3, 6, 6), r"'0' does not take an input of shape \(3, 6, 6\)"),
    ],
    ids=range(9),
)
def test_what_nir_cannot_say(parts, shape, words):
    with pytest.raises(ValueError, match=words):
        to_nir(SpikingSequential(*parts), shape)


def test_products_of_somebody_s_own_have_no_node():
    network = take_spiking(own_networks.SpikingStep(), (2, 8, 8))
    with pytest.raises(ValueError, match=r"'2' \(Operation\(mul, .*has no node in NIR"):
        to_nir(network, (2, 8, 8))


def test_numbers_that_numpy_does_not_have():
    with pytest.raises(ValueError, match=r"bfloat16 cannot be written to NIR; make them float32 first"):
        to_nir(SpikingMLP([4, 3], 2).bfloat16())


@pytest.mark.parametrize("dt", [0.0, -1.0, float("nan")])
def test_a_step_has_a_width(dt):
    with pytest.raises(ValueError, match="dt must be a number above 0"):
        to_nir(SpikingMLP([4, 3], 2), dt=dt)


def test_snntorch_s_reset_is_told():
    layer = SpikingLayer(nn.Linear(4, 3), reset=partial(late_reset, decay=0.5))
    about = json.loads(to_nir(SpikingSequential(layer)).nodes["0"].metadata["reset"])
    assert about["keywords"] == {"decay": 0.5}
