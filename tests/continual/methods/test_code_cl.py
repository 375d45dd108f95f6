"""CODE-CL against brute force and autograd in float64: conceptors of tasks, gradients, protection, saved state."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.continual.conceptors import Conceptor, capacity, conjunction, cut, dense, disjunction, empty
from workbench.continual.methods.code_cl import (
    CodeCL,
    CodeCLParams,
    identity_mixing,
    no_mixing,
    shared_directions,
    task_conceptor,
    uniform_mixing,
)
from workbench.continual.multihead import MultiHead, alexnet, mlp, reduced_resnet18
from workbench.continual.projected_step import columns, descend, is_plain_sgd, layer_inputs, projected_step
from workbench.continual.protected import (
    Mixing,
    Protected,
    freeze_rest,
    kept_bytes,
    prepare,
    protected_layers,
    select_task,
)
from workbench.credit.classifier import learn_from_outputs

OPTIMIZERS = [
    lambda p: torch.optim.SGD(p, lr=0.1),
    lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    lambda p: torch.optim.Adam(p, lr=0.01),
    lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    lambda p: torch.optim.RMSprop(p, lr=0.01),
]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def basis(d, k):
    return torch.linalg.qr(torch.randn(d, k, dtype=torch.float64)).Q


def random_conceptor(d, k):
    return Conceptor(basis(d, k), torch.rand(k, dtype=torch.float64) * 0.8 + 0.1)


# the conceptor of a task, equation (1)


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


# overlap, equations (2) and (3)


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


# forward and gradients, equation (4)

LAYERS = [
    (lambda: nn.Linear(7, 5, bias=False), (9, 7)),
    (lambda: nn.Linear(7, 5), (4, 3, 7)),
    (lambda: nn.Conv2d(2, 5, 3, bias=False), (4, 2, 6, 6)),
    (lambda: nn.Conv2d(4, 6, (3, 2), stride=2, padding=1, dilation=(1, 2), groups=2), (3, 4, 8, 9)),
    (lambda: nn.Conv2d(2, 4, 3, padding="same", padding_mode="circular"), (3, 2, 5, 6)),
]


def layer_with(make, k=3, m=2, replaced_detached=False):
    layer = Protected(make().double(), replaced_detached)
    d = layer.vectors.shape[0]
    layer.protect(random_conceptor(d, k))
    layer.mix(1, [Mixing(basis(d, m), torch.randn(m, m).double()), Mixing(basis(d, 1), torch.randn(1, 1).double())])
    layer.task = 1
    return layer


def effective(layer, detach=False):
    W = layer.layer.weight.flatten(1)
    total = W
    for mixing in layer.current_mixings():
        U, M = mixing.directions, mixing.matrix
        total = total - (W.detach() if detach else W) @ U @ U.T + W @ U @ M @ U.T
    return total.view_as(layer.layer.weight)


def direct(layer, x, weight):
    return torch.func.functional_call(layer.layer, {"weight": weight}, (x,))


@pytest.mark.parametrize(("make", "shape"), LAYERS)
@pytest.mark.parametrize("project", [False, True])
def test_forward_and_gradients_are_those_of_the_effective_weights(make, shape, project):
    layer = layer_with(make)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    wanted = [x, layer.layer.weight, *(m.matrix for m in layer.current_mixings())]
    expected = direct(layer, x, effective(layer))
    direction = torch.randn_like(expected)
    gradients = list(torch.autograd.grad((expected * direction).sum(), wanted))
    if project:
        remaining = torch.eye(len(layer.vectors)).double() - dense(layer.conceptor)
        gradients[1] = (gradients[1].flatten(1) @ remaining).view_as(gradients[1])
    layer.projects_gradient = project
    y = layer(x)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)
    for ours, theirs in zip(torch.autograd.grad((y * direction).sum(), wanted), gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)


@pytest.mark.parametrize("project", [False, True])
def test_released_gradient_of_a_linear_layer(project):
    """dL/dW = G (I + U Mᵀ Uᵀ) instead of G (I − U Uᵀ + U Mᵀ Uᵀ)."""
    layer = Protected(nn.Linear(7, 5, bias=False).double(), replaced_detached=True)
    U, M = basis(7, 3), torch.randn(3, 3).double()
    layer.mix(0, [Mixing(U, M)])
    layer.protect(random_conceptor(7, 2))
    layer.projects_gradient = project
    x, direction = torch.randn(6, 7).double(), torch.randn(6, 5).double()
    (layer(x) * direction).sum().backward()
    G, identity = direction.T @ x, torch.eye(7).double()
    expected = G @ (identity + U @ M.T @ U.T)
    expected = expected @ (identity - dense(layer.conceptor)) if project else expected
    torch.testing.assert_close(layer.layer.weight.grad, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(layer(x), direct(layer, x, effective(layer)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_printed_form_adds_the_mixing(make, shape, dtype):
    """W + W U M Uᵀ, written out, forward and back; M = 0 changes nothing, and nothing is detached."""
    layer = Protected(make(), replaced_detached=True, added=True).to(dtype)
    d = len(layer.vectors)
    U, M = basis(d, 3).to(dtype), torch.randn(3, 3, dtype=dtype)
    layer.mix(0, [Mixing(U, M)])
    x, matrix = torch.randn(shape, dtype=dtype, requires_grad=True), layer.current_mixings()[0].matrix
    wanted = [x, layer.layer.weight, matrix]
    rows = layer.layer.weight.flatten(1)
    expected = direct(layer, x, (rows + rows @ U @ matrix @ U.T).view_as(layer.layer.weight))
    direction = torch.randn_like(expected)
    gradients = torch.autograd.grad((expected * direction).sum(), wanted)
    close = {"rtol": 0, "atol": 1e-11 if dtype == torch.float64 else 1e-4}
    torch.testing.assert_close(layer(x), expected, **close)
    for ours, theirs in zip(torch.autograd.grad((layer(x) * direction).sum(), wanted), gradients, strict=True):
        torch.testing.assert_close(ours, theirs, **close)
    layer.mix(0, [Mixing(U, no_mixing(3))])
    assert torch.equal(layer(x), direct(layer, x, layer.layer.weight))


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


@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_columns_meet_the_rows_of_the_weights(make, shape):
    layer, x = make().double(), torch.randn(shape).double()
    y = layer(x) if layer.bias is None else layer(x) - layer.bias.view(-1, *[1] * (2 if len(shape) == 4 else 0))
    groups = getattr(layer, "groups", 1)
    X, W = columns(layer, x), layer.weight.flatten(1)
    if len(shape) == 4 and isinstance(layer, nn.Conv2d):
        pieces = X.unflatten(1, (shape[0], groups, -1))  # (d, batch, groups, places)
        rows = torch.einsum("god,dbgp->bgop", W.unflatten(0, (groups, -1)), pieces)
        torch.testing.assert_close(rows.flatten(1, 2), y.flatten(2), rtol=0, atol=1e-12)
    else:
        torch.testing.assert_close(W @ X, y.flatten(0, -2).T, rtol=0, atol=1e-12)


# steps


def small_network():
    body = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4, track_running_stats=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64, 6),
        nn.ReLU(),
    )
    return MultiHead(body, 6, [3, 3]).double()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("k", [2, 7])
def test_every_optimiser_steps_by_its_own_step_times_what_is_left(optimizer, k):
    """Against the same optimiser on a plain layer: ΔW = (plain step) (I − C) for the first step."""
    plain = nn.Linear(9, 5).double()
    network = prepare(copy.deepcopy(plain))
    network.protect(random_conceptor(9, k))
    x, y = torch.randn(8, 9).double(), torch.randint(5, (8,))
    before = plain.weight.detach().clone()
    plain_optimizer, ours = optimizer(plain.parameters()), optimizer(network.parameters())
    expected = F.cross_entropy(plain(x), y)
    expected.backward()
    plain_optimizer.step()
    loss = descend(network, ours, lambda: learn_from_outputs(network(x), y))
    remaining = torch.eye(9).double() - dense(network.conceptor)
    torch.testing.assert_close(network.layer.weight, before + (plain.weight - before) @ remaining, rtol=0, atol=1e-12)
    torch.testing.assert_close(network.layer.bias, plain.bias)
    assert loss.loss == pytest.approx(expected.item())


def test_both_ways_of_plain_sgd_agree():
    """Projected inputs (descend) and projected steps give the same weights, for 20 steps with mixings."""
    networks = [prepare(small_network()), None]
    for layer in protected_layers(networks[0]).values():
        d = len(layer.vectors)
        layer.protect(random_conceptor(d, d // 3))
        layer.mix(1, [Mixing(basis(d, 2), torch.eye(2))])
    networks[1] = copy.deepcopy(networks[0])
    optimizers = [torch.optim.SGD(network.parameters(), lr=0.1) for network in networks]
    for _ in range(20):
        x, y = torch.randn(8, 1, 4, 4).double(), torch.randint(3, (8,))
        descend(networks[0], optimizers[0], lambda x=x, y=y: learn_from_outputs(networks[0](x, 1), y))
        optimizers[1].zero_grad()
        F.cross_entropy(networks[1](x, 1), y).backward()
        projected_step(optimizers[1], protected_layers(networks[1]).values())
    for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_responses_to_protected_inputs_stay_for_any_number_of_steps(optimizer):
    network = prepare(small_network(), free=[])
    layers = protected_layers(network)
    protected = {}
    for name, layer in layers.items():
        protected[name] = basis(len(layer.vectors), 5)
        layer.protect(Conceptor(protected[name], torch.ones(5).double()))
    before = {name: layer.layer.weight.detach().flatten(1) @ protected[name] for name, layer in layers.items()}
    moving = optimizer(network.parameters())
    for _ in range(25):
        x, y = torch.randn(8, 1, 4, 4).double(), torch.randint(3, (8,))
        descend(network, moving, lambda x=x, y=y: learn_from_outputs(network(x, 0), y))
    for name, layer in layers.items():
        after = layer.layer.weight.detach().flatten(1) @ protected[name]
        torch.testing.assert_close(after, before[name], rtol=0, atol=1e-12)
    moved = layers["body.4"].layer.weight.detach().flatten(1) - before["body.4"] @ protected["body.4"].T
    assert float(moved.abs().max()) > 1e-3


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


def test_plain_sgd_is_recognised():
    parameters = [nn.Parameter(torch.zeros(2))]
    assert [is_plain_sgd(make(parameters)) for make in OPTIMIZERS] == [True, False, False, False, False]


# preparing any network, and its state


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.blocks = nn.Linear(4, 4), nn.ModuleList([nn.Sequential(nn.Linear(4, 4)), nn.Linear(4, 4)])
        self.again = self.first

    def forward(self, x):
        for layer in (self.first, *self.blocks, self.again):
            x = layer(x)
        return x


def test_prepare_wraps_every_layer_once_and_spares_the_free_ones():
    network = prepare(Nested(), free=[(spared := nn.Linear(4, 4))])
    assert list(protected_layers(network)) == ["first", "blocks.0.0", "blocks.1"]
    assert network.again is network.first
    layers = protected_layers(network)
    assert protected_layers(prepare(network)) == layers
    inputs = layer_inputs(network, lambda: network(torch.randn(5, 4)))
    assert inputs["first"].shape == (4, 10)  # used twice
    body = nn.Sequential(nn.Linear(4, 4), spared)
    assert list(protected_layers(prepare(body, free=[spared]))) == ["0"]
    assert isinstance(prepare(nn.Linear(2, 3)), Protected)


@pytest.mark.parametrize("module", [nn.Embedding(5, 3), nn.Conv1d(2, 3, 2), nn.Bilinear(2, 2, 2), nn.LSTM(3, 3)])
def test_prepare_refuses_weights_that_it_cannot_protect(module):
    with pytest.raises(ValueError, match=f"'1' is a {type(module).__name__} with a weight matrix"):
        prepare(nn.Sequential(nn.Linear(2, 2), module))
    prepare(nn.Sequential(nn.Linear(2, 2), module), free=[module])


@pytest.mark.parametrize(
    ("network", "shape", "classes", "dimensions"),
    [
        (lambda: mlp([2, 2]), (4, 1, 28, 28), 2, [784, 100]),
        (lambda: mlp([10]), (4, 784), 10, [784, 100, 100]),
        (lambda: alexnet([10] * 2), (4, 3, 32, 32), 10, [48, 576, 512, 1024, 2048]),
        (lambda: reduced_resnet18([5] * 2), (2, 3, 32, 32), 5, None),
        (lambda: reduced_resnet18([5] * 2, stem_stride=2), (2, 3, 84, 84), 5, None),
    ],
)
def test_the_networks_of_the_paper(network, shape, classes, dimensions):
    network = network()
    CodeCL(network)
    found = [len(layer.vectors) for layer in protected_layers(network).values()]
    if dimensions is None:  # stem; two blocks of 20; then 20→40, 40→80, 80→160 with a 1×1 shortcut each
        dimensions = [27, *[180] * 4]
        for n in (20, 40, 80):
            dimensions += [n * 9, n * 18, n, n * 18, n * 18]
    assert found == dimensions
    assert network(torch.randn(shape), 0).shape == (shape[0], classes)
    assert not any("bias" in name and "norm" not in name and p.ndim > 1 for name, p in network.named_parameters())
    if len(found) == 5:
        assert sum(d * d for d in found) == 5_839_104  # numbers of a dense conceptor memory (22.3 MiB)


def learned(params=CodeCLParams(overlap=0.0, free_directions=3), tasks=3):
    network = mlp([2] * 4, (20, 12, 9))
    method = CodeCL(network, params)
    for task in range(tasks):
        x, y = torch.randn(60, 20), torch.randint(2, (60,))
        method.before_task(task, x, y)
        optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.2)
        for _ in range(3):
            method.learn(optimizer, x, y, task)
        method.after_task(task, x, y)
    return network, method


def test_conceptors_and_mixings_are_saved_moved_and_restored():
    network, method = learned()
    layers = protected_layers(network)
    assert all(len(layer.values) for layer in layers.values())
    assert any(layer.mixings for layer in layers.values())
    state = network.state_dict()
    fresh = mlp([2] * 4, (20, 12, 9))
    CodeCL(fresh)
    fresh.load_state_dict(state)
    x = torch.randn(7, 20)
    for other in (fresh, pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
        assert other.state_dict().keys() == state.keys()
        for task in range(3):
            assert torch.equal(other(x, task), network(x, task))
        for name, layer in protected_layers(other).items():
            torch.testing.assert_close(
                layer.project()(layer.layer.weight), layers[name].project()(layers[name].layer.weight)
            )
    held = {id(p) for p in fresh.parameters()}
    fresh.load_state_dict(state)  # the same sizes: an optimiser keeps its parameters
    assert {id(p) for p in fresh.parameters()} == held
    fresh.load_state_dict(CodeCL(mlp([2] * 4, (20, 12, 9))).network.state_dict())  # and back to nothing
    assert kept_bytes(fresh) == 0
    network.double()
    assert {layer.vectors.dtype for layer in layers.values()} == {torch.float64}
    assert {layer.project()(layer.layer.weight).dtype for layer in layers.values()} == {torch.float64}
    expected = sum(t.numel() * 8 for layer in layers.values() for t in layer.state_dict().values()) - sum(
        layer.layer.weight.numel() * 8 for layer in layers.values()
    )
    assert method.kept_bytes() == expected


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


def test_networks_do_not_share_conceptors():
    first, _ = learned()
    second = mlp([2] * 4, (20, 12, 9))
    CodeCL(second)
    assert all(len(layer.values) == 0 for layer in protected_layers(second).values())
    assert all(len(layer.values) > 0 for layer in protected_layers(first).values())


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


def test_what_no_conceptor_protects_is_frozen():
    deep = MultiHead(nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), 4, [2, 2])
    prepare(deep, deep.free())
    freeze_rest(deep, deep.free())
    assert {n for n, p in deep.named_parameters() if not p.requires_grad} == {
        "body.0.layer.bias",
        "body.1.weight",
        "body.1.bias",
    }


def test_inputs_are_taken_without_dropout_and_the_mode_comes_back():
    network = prepare(nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 2)))
    network.train()
    x = torch.randn(3, 6)
    inputs = layer_inputs(network, lambda: network(x))
    assert torch.equal(inputs["1"], x.T)
    assert network.training
    with pytest.raises(RuntimeError):
        layer_inputs(network, lambda: network(torch.randn(3, 5)))
    assert not network[1]._forward_pre_hooks


def test_tasks_without_head():
    with pytest.raises(ValueError, match=r"heads for tasks 0..1, got task 2"):
        mlp([2, 2])(torch.randn(1, 784), 2)
    with pytest.raises(ValueError, match="at least one"):
        mlp([])
    shared = mlp([10])
    assert shared.head(7) is shared.heads[0]
    select_task(shared, 3)
    assert bool(shared(torch.randn(1, 784), 3).isfinite().all())
