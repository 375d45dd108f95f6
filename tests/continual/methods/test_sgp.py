"""SGP: the importance of directions against its formula."""

import pytest
import torch
from conceptor_cases import basis
from subspace_cases import data, learn

from workbench.continual.methods.sgp import SGP, SGPParams, importance
from workbench.continual.multihead import mlp
from workbench.continual.projected_step import layer_inputs
from workbench.continual.protected import protected_layers


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
