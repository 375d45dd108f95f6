"""GPM, SGP and TRGP: subspaces against singular value decompositions, and what each protects."""

import pytest
import torch
from torch.nn import functional as F

from workbench.continual.methods.gpm import GPM, GPMParams, gpm_directions
from workbench.continual.methods.sgp import SGP, SGPParams, importance
from workbench.continual.methods.trgp import TRGP, TRGPParams, related_tasks
from workbench.continual.multihead import mlp
from workbench.continual.projected_step import layer_inputs
from workbench.continual.protected import protected_layers


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def data(d, n):
    return torch.randn(d, n, dtype=torch.float64) * torch.linspace(0.1, 3, d, dtype=torch.float64)[:, None]


def basis(d, k):
    return torch.linalg.qr(torch.randn(d, k, dtype=torch.float64)).Q


def by_svd(X, M, threshold):
    """The published steps one by one: remove what M holds, decompose the rest, add until the energy suffices."""
    rest = X - M @ M.T @ X
    U, s, _ = torch.linalg.svd(rest, full_matrices=False)
    k, held = 0, (M.T @ X).square().sum()
    while held < threshold * X.square().sum() and k < len(s):
        held, k = held + s[k] ** 2, k + 1
    return U[:, :k]


@pytest.mark.parametrize(("d", "n"), [(10, 60), (30, 12)])
@pytest.mark.parametrize("m", [0, 1, 6])
@pytest.mark.parametrize("threshold", [0.3, 0.9, 0.97])
def test_new_directions_equal_the_steps_by_singular_values(d, n, m, threshold):
    X, M = data(d, n), basis(d, m) if m else torch.zeros(d, 0, dtype=torch.float64)
    ours, theirs = gpm_directions(X, M, threshold), by_svd(X, M, threshold)
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours @ ours.T, theirs @ theirs.T, rtol=0, atol=1e-11)
    assert float((M.T @ ours).abs().max() if ours.numel() and m else 0) < 1e-12


def test_no_new_directions_where_the_old_ones_suffice():
    X = data(10, 50)
    assert gpm_directions(X, basis(10, 10), 0.99).shape == (10, 0)
    assert gpm_directions(torch.zeros(10, 5), torch.zeros(10, 0), 0.99).shape == (10, 0)
    assert gpm_directions(X, torch.zeros(10, 0).double(), 1.0).shape == (10, 10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("d", "n"), [(40, 125), (40, 12)])
def test_rounding_errors_are_no_new_directions(d, n, dtype):
    """At ε = 1 task after task, the basis stored in either type fills up to d and stays orthonormal."""
    M = torch.zeros(d, 0, dtype=dtype)
    for _ in range(15):
        X = (torch.randn(d, n) * torch.linspace(1e-3, 1, d)[:, None]).to(dtype)
        M = torch.cat([M, gpm_directions(X, M, 1.0).to(dtype)], dim=1)
        assert M.shape[1] <= d
        rounding = 1e-12 if dtype == torch.float64 else 1e-6
        torch.testing.assert_close(M.T @ M, torch.eye(M.shape[1], dtype=dtype), rtol=0, atol=rounding)
        assert gpm_directions(X, M, 1.0).shape == (d, 0)
    assert M.shape == (d, d)


def test_directions_with_little_energy_stay_outside_the_basis():
    """Directions 1e-5 times as long as the others, near the limit where they count as rounding errors."""
    M = basis(30, 10)
    X = M @ torch.randn(10, 100).double() + 1e-5 * (torch.eye(30) - M @ M.T) @ torch.randn(30, 100).double()
    U = gpm_directions(X, M, 1.0)
    assert U.shape == (30, 20)
    both = torch.cat([M, U], dim=1)
    torch.testing.assert_close(both.T @ both, torch.eye(30).double(), rtol=0, atol=1e-13)


def cosines_after_projection(network):
    """cos(G, G (I − C)) of each layer's last gradient; 0 where nothing but rounding errors is left of it."""
    for layer in protected_layers(network).values():
        G = layer.layer.weight.grad.flatten(1)
        left = layer.project()(G) if layer.project() else G
        yield float((G * left).sum() / (G.norm() * left.norm())) if left.norm() > 1e-6 * G.norm() else 0.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("make", [GPM, SGP, TRGP])
def test_fifteen_permuted_tasks_with_the_papers_thresholds(make, dtype):
    """ε = 0.97 + 0.003 t is 1 from the eleventh task on: bases within d, no step uphill, no divergence."""
    network = mlp([2], (16, 14, 12)).to(dtype)
    method, base, losses = make(network), torch.randn(200, 16, dtype=dtype), []
    y = (base @ torch.randn(16, dtype=dtype) > 0).long()
    for task in range(15):
        x = base[:, torch.randperm(16)]
        method.before_task(task, x, y)
        optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
        losses = [method.learn(optimizer, x[rows], y[rows], task).loss for rows in torch.randperm(200).split(20)]
        F.cross_entropy(network(x, task), y).backward()
        assert min(cosines_after_projection(network)) > -1e-5
        method.after_task(task, x, y)
        for layer in protected_layers(network).values():
            d, m = layer.vectors.shape
            assert m <= d
            identity, rounding = torch.eye(m, dtype=dtype), 1e-6 if dtype == torch.float32 else 1e-12
            torch.testing.assert_close(layer.vectors.T @ layer.vectors, identity, rtol=0, atol=rounding)
        assert max(losses) < 3
    assert [layer.vectors.shape[1] for layer in protected_layers(network).values()] == [16, 14, 12]


def learn(method, tasks=2, steps=10, d=20):
    generator = torch.Generator().manual_seed(1)
    batches = []
    for task in range(tasks):
        x, y = torch.randn(60, d, generator=generator), torch.randint(2, (60,), generator=generator)
        x[:, 5 * task + 5 :] = 0
        method.before_task(task, x, y)
        optimizer = torch.optim.SGD([p for p in method.network.parameters() if p.requires_grad], lr=0.2)
        for _ in range(steps):
            method.learn(optimizer, x, y, task)
        method.after_task(task, x, y)
        batches.append((x, y))
    return batches


def test_gpm_keeps_the_answers_to_old_inputs_and_learns_the_new():
    network = mlp([2, 2], (20, 12, 9))
    method = GPM(network, GPMParams(threshold=1.0))
    ((x, _),) = learn(method, tasks=1)
    before = network(x, 0).detach().clone()
    frozen = network.body[1].layer.weight.detach().clone()
    new_x, new_y = torch.randn(60, 20), torch.randint(2, (60,))
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=0.01)
    losses = [method.learn(optimizer, new_x, new_y, 1).loss for _ in range(60)]
    torch.testing.assert_close(network(x, 0), before, rtol=0, atol=1e-4)
    assert losses[-1] < 0.7 * losses[0]
    assert float((network.body[1].layer.weight.detach() - frozen).abs().max()) > 0.01


def test_gpm_enlarges_one_orthonormal_basis():
    network = mlp([2] * 3, (20, 12, 9))
    method = GPM(network, GPMParams(0.9, 0.02))
    learn(method, 3)
    for layer in protected_layers(network).values():
        V = layer.vectors
        assert torch.equal(layer.values, torch.ones(V.shape[1]))
        torch.testing.assert_close(V.T @ V, torch.eye(V.shape[1]), rtol=0, atol=1e-5)
    sizes = [layer.vectors.numel() + len(layer.values) for layer in protected_layers(network).values()]
    assert method.kept_bytes() == 4 * sum(sizes)


def test_importance_of_directions():
    X, M = data(12, 40), basis(12, 4)
    sigma = torch.tensor([float((M[:, i] @ X).norm()) for i in range(4)], dtype=torch.float64)
    expected = torch.tensor([11 * s / (10 * s + max(sigma)) for s in sigma])
    torch.testing.assert_close(importance(X, M, 10.0), expected)
    assert float(importance(X, M, 3.0).max()) == pytest.approx(1.0)
    torch.testing.assert_close(importance(X, M, 1e9), torch.ones(4).double())  # GPM
    assert torch.equal(importance(torch.zeros(12, 3), M, 10.0), torch.zeros(4).double())


def test_sgp_adds_importances_up_to_one():
    networks = [mlp([2] * 3, (20, 12, 9)) for _ in range(2)]
    methods = [SGP(network, SGPParams(scale=1.0)) for network in networks]
    learn(methods[0], 1)
    networks[1].load_state_dict(networks[0].state_dict())
    x, y = torch.randn(60, 20), torch.randint(2, (60,))
    before = {name: layer.values.clone() for name, layer in protected_layers(networks[1]).items()}
    inputs = layer_inputs(networks[1], lambda: networks[1](x, 1))
    methods[1].after_task(1, x, y)
    for name, layer in protected_layers(networks[1]).items():
        k = len(before[name])
        now = importance(inputs[name], layer.vectors, 1.0).float()
        torch.testing.assert_close(layer.values[:k], (before[name] + now[:k]).clamp(max=1), rtol=0, atol=1e-5)
        torch.testing.assert_close(layer.values[k:], now[k:], rtol=0, atol=1e-5)
    assert all(float(layer.values.max()) <= 1 for layer in protected_layers(networks[1]).values())


def test_related_tasks_hold_most_of_the_gradient():
    e = torch.eye(6)
    gradient = torch.tensor([[3.0, 0.0, 4.0, 0.0, 0.0, 0.0]])
    subspaces = [e[:, :1], e[:, 3:], e[:, 2:3], e[:, :3]]  # shares 0.6, 0, 0.8, 1
    assert related_tasks(gradient, subspaces, TRGPParams(relation=0.5)) == [3, 2]
    assert related_tasks(gradient, subspaces, TRGPParams(relation=0.5, most_related=5)) == [3, 2, 0]
    assert related_tasks(gradient, subspaces[:2], TRGPParams(relation=0.7)) == []
    assert related_tasks(torch.zeros(1, 6), subspaces, TRGPParams()) == []


def test_trgp_starts_from_the_old_function_and_rescales_inside_old_subspaces():
    network = mlp([2] * 3, (20, 12, 9))
    method = TRGP(network, TRGPParams(relation=0.01))
    ((x, y),) = learn(method, 1)
    plain = network(x, 1).detach().clone()
    old = network(x, 0).detach().clone()
    method.before_task(1, x, y)
    layers = protected_layers(network)
    assert all(list(layer.mixings) == ["1"] for layer in layers.values())
    assert torch.equal(network(x, 1), plain)
    assert torch.equal(layers["body.1"].mixings["1"][0].directions, method.subspaces["body.1"][0])
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.5)
    for _ in range(20):
        method.learn(optimizer, x, y, 1)
    matrix = layers["body.1"].mixings["1"][0].matrix.detach()
    assert float((matrix - torch.eye(len(matrix))).abs().max()) > 1e-3
    assert F.cross_entropy(network(x, 1), y).item() < F.cross_entropy(plain, y).item()
    drift = (network(x, 0).detach() - old).abs().max() / old.abs().max()  # the rescaling is task 1's only
    assert float(drift) < 0.1
    kept = [t for layer in layers.values() for t in (layer.vectors, layer.values, layer.mixings["1"][0].matrix)]
    kept += [S for subspaces in method.subspaces.values() for S in subspaces]
    assert method.kept_bytes() == sum(t.numel() * 4 for t in kept)  # shared directions count once
