"""GPM: subspaces against singular value decompositions, and what is protected."""

import pytest
import torch
from conceptor_cases import basis
from energies import DTYPES, SIZES, equal_energies
from subspace_cases import data, learn
from torch.nn import functional as F

from workbench.continual.methods.gpm import GPM, GPMParams, gpm_directions
from workbench.continual.methods.sgp import SGP, SGPParams
from workbench.continual.methods.trgp import TRGP, TRGPParams
from workbench.continual.multihead import mlp
from workbench.continual.protected import protected_layers


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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("make", "params"), [(GPM, GPMParams), (SGP, SGPParams), (TRGP, TRGPParams)])
def test_the_first_task_has_the_threshold_itself_and_each_later_one_the_increase_more(make, params, dtype):
    network = mlp([2, 2], SIZES).to(dtype)
    method = make(network, params(threshold=0.55, increase=0.2, samples=100))
    x, y = equal_energies(dtype)
    layer = next(iter(protected_layers(network).values()))
    for task, expected in ((0, 6), (1, 8)):
        method.after_task(task, x, y)
        assert layer.vectors.shape == (10, expected)
    assert method.threshold(1) == pytest.approx(0.75)
    assert method.threshold(9) == 1.0  # there is no more than all of the energy
