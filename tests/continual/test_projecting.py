"""What the projecting methods share: nothing moves along what is protected, whatever teaches."""

import pytest
import torch
from corner_pictures import blocks, pictures

from workbench.continual.learning import StreamSetting, sgd
from workbench.continual.methods.gpm import GPM, GPMParams
from workbench.continual.projected_step import layer_inputs
from workbench.continual.protected import protected_layers
from workbench.rules import feedback_alignment, lls
from workbench.training.loop import train
from workbench.training.setting import Plan


def aligned(network):
    """Feedback alignment, whose weights stand in the place of the network's own on the way down."""
    return feedback_alignment.prepare(network.network, (1, 28, 28), 0)


@pytest.mark.parametrize("rule", [lambda network: lls.gradients, aligned])
@pytest.mark.parametrize("optimizer", [sgd(0.1), lambda p: torch.optim.Adam(p, lr=0.01)])
def test_projection_protects_with_another_rule(optimizer, rule):
    """ΔW X = 0 for the inputs of the finished task, when LLS or feedback alignment teaches and GPM protects."""
    network, (first, second) = blocks(), pictures()
    method = GPM(network, GPMParams(threshold=1.0, samples=30), rule=rule(network))
    run = StreamSetting(method, [first], optimizer, 20)
    list(train(run, Plan(1)))
    x = run.begin(Plan(1)).samples(0)[0][:30]
    inputs = layer_inputs(network, lambda: network(x, 0))
    before = {name: layer.weight.detach().flatten(1).clone() for name, layer in protected_layers(network).items()}
    moving = optimizer([p for p in network.parameters() if p.requires_grad])
    for _ in range(5):
        method.learn(moving, second.train_x[:20], second.train_y[:20], 1)
    moved = 0.0
    for name, layer in protected_layers(network).items():
        change = layer.weight.detach().flatten(1) - before[name]
        X = inputs[name]
        assert float((change @ X).norm()) <= 1e-5 * max(float(change.norm() * X.norm()), 1.0)
        moved = max(moved, float(change.abs().max()))
    assert moved > 1e-4
