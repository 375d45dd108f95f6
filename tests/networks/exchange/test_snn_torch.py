"""To snnTorch and back: equal spikes, layer by layer, and plain refusals."""

from functools import partial

import pytest
import snntorch
import torch
from snntorch import surrogate, utils
from torch import nn

from workbench.networks.exchange.snn_torch import OwnReset, from_snntorch, to_snntorch
from workbench.networks.layers import LeakyReadout, SpikingLayer, TimeDropout, over_the_maximum
from workbench.networks.spiking import ResidualBlock, Simulation, SpikingMLP, SpikingSequential, layers_with_memory
from workbench.neurons.lif import Neuron, hard_reset, late_reset, no_reset, soft_reset, unit_reset
from workbench.neurons.surrogate import arctan, fast_sigmoid, psi_gesture, spike
from workbench.training.network_file import load_network, save_network

STEPS, BATCH = 20, 4
DTYPES = [(torch.double, 1e-9), (torch.float, 1e-5)]


def events(shape, dtype, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(STEPS, BATCH, *shape, generator=generator) < 0.4).to(dtype)


@torch.no_grad()
def theirs(net, x):
    """Spikes of every neuron layer in order, and what the network gives, step by step."""
    neurons = [module for module in net.modules() if isinstance(module, snntorch.SpikingNeuron)]
    kept = [[] for _ in neurons]
    handles = [
        neuron.register_forward_hook(lambda _, __, out, k=k: kept[k].append(out[0] if type(out) is tuple else out))
        for k, neuron in enumerate(neurons)
    ]
    utils.reset(net)
    outputs = [net(now) for now in x]
    for handle in handles:
        handle.remove()
    outputs = torch.stack([out[1] if type(out) is tuple else out for out in outputs])
    return [torch.stack(each) for each in kept], outputs


@torch.no_grad()
def ours(network, x):
    simulation, kept = Simulation(network), []

    def run(layer, x):
        z = simulation.run(layer, x)
        kept.append(z)
        return z

    outputs = network(x, run)
    return kept, outputs


def check_equal(net, network, x, tolerance):
    """Equal spikes in every layer that spikes, equal outputs, and some spikes but not all."""
    (their_spikes, their_outputs), (our_spikes, our_outputs) = theirs(net, x), ours(network, x)
    layers = list(layers_with_memory(network).values())
    for layer, one, other in zip(layers, their_spikes, our_spikes, strict=False):
        if isinstance(layer, SpikingLayer):
            assert torch.equal(one.to(other), other)
            assert 0.02 < float(other.mean()) < 0.98
    assert torch.allclose(their_outputs, our_outputs, atol=100 * tolerance)


# --- from snnTorch --------------------------------------------------------------------------------------------------


def loud(net):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(2.0)
    return net


def options(dtype, psi=psi_gesture):
    """Neurons that keep the precision: snnTorch's own surrogates give float32."""
    return {"init_hidden": True, "spike_grad": partial(spike, psi=psi)}


def dense(kind, dtype):
    make = partial(snntorch.Leaky, reset_mechanism=kind, threshold=0.7, **options(dtype))
    last = snntorch.Leaky(0.8, init_hidden=True, output=True, reset_mechanism="none")
    return nn.Sequential(
        nn.Flatten(), nn.Linear(12, 9), make(0.9), nn.Linear(9, 7, bias=False), make(0.6), nn.Linear(7, 3), last
    )


def recurrent(kind, dtype):
    make = partial(snntorch.RLeaky, reset_mechanism=kind, threshold=0.6, reset_delay=kind != "zero", **options(dtype))
    return nn.Sequential(
        nn.Linear(12, 9), make(0.8, linear_features=9), nn.Linear(9, 3), snntorch.Leaky(0.5, **options(dtype))
    )


def images(kind, dtype):
    make = partial(snntorch.Leaky, reset_mechanism=kind, threshold=0.3, **options(dtype))
    convolutions = nn.Conv2d(2, 4, 3, padding=1), make(0.7), nn.MaxPool2d(2), nn.Conv2d(4, 3, 3, stride=2), make(0.9)
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(3, 3))


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES, ids=["float64", "float32"])
@pytest.mark.parametrize("kind", ["subtract", "zero", "none"])
@pytest.mark.parametrize(("make", "shape"), [(dense, (3, 4)), (recurrent, (12,)), (images, (2, 8, 8))])
def test_equal_spikes_from_snntorch_and_back(make, shape, kind, dtype, tolerance):
    torch.manual_seed(4)
    net = loud(make(kind, dtype).to(dtype))
    x = events(shape, dtype)
    network = from_snntorch(net)
    check_equal(net, network, x, tolerance)
    check_equal(to_snntorch(network), network, x, tolerance)


def test_what_came_from_snntorch_can_be_kept(tmp_path):
    torch.manual_seed(4)
    net = nn.Sequential(nn.Linear(12, 9), snntorch.Leaky(0.9, spike_grad=surrogate.atan()), nn.Linear(9, 3))
    network, x = from_snntorch(loud(net)), events((12,), torch.float)
    save_network(tmp_path / "net.safetensors", network)
    assert torch.equal(ours(load_network(tmp_path / "net.safetensors"), x)[1], ours(network, x)[1])


def test_layers_as_attributes_and_float32_constants():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.lif1 = nn.Linear(12, 9), snntorch.Leaky(beta=0.9, threshold=0.4)
            self.fc2, self.lif2 = nn.Linear(9, 3), snntorch.Leaky(beta=0.9, reset_mechanism="none")

        def forward(self, x):
            mem1, mem2, out = self.lif1.reset_mem(), self.lif2.reset_mem(), []
            for now in x:
                spk1, mem1 = self.lif1(self.fc1(now), mem1)
                _, mem2 = self.lif2(self.fc2(spk1), mem2)
                out.append(mem2)
            return torch.stack(out)

    torch.manual_seed(0)
    net, x = Net(), events((12,), torch.float)
    network = from_snntorch(net)
    assert network[0].neuron.decay == float(torch.tensor(0.9))  # what snnTorch makes of 0.9
    assert torch.allclose(net(x), ours(network, x)[1], atol=1e-5)
    assert network[0].connection.weight is not net.fc1.weight


@pytest.mark.parametrize(
    ("given", "psi"),
    [
        (surrogate.fast_sigmoid(slope=7), partial(fast_sigmoid, slope=7.0)),
        (surrogate.atan(), partial(arctan, slope=torch.pi)),
        (surrogate.sigmoid(slope=5), None),
        (surrogate.triangular(), None),
        (partial(spike, psi=psi_gesture), psi_gesture),
    ],
    ids=range(5),
)
def test_the_surrogate_is_theirs(given, psi):
    network = from_snntorch(nn.Sequential(nn.Linear(2, 2), snntorch.Leaky(0.5, spike_grad=given), nn.Linear(2, 2)))
    found, v = network[0].psi, torch.linspace(-2, 2, 31).requires_grad_()
    (expected,) = torch.autograd.grad(given(v).sum(), v)
    assert torch.allclose(found(v.detach()), expected, atol=1e-6)
    if psi is not None:
        assert (found.func, found.keywords) == (psi.func, psi.keywords) if isinstance(psi, partial) else found is psi


linear = nn.Linear(4, 4)
leaky = snntorch.Leaky(0.5)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([linear, snntorch.Synaptic(0.9, 0.8)], r"'1' \(Synaptic\) has a current that decays by itself"),
        ([linear, snntorch.Alpha(0.9, 0.8)], r"'1' \(Alpha\) has two of them|'1' \(Alpha\)"),
        ([linear, snntorch.Leaky(0.5, learn_beta=True)], "learns its beta.*learn_beta=False"),
        ([linear, snntorch.Leaky(0.5, learn_threshold=True)], "learns its threshold"),
        ([linear, snntorch.Leaky(torch.tensor([0.5, 0.5, 0.6, 0.5]))], "has a beta for each neuron"),
        ([linear, snntorch.Leaky(0.5, threshold=torch.tensor([1.0, 2.0, 1.0, 1.0]))], "a threshold for each neuron"),
        ([linear, snntorch.Leaky(0.5, graded_spikes_factor=2.0)], "gives spikes of 2.0; here a spike is 1"),
        ([linear, snntorch.Leaky(0.5, state_quant=lambda x: x)], "has state_quant"),
        ([linear, snntorch.Leaky(0.5, reset_delay=False)], "subtracts without delay"),
        ([linear, snntorch.Leaky(0.0)], "β = 0 and subtracts one step later"),
        ([linear, snntorch.Leaky(0.5, spike_grad=nn.ReLU())], "fires by ReLU"),
        ([linear, snntorch.Leaky(0.5, spike_grad=surrogate.SSO())], "fires by SSO"),
        (
            [linear, snntorch.RLeaky(0.5, linear_features=4, reset_mechanism="zero")],
            "takes the input of that step away",
        ),
        ([linear, snntorch.RLeaky(0.5, all_to_all=False)], "recurrent by RecurrentOneToOne"),
        ([nn.Conv2d(1, 1, 3), snntorch.RLeaky(0.5, conv2d_channels=1, kernel_size=3)], "recurrent by Conv2d"),
        ([linear, nn.BatchNorm1d(4), leaky], r"'1' \(BatchNorm1d\) stands between '0' \(Linear\) and its neurons"),
        ([linear, nn.MaxPool1d(2), leaky], "Put it behind the neurons"),
        ([leaky, linear], r"'0' \(Leaky\) does not follow an nn.Linear"),
        ([nn.BatchNorm1d(4), linear, leaky], r"'0' \(BatchNorm1d\) has weights"),
        ([linear, leaky, nn.Conv2d(1, 1, 3)], "only a 1×1 convolution reads images"),
        ([linear], "Sequential has no neurons of snnTorch"),
    ],
    ids=range(21),
)
def test_what_cannot_be_said_here(layers, words):
    with pytest.raises(ValueError, match=words):
        from_snntorch(nn.Sequential(*layers))


# --- to snnTorch ----------------------------------------------------------------------------------------------------


def own(reset, recurrent=False, **more):
    more = {"standardize": True} | more
    layer = partial(SpikingLayer, neuron=Neuron(0.8, 0.5), reset=reset, **more)
    return SpikingSequential(
        layer(nn.Linear(12, 9), recurrent=recurrent), layer(nn.Linear(9, 7)), LeakyReadout(7, 3, 0.9)
    )


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES, ids=["float64", "float32"])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("reset", [soft_reset, hard_reset, unit_reset, no_reset, partial(late_reset, decay=0.8)])
def test_equal_spikes_to_snntorch_and_back(reset, recurrent, dtype, tolerance):
    torch.manual_seed(1)
    network = own(reset, recurrent).to(dtype)
    with torch.no_grad():
        for layer in network[:2]:
            nn.init.normal_(layer.connection.bias, 0.05, 0.1)
            nn.init.normal_(layer.gain, 1.0, 0.2)
    x = events((12,), dtype)
    net = to_snntorch(network)
    check_equal(net, network, x, tolerance)
    again = from_snntorch(net)
    assert [part.reset for part in again[:2]] == [layer.reset for layer in network[:2]] or reset.func is late_reset
    assert [part.psi for part in again[:2]] == [layer.psi for layer in network[:2]]
    check_equal(net, again, x, tolerance)


def test_neurons_at_the_end_that_never_reset_give_what_they_gave():
    """Spikes where they give spikes alone, else their potential."""
    layer = SpikingLayer(nn.Linear(12, 9), Neuron(0.6, 0.5), reset=no_reset)
    spiking = from_snntorch(to_snntorch(SpikingSequential(layer)))
    potential = from_snntorch(nn.Sequential(nn.Linear(12, 9), snntorch.Leaky(0.6, reset_mechanism="none")))
    assert isinstance(spiking[0], SpikingLayer)
    assert isinstance(potential[0], LeakyReadout)


def test_one_number_for_the_whole_matrix_is_folded_too():
    network = own(soft_reset, standardize=over_the_maximum).double()
    check_equal(to_snntorch(network), network, events((12,), torch.double), 1e-9)
    assert isinstance(to_snntorch(network)[1], OwnReset)


def test_an_mlp_flattens_first():
    network = SpikingMLP([12, 9], 3, Neuron(0.8, 0.5), readout_decay=0.0).double()
    check_equal(to_snntorch(network), network, events((3, 4), torch.double), 1e-9)


def test_the_copy_is_a_copy():
    network = own(soft_reset)
    net, before = to_snntorch(network), network[0].connection.weight.detach().clone()
    with torch.no_grad():
        net[0].weight.zero_()
    assert torch.equal(network[0].connection.weight, before)


def layer():
    return SpikingLayer(nn.Linear(4, 4))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([ResidualBlock(SpikingSequential(layer())), LeakyReadout(4, 3)], "'0.sum' adds or joins values"),
        ([layer(), TimeDropout(0.2), LeakyReadout(4, 3)], "drops values at random"),
        ([layer(), nn.LayerNorm(4), LeakyReadout(4, 3)], r"'1' \(LayerNorm\) has weights and no neurons"),
    ],
    ids=range(3),
)
def test_what_cannot_be_said_there(parts, words):
    with pytest.raises(ValueError, match=words):
        to_snntorch(SpikingSequential(*parts))
