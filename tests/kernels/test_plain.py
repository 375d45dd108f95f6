"""The compiled inner loops against the plain ones."""

import pytest
import torch

from workbench.kernels import plain as kernels
from workbench.kernels.plain import run_h
from workbench.kernels.sparse import find_events
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron, hard_reset, no_reset, soft_reset
from workbench.neurons.surrogate import triangle
from workbench.neurons.traces import Factors
from workbench.rules import stllr
from workbench.rules.stllr import STLLR

pytest.importorskip("numba")


fast = pytest.importorskip("workbench.kernels.compiled").NUMBA
suits = pytest.importorskip("workbench.kernels.compiling").suits
DTYPES = [torch.float32, torch.float64]


def spikes(*shape, rate=0.1, dtype=torch.double):
    return (torch.rand(shape, generator=torch.Generator().manual_seed(shape[0])) < rate).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (5, 33), (40, 64)])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5])
def test_events_are_the_same(dtype, shape, rate):
    x = spikes(*shape, rate=rate, dtype=dtype) * 3.0
    for densest in (1.0, 0.125):
        ours, plain = fast.find_events(x, densest), find_events(x, densest)
        assert (ours is None) == (plain is None)
        if ours is not None and plain is not None:
            assert ours.width == plain.width
            assert all(torch.equal(a, b) for a, b in zip(ours[:3], plain[:3], strict=True))


@pytest.mark.parametrize("reset", [soft_reset, hard_reset, no_reset])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("n", [3, 8, 21])
def test_firing_is_the_same(reset, recurrent, n):
    generator = torch.Generator().manual_seed(n)
    current = torch.randn(9, 4, n, generator=generator, dtype=torch.double)
    rest = torch.randn(4, n, generator=generator, dtype=torch.double)
    weight = torch.randn(n, n, generator=generator, dtype=torch.double).T if recurrent else None
    last = spikes(4, n, rate=0.5) if recurrent else None
    found = []
    for version in (kernels.fire, fast.fire):
        potential = current.clone()
        found.append((version(potential, Neuron(0.8, 0.6), reset, rest, weight, last), potential))
    (plain, plain_potential), (ours, potential) = found
    assert torch.equal(plain.spikes, ours.spikes)
    assert plain.spikes.any()
    assert torch.allclose(plain.rest, ours.rest, atol=1e-12)
    assert torch.allclose(plain_potential, potential, atol=1e-12)
    if ours.past is not None:
        past = find_events(torch.cat([last[None], ours.spikes[:-1]]).flatten(0, 1), densest=1.0)
        assert all(torch.equal(a, b) for a, b in zip(ours.past[:3], past[:3], strict=True))
    assert (ours.past is not None) == (recurrent and reset is not no_reset)


def test_firing_of_images_is_the_same():
    current = torch.randn(5, 2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    rest = torch.zeros(2, 3, 4, 4)
    one, other = (f(current.clone(), Neuron(0.5, 0.6), soft_reset, rest) for f in (kernels.fire, fast.fire))
    assert torch.equal(one.spikes, other.spikes)
    assert not rest.any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_added_products_are_the_same(dtype):
    events = find_events(spikes(30, 70, dtype=dtype) * 2.0, densest=1.0)
    g, grads = torch.randn(30, 11, dtype=dtype), [torch.ones(70, 11, dtype=dtype) for _ in range(2)]
    kernels.TORCH.add_outer(grads[0], events, g)
    fast.add_outer(grads[1], events, g)
    assert torch.allclose(*grads, atol=1e-5)
    assert not torch.equal(grads[0], torch.ones_like(grads[0]))


@pytest.mark.parametrize("weighing", [(0.8, 1.0, -0.5), (0.0, 0.7, 0.3), (0.5, 1.2, 0.0)])
@pytest.mark.parametrize("with_h", [True, False])
def test_output_sides_are_the_same(weighing, with_h):
    delta, psi, h = torch.randn(3, 6, 2, 5, dtype=torch.double)
    h = h if with_h else None
    plain, ours = (f(delta, psi, h, kernels.Weighing(*weighing)) for f in (kernels.output_side, fast.output_side))
    assert all(torch.allclose(one, other, atol=1e-12) for one, other in zip(plain, ours, strict=True))


def test_traces_of_the_output_are_the_same():
    psi, start = torch.rand(6, 2, 5, dtype=torch.double), torch.rand(2, 5, dtype=torch.double)
    assert torch.allclose(kernels.run_h(psi, start, 0.7), fast.run_h(psi, start, 0.7), atol=1e-12)


@pytest.mark.parametrize("rate", [0.05, 0.4])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("last_steps", [None, 5])
def test_the_whole_rule_is_the_same(rate, recurrent, last_steps):
    torch.manual_seed(0)
    net = SpikingMLP([30, 20, 10], 4, Neuron(0.8, 0.3), triangle, readout_decay=0.9, recurrent=recurrent).double()
    x, y = spikes(20, 6, 30, rate=rate), torch.randint(0, 4, (6,))
    found = []
    for version in (kernels.TORCH, fast):
        net.zero_grad()
        report = stllr.gradients(net, x, y, STLLR(Factors(0.4, 0.7, -0.6, 1.1), last_steps, chunk=6, kernels=version))
        found.append((report, [parameter.grad for parameter in net.parameters()]))
    assert found[0][0].loss == pytest.approx(found[1][0].loss, abs=1e-12)
    assert all(torch.allclose(a, b, atol=1e-11) for a, b in zip(found[0][1], found[1][1], strict=True))


def test_what_cannot_be_compiled_is_left_to_torch():
    half = torch.rand(4, 5).half()
    assert not suits(half)
    assert fast.find_events(half) is None
    assert not suits(torch.rand(4, 5).T)
    assert not suits(torch.rand(4), torch.rand(4).double())
    assert suits(torch.rand(4), None, torch.rand(4, 5))


def test_released_non_causal_trace_without_decay_is_the_last_activation():
    psi = torch.rand(6, 2, dtype=torch.double)
    h = run_h(psi, torch.zeros(2, dtype=torch.double), decay=0.0)
    assert torch.equal(h[1:], psi)
    assert not h[0].any()
