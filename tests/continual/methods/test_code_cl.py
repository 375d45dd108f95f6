"""CODE-CL against brute force and autograd in float64: conceptors of tasks, gradients, protection, saved state."""

import copy

import pytest
import torch
from conceptor_cases import LAYERS, basis, learned, random_conceptor, small_network
from energies import DTYPES
from torch import nn

from workbench.continual.conceptors import Conceptor, capacity, conjunction, cut, dense, disjunction, empty
from workbench.continual.learning import StreamSetting, accuracy_matrix, sgd
from workbench.continual.methods import code_cl
from workbench.continual.methods.code_cl import (
    CodeCL,
    CodeCLParams,
    identity_mixing,
    no_mixing,
    shared_directions,
    task_conceptor,
    uniform_mixing,
)
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.metrics import average_accuracy, backward_transfer
from workbench.continual.multihead import MultiHead, mlp
from workbench.continual.projected_step import layer_inputs
from workbench.continual.protected import Mixing, Protected, protected_layers
from workbench.continual.streams import split_fashion_mnist
from workbench.training.loop import train
from workbench.training.setting import Plan


def task_conceptor_by_inverses(X, aperture, kept, floor):
    d = len(X)
    identity = torch.eye(d, dtype=X.dtype)
    R = X @ X.T / X.shape[1]
    B = R @ torch.linalg.inv(R + identity / aperture**2)
    while (B @ X).norm(dim=0).sum() / X.norm(dim=0).sum() < kept:
        B = B @ torch.linalg.inv(B + (identity - B) / 1.1**2)
    s, U = torch.linalg.eigh((B + B.T) / 2)
    return (U * torch.where(s < floor, 0.0, s)) @ U.T


@pytest.mark.parametrize(("d", "n"), [(6, 40), (20, 8), (12, 500)])
@pytest.mark.parametrize(("aperture", "kept"), [(0.5, 0.95), (6.0, 0.95), (0.2, 0.5)])
def test_task_conceptor_equals_the_loop_with_inverses(d, n, aperture, kept):
    X = torch.randn(d, n, dtype=torch.float64) * torch.linspace(0.05, 2, d, dtype=torch.float64)[:, None]
    c = task_conceptor(X, CodeCLParams(aperture=aperture, kept=kept))
    torch.testing.assert_close(dense(c), task_conceptor_by_inverses(X, aperture, kept, 0.2), rtol=0, atol=1e-11)


def test_a_share_that_cannot_be_kept_ends_and_claims_nothing_unseen():
    X = torch.zeros(12, 30)
    X[:4] = torch.randn(4, 30)
    c = task_conceptor(X, CodeCLParams(kept=1.0))
    assert c.vectors.shape == (12, 4)
    assert float(c.vectors[4:].abs().max()) == 0.0
    assert task_conceptor(torch.zeros(5, 3)).vectors.shape == (5, 0)


def test_shared_directions_are_the_strongest_of_the_conjunction():
    past, new = random_conceptor(10, 10), random_conceptor(10, 10)
    both = conjunction(past, new)
    overlap = shared_directions(past, new, CodeCLParams(overlap=0.0, free_directions=3))
    assert overlap.ratio == pytest.approx(capacity(both) / capacity(past))
    values, vectors = torch.linalg.eigh(dense(both))
    torch.testing.assert_close(
        overlap.directions @ overlap.directions.T, vectors[:, -3:] @ vectors[:, -3:].T, rtol=0, atol=1e-12
    )
    assert values[-1] > values[0]


def test_no_more_directions_than_are_shared_and_none_without_overlap():
    V = basis(20, 9)
    past = Conceptor(V[:, :6], torch.full((6,), 0.9).double())
    new = Conceptor(V[:, 2:9], torch.full((7,), 0.9).double())
    wide = CodeCLParams(overlap=0.1, free_directions=15)
    assert shared_directions(past, new, wide).directions.shape == (20, 4)
    for params in (
        wide._replace(overlap=0.9),
        wide._replace(free_directions=0),
        wide._replace(free_directions=20),
    ):
        assert shared_directions(past, new, params).directions.shape == (20, 0)
    assert shared_directions(empty(20), new, wide).ratio == 0.0


def test_printed_form_from_zero_learns_what_the_default_learns_from_the_identity():
    networks, methods, tasks, y = [], [], overlapping_tasks(60), torch.randint(2, (60,))
    start = three_kinds_of_layers().double()
    for options in ({}, {"added": True, "initial_mixing": no_mixing}):
        networks.append(copy.deepcopy(start))
        params = CodeCLParams(free_directions=6, overlap=0.1, samples=60, **options)
        methods.append(CodeCL(networks[-1], params))
        for task, x in enumerate(tasks):
            methods[-1].before_task(task, x.double(), y)
            optimizer = torch.optim.SGD([p for p in networks[-1].parameters() if p.requires_grad], lr=0.1)
            for _ in range(5):
                methods[-1].learn(optimizer, x.double(), y, task)
            methods[-1].after_task(task, x.double(), y)
    mixed = 0
    for a, b in zip(*(protected_layers(network).values() for network in networks), strict=True):
        torch.testing.assert_close(a.layer.weight, b.layer.weight, rtol=0, atol=1e-10)
        for one, other in zip(a.mixings.values(), b.mixings.values(), strict=True):
            torch.testing.assert_close(one[0].matrix - torch.eye(len(one[0].matrix)), other[0].matrix)
            assert float(other[0].matrix.detach().abs().max()) > 1e-3
            mixed += 1
    assert mixed > 0
    fresh = CodeCL(three_kinds_of_layers().double(), CodeCLParams(added=True)).network
    fresh.load_state_dict(networks[1].state_dict())
    x = tasks[1].double()
    torch.testing.assert_close(fresh(x, 1), networks[0](x, 1), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_identity_mixing_changes_nothing_and_uniform_mixing_does(make, shape):
    layer, x = Protected(make()), torch.randn(shape)
    plain = layer(x)
    for task, start in ((0, identity_mixing), (1, uniform_mixing)):
        layer.mix(task, [Mixing(basis(len(layer.vectors), 3), start(3))])
        layer.task = task
        assert torch.equal(layer(x), plain) == (start is identity_mixing)
    assert float(uniform_mixing(16).abs().max()) <= 0.25
    layer.task = 2
    assert torch.equal(layer(x), plain)


def test_nothing_moves_where_everything_is_protected():
    """A_{i,i} of old tasks is bit-identical if C = I."""
    network = small_network()
    method = CodeCL(network)
    method.after_task(0, torch.randn(40, 1, 4, 4).double(), torch.randint(3, (40,)))
    for layer in protected_layers(network).values():
        layer.protect(Conceptor(*(t.double() for t in (torch.eye(len(layer.vectors)), torch.ones(len(layer.vectors))))))
    probe = torch.randn(10, 1, 4, 4).double()
    before = network(probe, 0).detach().clone()
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.5)
    for _ in range(5):
        method.learn(optimizer, torch.randn(8, 1, 4, 4).double(), torch.randint(3, (8,)), 1)
    assert torch.equal(network(probe, 0), before)
    assert not torch.equal(network.heads[1].weight, copy.deepcopy(network.heads[0].weight))


def overlapping_tasks(n=200):
    """Images of two tasks that fill every direction of the small filters, unequally."""
    mix = torch.randn(3, 3)
    return [torch.einsum("ij,njhw->nihw", m, torch.randn(n, 3, 8, 8).cumsum(-1)) for m in (mix, mix + 0.2)]


def three_kinds_of_layers():
    """A convolution, one of 1×1, and linear layers one of which is given inputs of few dimensions."""
    body = nn.Sequential(
        nn.Conv2d(3, 6, 3, bias=False), nn.ReLU(), nn.Conv2d(6, 5, 1), nn.ReLU(), nn.Flatten(), nn.Linear(180, 9),
        nn.Linear(9, 30), nn.Linear(30, 20), nn.ReLU(),
    )  # fmt: skip
    return MultiHead(body, 20, [2, 2])


def test_float32_and_float64_networks_find_the_same_overlap():
    """ρ, capacity, K and the choice of the layers that are mixed; each sum of float32 against the same in float64."""
    tasks, y = overlapping_tasks(), torch.randint(2, (200,))
    single = three_kinds_of_layers()
    methods = [CodeCL(net, CodeCLParams(free_directions=8)) for net in (single, copy.deepcopy(single).double())]
    for method in methods:
        dtype = method.network.heads[0].weight.dtype
        method.before_task(0, tasks[0].to(dtype), y)
        method.after_task(0, tasks[0].to(dtype), y)
        method.before_task(1, tasks[1].to(dtype), y)
    single, double = (method.overlaps[1] for method in methods)
    assert single == pytest.approx(double, rel=1e-3)
    assert max(single.values()) > 0.9 > 0.5 > min(single.values())
    for a, b in zip(*(protected_layers(method.network).values() for method in methods), strict=True):
        assert capacity(a.conceptor) == pytest.approx(capacity(b.conceptor), rel=1e-4)
        assert a.vectors.shape == b.vectors.shape
        assert [m.directions.shape for m in a.current_mixings()] == [m.directions.shape for m in b.current_mixings()]
        a.task, b.task = 1, 1
        assert [m.directions.shape for m in a.current_mixings()] == [m.directions.shape for m in b.current_mixings()]


def test_full_rank_overlap_against_the_formula_with_inverses():
    """The ratio of (2) where both ranges are the whole space, for a conceptor kept in either precision."""
    past, new = random_conceptor(27, 27), random_conceptor(27, 27)
    C, B, one = dense(past), dense(new), torch.eye(27).double()
    both = torch.linalg.inv(torch.linalg.inv(C) + torch.linalg.inv(B) - one)
    for dtype in (torch.float32, torch.float64):
        stored = Conceptor(past.vectors.to(dtype), past.values.to(dtype))
        ratio, U = shared_directions(stored, new, CodeCLParams(overlap=0.0, free_directions=9))
        assert ratio == pytest.approx(float(both.trace() / C.trace()), rel=1e-5)
        assert U.shape == (27, 9)
        torch.testing.assert_close(U.T @ U, torch.eye(9).double(), rtol=0, atol=1e-12)


def test_after_a_task_the_conceptor_is_the_or_of_both():
    network, method = learned(CodeCLParams(free_directions=0, aperture=0.7), tasks=1)
    before = {name: layer.conceptor for name, layer in protected_layers(network).items()}
    x = torch.randn(60, 20)
    inputs = layer_inputs(network, lambda: network(x, 1))
    method.after_task(1, x, torch.randint(2, (60,)))
    for name, layer in protected_layers(network).items():
        new = task_conceptor(inputs[name], method.params)
        expected = cut(disjunction(before[name], new), 0.2)
        torch.testing.assert_close(dense(layer.conceptor).double(), dense(expected), rtol=0, atol=1e-5)
        assert capacity(layer.conceptor) > capacity(before[name])


def test_code_cl_does_not_forget_where_fine_tuning_does():
    stream = split_fashion_mnist()
    results = {}
    for name, make in {
        "fine-tuning": FineTuning,
        "code-cl": lambda network: CodeCL(network, CodeCLParams(aperture=2.0)),
    }.items():
        torch.manual_seed(0)
        records = train(StreamSetting(make(mlp([2] * 5)), stream, sgd(0.2)), Plan(epochs=2))
        A = accuracy_matrix(records)
        results[name] = (average_accuracy(A), backward_transfer(A))
    assert results["fine-tuning"][1] < -0.08
    assert results["code-cl"][1] > -0.02
    assert results["code-cl"][0] > results["fine-tuning"][0] + 0.05


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_falls_below_the_floor_when_conceptors_are_joined_is_cut(dtype):
    """Two tasks along directions a few degrees apart: joined, what tells them apart has a value below 0.2."""
    method = CodeCL(mlp([2, 2], (3, 5)).to(dtype), CodeCLParams(aperture=1.0, kept=0.0, samples=20))
    layer = next(iter(protected_layers(method.network).values()))
    angle = torch.tensor(0.2, dtype=dtype)
    along = torch.stack([angle.cos(), angle.sin(), torch.zeros_like(angle)])
    y = torch.arange(20) % 2
    layer.protect(Conceptor(torch.eye(3, dtype=dtype)[:, :1], torch.full((1,), 0.5, dtype=dtype)))
    method.after_task(0, along.expand(20, 3), y)
    assert layer.vectors.shape == (3, 1)
    assert float(layer.values) > 0.6


def test_uniform_mixing_fills_its_interval():
    M = code_cl.uniform_mixing(100)
    assert float(M.abs().max()) == pytest.approx(0.1, rel=0.01)
    assert float(M.min()) < -0.099
    assert float(M.abs().max()) <= 0.1


def test_overlaps_are_kept_task_by_task():
    method, y = code_cl.CodeCL(mlp([2] * 3, (10, 8))), torch.arange(16) % 2
    for task in range(3):
        x = torch.rand(16, 10)
        method.before_task(task, x, y)
        method.after_task(task, x, y)
    names = sorted(method.layers())
    assert [sorted(each) for each in method.overlaps] == [[], names, names]
