"""The stages of one update add up to what the rule itself writes, in float64."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.compression.calibration import Modes
from workbench.compression.lance import compress
from workbench.continual.methods.code_cl import CodeCL
from workbench.continual.multihead import mlp
from workbench.networks.blocks import BlockNetwork, dense_block
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.traces import Factors
from workbench.neurons.traces import eligibility as whole_eligibility
from workbench.rules import lls, stllr, tess
from workbench.rules.lls import LocalHead
from workbench.watch.one_update import (
    CODE_CL,
    ENERGY,
    NEURON,
    ROUNDS,
    UPDATES,
    code_cl_update,
    lance_update,
    lls_update,
    samples,
    spikes,
    stllr_update,
    tess_update,
    waves,
)

NUMBERS = (0, 1, 5)
EXACT = {"rtol": 1e-12, "atol": 1e-14}
TERMS = {
    "stllr": ["x", "q", "ψ", "h", "δ", "Δw"],
    "tess": ["x", "q", "ψ", "h", "δ", "Δw"],
    "lls": ["z", "s", "p", "p − y", "∂a", "Δw"],
    "code-cl": ["x", "δ", "G", "GC", "G(I − C)", "Δw"],
    "lance": ["x", "S", "δ", "Ĝ", "G", "Δw"],
}


def spiking(problem):
    """The network of a spiking problem."""
    network = SpikingMLP([3, 2], 2, NEURON, standardize=False, bias=False).double()
    network.hidden[0].connection.weight.data = problem.weight.clone()
    network.readout.connection.weight.data = problem.readout.clone()
    return network, problem.x[:, None], torch.tensor([problem.label])


def plain(problem):
    """The ReLU layer and the classifier of a problem of samples."""
    layers = [nn.Linear(3, 2, bias=False), nn.ReLU(), nn.Linear(2, 2, bias=False)]
    network = nn.Sequential(*layers).double()
    network[0].weight.data, network[2].weight.data = problem.weight.clone(), problem.readout.clone()
    return network


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("factors", [Factors(), Factors(0.5, 0.9, 0.7, 0.3)])
def test_stllr_is_the_rule(number, factors):
    network, x, y = spiking(spikes(number))
    stllr.gradients(network, x, y, stllr.STLLR(factors))
    torch.testing.assert_close(
        stllr_update(number, factors).total(), -network.hidden[0].connection.weight.grad, **EXACT
    )


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("factors", [tess.FACTORS, Factors(0.5, 0.9, -0.7, 0.3)])
def test_tess_is_the_rule(number, factors):
    network, x, y = spiking(spikes(number))
    heads = {network.hidden[0]: tess.Head(waves())}
    tess.gradients(network, x, y, tess.TESS(heads, factors))
    torch.testing.assert_close(tess_update(number, factors).total(), -network.hidden[0].connection.weight.grad, **EXACT)


@pytest.mark.parametrize("number", NUMBERS)
def test_lls_is_the_rule(number):
    problem = samples(number, units=4)
    block = dense_block(3, 4, cells=2, normalize=False)
    network = BlockNetwork([block], nn.Linear(4, 2), make_head=lambda latents, index: LocalHead(waves())).double()
    connection = network.blocks[0].body[0]
    connection.weight.data, connection.bias.data = problem.weight.clone(), torch.zeros(4).double()
    lls.gradients(network, problem.x, problem.labels)
    torch.testing.assert_close(lls_update(number).total(), -connection.weight.grad, **EXACT)


@pytest.mark.parametrize("number", NUMBERS)
def test_code_cl_is_the_method(number):
    problem, told = samples(number), code_cl_update(number)
    network = mlp([2, 2], sizes=(3, 2)).double()
    network.body[1].weight.data = problem.weight.clone()
    network.heads[1].weight.data = problem.readout.clone()
    method = CodeCL(network, CODE_CL)
    method.after_task(0, problem.past, torch.zeros(len(problem.past), dtype=torch.int64))
    method.before_task(1, problem.x, problem.labels)
    (name, layer), *_ = method.layers().items()
    vectors, values = layer.conceptor
    torch.testing.assert_close(told.given["C"], (vectors * values) @ vectors.T, **EXACT)
    before = layer.weight.detach().clone()
    method.learn(torch.optim.SGD([layer.weight], lr=1.0), problem.x, problem.labels, 1)
    torch.testing.assert_close(told.total(), layer.weight.detach() - before, **EXACT)
    assert name


@pytest.mark.parametrize("number", NUMBERS)
def test_lance_is_the_method(number):
    problem, told = samples(number), lance_update(number)
    lean = compress(plain(problem), [problem.past], ENERGY, Modes(), ["0"])
    F.cross_entropy(lean(problem.x), problem.labels).backward()
    torch.testing.assert_close(told.total(), -lean[0].weight.grad, **EXACT)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("make", [code_cl_update, lance_update])
def test_the_exact_gradient_beside_it_is_that_of_backpropagation(number, make):
    problem, network = samples(number), plain(samples(number))
    F.cross_entropy(network(problem.x), problem.labels).backward()
    exact = sum(make(number).seen(23)["G"])
    torch.testing.assert_close(exact, network[0].weight.grad, **EXACT)


@pytest.mark.parametrize("rule", UPDATES)
def test_six_stages_in_each_round(rule):
    stages = UPDATES[rule](0).stages
    assert [stage.name for stage in stages] == TERMS[rule] * ROUNDS
    assert [stage.place for stage in stages] == [place for place in range(ROUNDS) for _ in range(6)]
    for stage in stages:
        assert stage.name in stage.found
        assert all(values.dtype == torch.float64 and values.isfinite().all() for values in stage.found.values())


@pytest.mark.parametrize("rule", UPDATES)
def test_what_is_seen_grows_stage_by_stage_and_never_changes(rule):
    update = UPDATES[rule](2)
    assert not update.total(4).any()
    everything = update.seen(23)
    for at in range(24):
        seen = update.seen(at)
        assert update.stages[at].name in seen
        for name, values in seen.items():
            assert len(values) == sum(name in stage.found for stage in update.stages[: at + 1])
            assert all(map(torch.equal, values, everything[name]))
    assert torch.equal(update.total(), update.total(23))


def test_the_terms_multiply_as_the_equations_say():
    update = stllr_update(0)
    seen, factors = update.seen(23), Factors()
    x, psi = torch.stack(seen["x"]), torch.stack(seen["ψ"])
    torch.testing.assert_close(torch.stack(seen["e"]), whole_eligibility(x, psi, factors), **EXACT)
    for t in range(ROUNDS):
        torch.testing.assert_close(seen["Δw"][t], -seen["δ"][t][:, None] * seen["e"][t], **EXACT)
    found = lls_update(0).seen(23)
    pooled = torch.stack(found["a"]).unflatten(1, (2, 2)).mean(2)
    torch.testing.assert_close(torch.stack(found["z"]), pooled, **EXACT)
    taken = code_cl_update(0)
    for G, GC, left in zip(*(taken.seen(23)[name] for name in ("G", "GC", "G(I − C)")), strict=True):
        torch.testing.assert_close(G, GC + left, **EXACT)


def test_waves_tell_the_two_classes_apart_in_every_latent():
    B = waves()
    torch.testing.assert_close(B @ B.T, torch.eye(2).double(), **EXACT)
    assert (B[0] - B[1]).abs().min() > 0.5
    assert B[0, 0] == pytest.approx(math.cos(math.pi / 8))


def test_old_inputs_are_moved_less_than_without_the_conceptor():
    for number in range(6):
        update = code_cl_update(number)
        old = update.given["x_old"]
        without = sum(update.seen(23)["G"]) @ old
        torch.testing.assert_close(update.seen(23)["old"][-1], update.total() @ old, **EXACT)
        assert (update.total() @ old).norm() < 0.6 * without.norm()


@pytest.mark.parametrize("number", range(10))
def test_problems_show_something_in_every_stage(number):
    for make in (stllr_update, tess_update):
        seen = make(number).seen(23)
        assert all(torch.stack(seen[name]).any() for name in ("x", "q", "ψ", "h", "δ", "Δw"))
        assert (torch.stack(seen["z"]).sum(0) > 0).all()
    assert (lance_update(number).total().abs().amax(1) > 1e-3).any()


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("number", [-1, 1.5, "one"])
def test_a_problem_that_there_is_not(number):
    for make in UPDATES.values():
        with pytest.raises(ValueError, match="number must be"):
            make(number)
