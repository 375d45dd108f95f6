"""What the projecting methods share: nothing moves along what is protected, whatever teaches."""

import pytest
import torch
from corner_pictures import blocks, pictures

from workbench.continual.learning import StreamSetting, sgd
from workbench.continual.methods.gpm import GPM, GPMParams
from workbench.continual.multihead import SharedHead
from workbench.continual.projected_step import layer_inputs
from workbench.continual.protected import protected_layers
from workbench.networks.block_networks import mini_conv
from workbench.rules import feedback_alignment, lls
from workbench.training.loop import train
from workbench.training.setting import Plan


@pytest.mark.parametrize("optimizer", [sgd(0.1), lambda p: torch.optim.Adam(p, lr=0.01)])
def test_projection_protects_with_another_rule(optimizer):
    """ΔW X = 0 for the inputs of the finished task, when LLS teaches and GPM protects."""
    network, (first, second) = blocks(), pictures()
    method = GPM(network, GPMParams(threshold=1.0, samples=30), rule=lls.gradients)
    run = StreamSetting(method, [first], optimizer, 20)
    list(train(run, Plan(1)))
    x = run.begin(Plan(1)).samples(0)[0][:30]
    inputs = layer_inputs(network, lambda: network(x, 0))
    before = {name: layer.layer.weight.detach().flatten(1).clone() for name, layer in protected_layers(network).items()}
    moving = optimizer([p for p in network.parameters() if p.requires_grad])
    for _ in range(5):
        method.learn(moving, second.train_x[:20], second.train_y[:20], 1)
    moved = 0.0
    for name, layer in protected_layers(network).items():
        change = layer.layer.weight.detach().flatten(1) - before[name]
        X = inputs[name]
        assert float((change @ X).norm()) <= 1e-5 * max(float(change.norm() * X.norm()), 1.0)
        moved = max(moved, float(change.abs().max()))
    assert moved > 1e-4


def test_feedback_alignment_refuses_protected_layers():
    """It would be backpropagation without a word: the layer inside runs with its own weights."""
    network, (first, _) = SharedHead(mini_conv(2)), pictures()
    rule = feedback_alignment.prepare(network.network, (1, 28, 28), 0)
    x, y = first.train_x[:20], first.train_y[:20]
    assert rule(network.seen(0), x, y).loss > 0
    method = GPM(network, rule=feedback_alignment.prepare(network.network, (1, 28, 28), 0))
    with pytest.raises(ValueError, match=r"is run by the module around it.*feedback alignment cannot train"):
        method.gradients(x, y, 0)
