"""NeuroBench's metrics against plain loops over neurons and pixels, and the cost of an update."""

import itertools

import pytest
import torch
from small_networks import inputs, network
from torch import nn

from workbench.cost.counted import measure
from workbench.cost.neurobench import Inference, connection_sparsity, footprint, inference, update_cost
from workbench.networks import Simulation, SpikingMLP, spiking_logits
from workbench.networks.layers import SpikingLayer
from workbench.rules import stllr


def ran(net, x):
    """Spikes or outputs of each layer, by the layer, and its input."""
    seen, simulation = {}, Simulation(net)

    def run(layer, part):
        seen[layer] = (part, simulation.run(layer, part))
        return seen[layer][1]

    with torch.no_grad():
        net(x, run)
    return seen


def dense_by_hand(net, x):
    """The counts of a dense or recurrent network, synapse by synapse."""
    effective = every = silent = outputs = 0
    for layer, (part, out) in ran(net, x).items():
        weights = [(layer.effective_weights()[0], part)]
        if layer.recurrent is not None:
            weights.append((layer.effective_weights()[1], torch.cat([torch.zeros_like(out[:1]), out[:-1]])))
        for W, z in weights:
            for t, b in itertools.product(*map(range, z.shape[:2])):
                every += W.numel()
                effective += sum(int(((W[i] != 0) & (z[t, b] != 0)).sum()) for i in range(len(W)))
        if isinstance(layer, SpikingLayer):
            silent += int((out == 0).sum())
            outputs += out.numel()
    samples = x.shape[1]
    return effective / samples, every / samples, silent / outputs


@pytest.mark.parametrize("kind", ["dense", "recurrent"])
def test_a_dense_network_synapse_by_synapse(kind):
    net, x = network(kind).double(), inputs(kind)
    with torch.no_grad():
        net.hidden[0].connection.weight[:, ::2] = 0.0
    effective, every, silent = dense_by_hand(net, x)
    found = inference(net, x)
    assert found.effective_acs == pytest.approx(effective)
    assert found.effective_macs == 0
    assert found.dense == pytest.approx(every)
    assert found.activation_sparsity == pytest.approx(silent)
    assert 0 < effective < every


def test_a_convolution_pixel_by_pixel():
    net, x = network("convolutional").double(), inputs("convolutional")
    acs = macs = every = 0
    for layer, (part, _) in ran(net, x).items():
        W, pad = layer.effective_weights()[0], getattr(layer.connection, "padding", (0, 0))[0]
        if isinstance(layer.connection, nn.Linear):
            acs += int((part != 0).sum()) * len(W)
            every += part.numel() * len(W)
            continue
        size = W.shape[-1]
        for t in range(len(part)):
            z, own = nn.functional.pad(part[t], [pad] * 4), nn.functional.pad(torch.ones_like(part[t]), [pad] * 4)
            count = dense = 0
            for i, j in itertools.product(range(z.shape[-2] - size + 1), range(z.shape[-1] - size + 1)):
                window = (slice(None), slice(None), slice(i, i + size), slice(j, j + size))
                count += int((z[window] != 0).sum()) * len(W)
                dense += int(own[window].sum()) * len(W)
            every += dense
            if bool(((part[t] == 0) | (part[t] == 1)).all()):
                acs += count
            else:
                macs += count
    found, samples = inference(net, x), x.shape[1]
    assert (found.effective_acs, found.effective_macs) == (acs / samples, macs / samples)
    assert found.dense == every / samples
    assert macs > 0  # spikes that were averaged are no longer 0 or 1


def test_blocks_are_counted_by_their_activations():
    net = nn.Sequential(nn.Linear(4, 3, bias=False), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 0, 0, 1], [-1, -1, 0, 0], [0, 0, 0, 0.5]]))
    x = torch.tensor([[0.5, 0, 0, 2], [1, 1, 0, 0]])
    found = inference(net, x)
    # Inputs that are not 0 meet 1 + 1 and 1 + 2 weights that are not 0 in the first layer, and 1 + 3 of neurons that
    # are not 0 in the second: sample 0 fires neurons 0 and 2, sample 1 neuron 0.
    first = (1 + 1) + (1 + 1) + (2 + 1)
    assert found.effective_macs + found.effective_acs == (first + 2 * (2 + 1)) / 2
    assert found.dense == 12 + 6
    assert found.activation_sparsity == 3 / 6
    assert found.connection_sparsity == 7 / 18


# What the package neurobench 2.3.0 says of these networks: of the spiking ones as `to_snntorch` exports them, without
# the neurons of the readout, which has none here.
PACKAGE = {
    "dense": (0.18, 0.8529411764705882, 0.0, 164.0, 1050.0),
    "convolutional": (0.0, 0.8761185682326622, 352.5, 5060.0, 13458.0),
    "blocks": (0.0, 0.0, 1648.0, 0.0, 1648.0),
}


@pytest.mark.parametrize("kind", PACKAGE)
def test_the_numbers_are_those_of_the_package(kind):
    net, x = network(kind).float(), inputs(kind).float()
    if kind == "dense":
        with torch.no_grad():
            net.hidden[0].connection.weight[:, ::2] = 0.0
    found = inference(net, x)
    assert found[1:] == pytest.approx(PACKAGE[kind])


def test_padding_is_not_counted():
    net, x, lengths = network("recurrent").double(), inputs("recurrent"), torch.tensor([7, 3, 5, 1])
    found = inference(net, x, lengths)
    alone = [inference(net, x[:n, b : b + 1]) for b, n in enumerate(lengths)]
    for field in ("effective_acs", "effective_macs", "dense"):
        assert getattr(found, field) == pytest.approx(sum(getattr(one, field) for one in alone) / 4)
    silent = sum(one.activation_sparsity * int(n) for one, n in zip(alone, lengths, strict=True)) / int(lengths.sum())
    assert found.activation_sparsity == pytest.approx(silent)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bytes_and_zeros_are_counted(dtype):
    net = SpikingMLP([6, 5], classes=3, standardize=False).to(dtype)
    assert footprint(net) == (6 * 5 + 5 + 5 * 3 + 3) * dtype.itemsize
    assert connection_sparsity(net) == 0.0
    with torch.no_grad():
        net.hidden[0].connection.weight[:2] = 0.0
    assert connection_sparsity(net) == 12 / 45
    assert connection_sparsity(nn.ReLU()) == 0.0


def test_an_update_is_what_measure_says_and_leaves_no_trace():
    net, x, y = network("dense"), inputs("dense").float(), torch.tensor([0, 1, 2, 0])
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = update_cost(stllr.gradients, net, x, y, spiking_logits)
    assert all(weight.grad is None for weight in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    measured = measure(stllr.gradients, net, x, y)
    assert (found.kept_bytes, found.carried_bytes) == (measured.saved_bytes, measured.state_bytes)
    assert found.update_macs == measured.macs // 4
    assert 0 < found.forward_macs < found.update_macs
    weights = [layer.connection.weight for layer in (*net.hidden, net.readout)]
    changed = sum(int((weight.grad != 0).sum()) for weight in weights) / sum(weight.numel() for weight in weights)
    assert found.changed == pytest.approx(changed)


def test_nothing_is_counted_of_a_network_without_connections():
    assert inference(nn.Flatten(), torch.ones(2, 3)) == Inference(0, 0.0, 0.0, 0.0, 0.0, 0.0)
