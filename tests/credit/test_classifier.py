"""The classifier learns from its own cross-entropy, against the gradient in closed form."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.credit.classifier import learn_from_outputs, train_classifier
from workbench.networks.block_networks import dense_network

DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-14), (torch.float32, 1e-6)])


@DTYPES
def test_the_gradient_is_error_times_features(dtype, tolerance):
    """∂L/∂W = (p − y)ᵀ x / batch and ∂L/∂b = Σ (p − y) / batch, and nothing reaches the features."""
    net = dense_network([6, 5], 4).to(dtype)
    x = torch.randn(7, 5, dtype=dtype, requires_grad=True)
    y = torch.arange(7) % 4
    report = train_classifier(net, x, y)
    error = ((x @ net.classifier.weight.T + net.classifier.bias).softmax(1) - F.one_hot(y, 4)) / 7
    torch.testing.assert_close(net.classifier.weight.grad, error.T @ x, rtol=0, atol=tolerance)
    torch.testing.assert_close(net.classifier.bias.grad, error.sum(0), rtol=0, atol=tolerance)
    assert x.grad is None
    assert all(parameter.grad is None for parameter in net.blocks.parameters())
    assert report.loss == pytest.approx(float(F.cross_entropy(report.logits, y)))
    assert not report.logits.requires_grad
    assert (report.spike_rates, report.state_bytes) == ({}, 0)


@DTYPES
def test_outputs_send_it_back_through_their_graph(dtype, tolerance):
    layer, x, y = nn.Linear(5, 3).to(dtype), torch.randn(4, 5, dtype=dtype), torch.tensor([0, 1, 2, 1])
    report = learn_from_outputs(layer(x), y)
    error = (layer(x).softmax(1) - F.one_hot(y, 3)) / 4
    torch.testing.assert_close(layer.weight.grad, error.T @ x, rtol=0, atol=tolerance)
    torch.testing.assert_close(report.logits, layer(x).detach(), rtol=0, atol=0)
