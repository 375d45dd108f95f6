"""TRGP: related tasks, and the function that a new task starts from."""

import pytest
import torch
from energies import DTYPES, SIZES, equal_energies
from subspace_cases import learn
from torch.nn import functional as F

from workbench.continual.methods.trgp import TRGP, TRGPParams, related_tasks
from workbench.continual.multihead import mlp
from workbench.continual.protected import protected_layers


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_tasks_own_subspace_does_not_leave_out_what_is_protected_already(dtype):
    """The same inputs twice: the second task adds nothing to the basis of all, and its own subspace is the first's."""
    network = mlp([2, 2], SIZES).to(dtype)
    method = TRGP(network, TRGPParams(threshold=0.55, increase=0.0, samples=100))
    x, y = equal_energies(dtype)
    x = x * torch.linspace(1.0, 2.0, 10, dtype=dtype)
    for task in range(2):
        method.after_task(task, x, y)
    name = next(iter(protected_layers(network)))
    first, second = method.subspaces[name]
    assert first.shape == second.shape
    assert first.shape[1] > 0
    torch.testing.assert_close(first @ first.T, second @ second.T, rtol=0, atol=1e-5)
    assert protected_layers(network)[name].vectors.shape == first.shape


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
