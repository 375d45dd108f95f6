"""From NIR: what was written comes back with equal spikes, what others write is read, and the rest is named."""

from functools import partial
from itertools import pairwise

import nir
import numpy as np
import pytest
import torch
from exchanged import NETWORKS, example
from torch import nn

from workbench.networks.exchange.nir_export import to_nir, write_nir
from workbench.networks.exchange.nir_import import from_nir, read_nir
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import Simulation, SpikingMLP, SpikingSequential
from workbench.neurons.lif import Neuron, hard_reset, late_reset, soft_reset
from workbench.neurons.surrogate import psi_gesture, psi_speech


def outputs(network, x):
    """Every layer and what it gives, in the order of the weights' sums: files keep no order."""
    simulation, kept = Simulation(network), []

    def run(layer, x):
        kept.append((layer, simulation.run(layer, x)))
        return kept[-1][1]

    with torch.no_grad():
        network(x, run)
    return sorted(kept, key=lambda each: float(each[0].effective_weights().forward.detach().abs().sum()))


@pytest.mark.parametrize("dtype", [torch.double, torch.float])
@pytest.mark.parametrize("name", NETWORKS)
def test_equal_spikes_after_a_round_trip(name, dtype, tmp_path):
    network, x, shape = example(name)
    network, x = network.to(dtype), x.to(dtype)
    write_nir(tmp_path / "net.nir", network, shape)
    again = read_nir(tmp_path / "net.nir")
    ours, theirs = outputs(network, x), outputs(again, x)
    assert any(0.02 < float(z.mean()) < 0.98 for _, z in ours)
    for (layer, z), (other, their_z) in zip(ours, theirs, strict=True):
        assert z.dtype == their_z.dtype == dtype
        assert torch.equal(z, their_z)
        if isinstance(layer, SpikingLayer):
            assert (layer.neuron, layer.reset, layer.psi) == (other.neuron, other.reset, other.psi)
        else:
            assert (layer.decay, layer.trace_decay) == (other.decay, other.trace_decay)


def test_snntorch_s_reset_comes_back():
    network = SpikingSequential(SpikingLayer(nn.Linear(4, 3), Neuron(0.8, 0.5), reset=partial(late_reset, decay=0.8)))
    reset = from_nir(to_nir(network))[0].reset
    assert (reset.func, reset.keywords) == (late_reset, {"decay": 0.8})


def neurons(n=3, tau=5e-4, threshold=1.0, r=None, **more):
    full = partial(np.full, n)
    options = {"v_leak": full(0.0), "v_threshold": full(threshold)} | more
    return nir.LIF(tau=full(tau), r=full(tau / 1e-4 if r is None else r), **options)


def graph(*nodes, edges=None, **named):
    """A chain of nodes between an input and an output."""
    named = {f"n{k}": node for k, node in enumerate(nodes)} | named
    chain = ["input", *(f"n{k}" for k in range(len(nodes))), "output"]
    first, last = nodes[0], nodes[-1]
    named = {"input": nir.Input({"input": first.input_type["input"]})} | named
    named["output"] = nir.Output({"output": last.output_type["output"]})
    edges = list(pairwise(chain)) + (edges or [])
    return nir.NIRGraph(named, edges, type_check=False)


def affine(n_out=3, n_in=4, seed=0):
    random = np.random.default_rng(seed)
    return nir.Affine(random.normal(size=(n_out, n_in)), random.normal(size=n_out))


def test_a_graph_of_somebody_else_s():
    """As snnTorch writes it: steps of 0.1 ms, recurrent neurons as a graph of their own, no word about the reset."""
    random = np.random.default_rng(1)
    edges = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    inner = {
        "input": nir.Input({"input": np.array([3])}),
        "lif": neurons(v_reset=np.zeros(3)),
        "w_rec": nir.Affine(random.normal(size=(3, 3)), random.normal(size=3)),
        "output": nir.Output({"output": np.array([3])}),
    }
    first, last = affine(), nir.Linear(random.normal(size=(2, 3)))
    network = from_nir(graph(first, nir.NIRGraph(inner, edges, type_check=False), last), dt=1e-4)
    layer = network[0]
    assert layer.neuron == pytest.approx(Neuron(0.8, 1.0))
    assert (layer.reset, layer.psi) == (hard_reset, psi_gesture)
    assert np.allclose(layer.connection.bias.detach(), first.bias + inner["w_rec"].bias)
    assert np.array_equal(layer.recurrent.weight.detach(), inner["w_rec"].weight)
    assert isinstance(network[1], LeakyReadout)
    assert network[1].decay == 0.0


def test_what_the_graph_does_not_say_can_be_given():
    network = from_nir(graph(affine(), neurons()), dt=1e-4, reset=soft_reset, psi=psi_speech)
    assert (network[0].reset, network[0].psi) == (soft_reset, psi_speech)


def test_another_resistance_goes_into_the_weights():
    node, r = affine(), np.array([1.0, 2.0, 4.0])
    cells = nir.LIF(tau=np.full(3, 1e-3), r=r, v_leak=np.zeros(3), v_threshold=np.ones(3))
    layer = from_nir(graph(node, cells), dt=1e-4)[0]
    assert layer.neuron.decay == pytest.approx(0.9)
    assert np.allclose(layer.connection.weight.detach(), 0.1 * r[:, None] * node.weight)
    assert np.allclose(layer.connection.bias.detach(), 0.1 * r * node.bias)


def test_other_steps_than_those_it_was_written_with():
    network = from_nir(to_nir(SpikingMLP([4, 3], 2, Neuron(0.6, 0.5)), dt=1e-3), dt=5e-4)
    assert network[0].neuron.decay == pytest.approx(0.8)


def test_two_ways_that_meet_are_a_sum():
    nodes = {"a": affine(3, 4, 1), "la": neurons(), "b": affine(3, 4, 2), "lb": neurons(), "out": affine(2, 3)}
    ends = {"input": nir.Input({"input": np.array([4])}), "output": nir.Output({"output": np.array([2])})}
    edges = [("input", "a"), ("a", "la"), ("input", "b"), ("b", "lb"), ("la", "out"), ("lb", "out"), ("out", "output")]
    network = from_nir(nir.NIRGraph(nodes | ends, edges), dt=1e-4)
    x = (torch.rand(9, 2, 4) < 0.5).double()
    gave = {type(layer).__name__ + str(k): (layer, z) for k, (layer, z) in enumerate(outputs(network, x))}
    (readout, found), *spiking = sorted(gave.values(), key=lambda each: isinstance(each[0], SpikingLayer))
    assert torch.allclose(found, readout.connection(spiking[0][1] + spiking[1][1]))


two = [("n1", "x"), ("x", "n1")]


@pytest.mark.parametrize(
    ("given", "dt", "words"),
    [
        (graph(affine(), neurons()), None, "does not say how long a step is; give dt in seconds"),
        (graph(affine(), neurons()), -1.0, "dt must be a number above 0"),
        (
            graph(affine(), neurons(), x=nir.Threshold(np.ones(3))),
            1e-4,
            "'x' is a Threshold: spikes without a m",
        ),
        (
            graph(affine(), nir.CubaLIF(*[np.ones(3)] * 4, v_threshold=np.ones(3))),
            1e-4,
            "'n1' is a CubaLIF: neurons with a synaptic current",
        ),
        (graph(affine(), nir.Delay(np.ones(3)), neurons()), 1e-4, "'n1' is a Delay"),
        (graph(affine(), neurons(v_threshold=np.array([1.0, 1.0, 2.0]))), 1e-4, "'n1' has v_threshold from 1 to 2"),
        (graph(affine(), neurons(v_leak=np.ones(3))), 1e-4, "'n1' rests at v_leak = 1.0"),
        (graph(affine(), neurons(v_reset=np.ones(3))), 1e-4, "'n1' resets to v_reset = 1.0"),
        (graph(affine(), neurons()), 1e-3, "tau = 0.0005 s, less than a step of 0.001 s; take a smaller dt"),
        (graph(affine(), neurons(), x=affine(3, 3), edges=[("x", "n1")]), 1e-4, "'x' takes nothing"),
        (graph(affine(), neurons(), x=affine(3, 4), edges=[("input", "x"), ("x", "n1")]), 1e-4, "currents from n0, x"),
        (graph(affine(), neurons(), x=neurons(), edges=[("n0", "x"), ("x", "output")]), 1e-4, "'n0' drives n1 and x"),
        (graph(affine(), affine(3, 3), neurons()), 1e-4, "'n0' gives numbers to 'n1'; here neurons follow linear maps"),
        (graph(affine(), neurons(), affine(3, 3), neurons(), edges=[("n3", "n2")]), 1e-4, "there is a loop through"),
        (graph(affine(), neurons(), x=nir.Scale(np.ones(3)), edges=two), 1e-4, "'x' is a Scale"),
        (
            graph(affine(), neurons(), x=nir.Input({"input": np.array([1])})),
            1e-4,
            "one input, the graph has 2: ",
        ),
    ],
    ids=range(16),
)
def test_what_cannot_be_said_here(given, dt, words):
    with pytest.raises(ValueError, match=words):
        from_nir(given, dt)


def test_metadata_that_do_not_fit_the_graph():
    made = to_nir(SpikingMLP([4, 3], 2, Neuron(0.6, 0.5)))
    made.nodes["hidden.0"].tau *= 2
    with pytest.raises(ValueError, match=r"'hidden.0' has tau for a decay of 0.8 a step, and its metadata say 0.6"):
        from_nir(made)
    made = to_nir(SpikingMLP([4, 3], 2))
    made.nodes["hidden.0"].metadata["psi"] = '{"function": "os:system"}'
    with pytest.raises(ValueError, match=r"psi of 'hidden.0' cannot be read .* is not taken from a file.*give psi="):
        from_nir(made)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*net.nir"):
        read_nir(tmp_path / "net.nir")
    (tmp_path / "net.nir").write_bytes(b"hello")
    with pytest.raises(ValueError, match=r"net.nir is not a whole NIR file \(OSError"):
        read_nir(tmp_path / "net.nir")
