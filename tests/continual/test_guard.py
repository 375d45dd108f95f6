"""Guards: what stands before a weight, what it lets through, and what a file keeps of it."""

import pytest
import torch
from torch import nn

from workbench.continual.conceptors import Conceptor
from workbench.continual.guard import Mixing
from workbench.continual.protected import guard_weight, prepare, protected_layers, settle
from workbench.networks.layers import trained_weight
from workbench.networks.spiking import SpikingMLP, spiking_layers, spiking_logits

pytestmark = pytest.mark.usefixtures("in_double_precision")


def guarded():
    """A connection with a guard before its weight."""
    connection = nn.Linear(5, 3)
    guard_weight(connection)
    (guard,) = protected_layers(connection).values()
    return connection, guard


def test_weight_is_the_parameter_itself_until_something_is_mixed():
    connection, guard = guarded()
    assert connection.weight is trained_weight(connection) is guard.weight
    U, M = torch.linalg.qr(torch.randn(5, 2)).Q, torch.randn(2, 2)
    guard.mix(1, [Mixing(U, M)])
    assert connection.weight is guard.weight
    guard.task = 1
    W = guard.weight.detach()
    torch.testing.assert_close(connection.weight.detach(), W + W @ U @ (M - torch.eye(2)) @ U.T)
    (of_w,) = torch.autograd.grad(connection.weight.sum(), guard.weight)
    torch.testing.assert_close(of_w, torch.ones(3, 5) @ (torch.eye(5) + U @ (M - torch.eye(2)).T @ U.T))


def test_allowed_directions_come_before_the_conceptor():
    _, guard = guarded()
    assert guard.project() is None
    V = torch.linalg.qr(torch.randn(5, 4)).Q
    guard.protect(Conceptor(V[:, :1], torch.ones(1)))
    G = torch.randn(3, 5)
    torch.testing.assert_close(guard.project()(G), G - G @ V[:, :1] @ V[:, :1].T)
    guard.allow(V[:, 2:])
    torch.testing.assert_close(guard.project()(G), G @ V[:, 2:] @ V[:, 2:].T)


def test_standardisation_is_folded_once_and_a_file_remembers_it():
    x = (torch.rand(6, 4, 7) < 0.4).double()
    networks = [prepare(SpikingMLP([7, 6], 2, recurrent=True)) for _ in range(2)]
    wanted = spiking_logits(networks[0], x)
    settle(networks[0])
    torch.testing.assert_close(spiking_logits(networks[0], x), wanted)
    weights = [layer.weight.detach().clone() for layer in protected_layers(networks[0]).values()]
    settle(networks[0])
    assert all(map(torch.equal, weights, (layer.weight for layer in protected_layers(networks[0]).values())))
    guard = protected_layers(networks[0])["hidden.0.connection"]
    guard.protect(Conceptor(torch.eye(7)[:, :2], torch.ones(2)))
    guard.allow(torch.eye(7)[:, 2:5])
    networks[1].load_state_dict(networks[0].state_dict())
    (layer,) = spiking_layers(networks[1]).values()
    assert layer.gain is layer.recurrent_gain is None
    torch.testing.assert_close(spiking_logits(networks[1], x), wanted)
    other = protected_layers(networks[1])["hidden.0.connection"]
    assert torch.equal(other.allowed, guard.allowed)
    assert torch.equal(other.vectors, guard.vectors)


def test_a_step_that_is_projected_would_not_do_with_standardised_weights():
    """Why the fold is needed: W moves orthogonally to an input, and the answer to it changes all the same."""
    network, x = SpikingMLP([7, 6], 2), torch.rand(7)
    (layer,) = spiking_layers(network).values()
    before = layer.effective_weight().detach() @ x
    step = torch.randn(6, 7)
    step -= (step @ x)[:, None] * x / (x @ x)
    with torch.no_grad():
        layer.connection.weight += step
    assert float((step @ x).abs().max()) < 1e-12
    assert float((layer.effective_weight().detach() @ x - before).abs().max()) > 0.01
