"""Everything that only looks at a network leaves it as it was: modes, numbers, statistics, `requires_grad`, `.grad`."""

from functools import partial
from typing import NamedTuple

import pytest
import torch
from schedulefree import AdamWScheduleFree
from torch import Tensor, nn

from workbench.audit.locality import space_dependence, time_dependence, updates_by_step
from workbench.audit.updates import layer_updates
from workbench.compression.calibration import calibrate
from workbench.continual.learning import accuracies
from workbench.continual.methods.ewc import fisher
from workbench.continual.methods.lance import LanceContinual, input_correlations
from workbench.continual.multihead import MultiHead
from workbench.continual.projected_step import layer_inputs
from workbench.continual.protected import prepare
from workbench.cost.blocks import connection_macs
from workbench.cost.formulas import layer_sizes
from workbench.credit.signals import feedback_matrices, layer_shapes
from workbench.experiments.fine_tuning import LabelledImages, class_scores, inputs_of
from workbench.experiments.flow import SpikingUNet, predict_flow
from workbench.meters.evaluation import evaluation, mode, untouched
from workbench.networks.block_networks import dense_network, mini_conv
from workbench.networks.blocks import BlockNetwork, block_logits, feature_shapes, parameter_groups, refresh_statistics
from workbench.networks.resnet import ResNet
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.rules import bptt, lls, stllr
from workbench.rules.direct_feedback import direct_feedback
from workbench.rules.forward_forward import goodness_logits
from workbench.rules.lls import local_head, synchrony_by_block
from workbench.rules.tess import make_heads
from workbench.training.schedule_free import averaged_weights
from workbench.training.score import evaluate


def state(network):
    """All that may not change."""
    modes = {name: module.training for name, module in network.named_modules()}
    numbers = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    learning = {name: p.requires_grad for name, p in network.named_parameters()}
    gradients = {name: (p.grad, None if p.grad is None else p.grad.clone()) for name, p in network.named_parameters()}
    return modes, numbers, learning, gradients


def assert_same(before, network):
    modes, numbers, learning, gradients = before
    after = state(network)
    assert (after[0], after[2]) == (modes, learning)
    assert after[1].keys() == numbers.keys()
    assert all(torch.equal(after[1][name], tensor) for name, tensor in numbers.items())
    for name, (gradient, copy) in gradients.items():
        assert after[3][name][0] is gradient
        assert gradient is None or torch.equal(gradient, copy)


def in_use(network):
    """A network in the middle of training: one normalisation and one dropout set apart, one parameter frozen, some
    gradients there and others not."""
    network.train()
    apart = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d | nn.Dropout)]
    for module in apart[:1]:
        module.eval()
    parameters = list(network.parameters())
    parameters[0].requires_grad_(False)
    for parameter in parameters[1::2]:
        parameter.grad = torch.full_like(parameter, 0.5)
    return network


class Few(NamedTuple):
    """Samples in memory; `along` is the axis of the samples in x."""

    x: Tensor
    labels: Tensor
    along: int = 0

    def batch(self, rows):
        return self.x.index_select(self.along, rows), self.labels[rows]


IMAGES, LABELS = torch.rand(12, 1, 28, 28), torch.arange(12) % 10
SPIKES, CLIPS = (torch.rand(6, 4, 12) < 0.4).float(), (torch.rand(4, 2, 4, 8, 8) < 0.4).float()
PATCHES, CLASSES = torch.rand(12, 3, 9, 9), torch.arange(12) % 2
UPDATES = updates_by_step(stllr.online)


def blocks():
    return mini_conv(10, 1, local_head(10))


def flat_blocks():
    return dense_network([784, 20, 20], 10)


def spiking():
    return SpikingMLP([12, 9, 8], classes=3)


def resnet():
    return ResNet(1, 4, c_in=3, n_classes=2)


def heads():
    """Normalisation with running statistics, and dropout, under two heads."""
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten())
    return MultiHead(body, 196, [2, 2])


def protected():
    network = heads()
    prepare(network, network.free())
    return network


LOOKS = {
    "evaluate blocks": (blocks, lambda n: evaluate(n, Few(IMAGES, LABELS), block_logits, 5)),
    "evaluate a plain network": (resnet, lambda n: evaluate(n, Few(PATCHES, CLASSES), lambda net, x: net(x), 5)),
    "block_logits": (blocks, lambda n: block_logits(n, IMAGES)),
    "feature_shapes": (blocks, lambda n: feature_shapes(n, (1, 28, 28))),
    "connection_macs": (blocks, lambda n: connection_macs(n, (1, 28, 28))),
    "direct_feedback": (blocks, lambda n: direct_feedback(n, (1, 28, 28))),
    "synchrony_by_block": (blocks, lambda n: synchrony_by_block(n, IMAGES)),
    "goodness_logits": (flat_blocks, lambda n: goodness_logits(n, IMAGES)),
    "layer_updates of blocks": (blocks, lambda n: layer_updates(n, IMAGES, LABELS, lls.gradients)),
    "evaluate spikes": (spiking, lambda n: evaluate(n, Few(SPIKES, LABELS[:4] % 3, 1), spiking_logits, 3)),
    "spiking_logits": (spiking, lambda n: spiking_logits(n, SPIKES)),
    "layer_shapes": (spiking, lambda n: layer_shapes(n, SPIKES)),
    "layer_sizes": (spiking, lambda n: layer_sizes(n, SPIKES)),
    "feedback_matrices": (spiking, lambda n: feedback_matrices(n, SPIKES)),
    "make_heads": (spiking, lambda n: make_heads(n, SPIKES, 3)),
    "layer_updates": (spiking, lambda n: layer_updates(n, SPIKES, LABELS[:4] % 3, bptt.gradients)),
    "updates_by_step": (spiking, lambda n: UPDATES(n, SPIKES, LABELS[:4] % 3)),
    "updates_by_step of BPTT": (spiking, lambda n: updates_by_step(bptt.by_step)(n, SPIKES, LABELS[:4] % 3)),
    "space_dependence": (spiking, lambda n: space_dependence(n, SPIKES, LABELS[:4] % 3, stllr.gradients)),
    "time_dependence": (spiking, lambda n: time_dependence(n, SPIKES, LABELS[:4] % 3, UPDATES)),
    "predict_flow": (partial(SpikingUNet, (3, 4)), lambda n: predict_flow(n, CLIPS)),
    "class_scores": (resnet, lambda n: class_scores(n, PATCHES)),
    "inputs_of": (resnet, lambda n: inputs_of(n, "layer2", LabelledImages(PATCHES, CLASSES))),
    "calibrate": (resnet, lambda n: calibrate(n, PATCHES.split(4), ["layer1.0.conv1"])),
    "accuracies": (heads, lambda n: accuracies(n, [(PATCHES, CLASSES)] * 2)),
    "fisher": (heads, lambda n: fisher(n, PATCHES, 1, 3, 2, torch.Generator().manual_seed(0))),
    "layer_inputs": (protected, lambda n: layer_inputs(n, lambda: n(PATCHES, 0))),
    "input_correlations": (
        lambda: LanceContinual(heads()).network,
        lambda n: input_correlations(n, lambda x: n(x, 1), PATCHES),
    ),
}


@pytest.mark.parametrize("name", LOOKS)
def test_looking_changes_nothing(name):
    make, look = LOOKS[name]
    network = in_use(make())
    before = state(network)
    look(network)
    assert_same(before, network)


def test_looking_with_other_weights_changes_nothing_either():
    """After some steps, the point of a schedule-free optimiser and the average of all points are far apart."""
    network = blocks()
    optimizer = AdamWScheduleFree(parameter_groups(network), lr=0.1)
    optimizer.train()
    for _ in range(3):
        lls.gradients(network, IMAGES, LABELS)
        optimizer.step()
        optimizer.zero_grad()
    in_use(network)
    before = state(network)
    with averaged_weights(network, optimizer, Few(IMAGES, LABELS), 2, 6):
        evaluate(network, Few(IMAGES, LABELS), block_logits)
        weight = network.classifier.weight.detach().clone()
    assert not torch.allclose(weight, network.classifier.weight)
    assert_same(before, network)


def test_what_a_look_leaves_behind_is_put_back_after_an_error_too():
    network = in_use(blocks())
    before = state(network)

    def disturb():
        with evaluation(network):
            assert not any(module.training for module in network.modules())
            assert all(p.grad is None for p in network.parameters())
            refresh_statistics(network, [IMAGES])
            for p in network.parameters():
                p.requires_grad_(True)
                p.grad = torch.ones_like(p)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        disturb()
    assert_same(before, network)
    with untouched(network), mode(network, training=True):
        assert all(module.training for module in network.modules())
        assert isinstance(network, BlockNetwork)
        network(IMAGES)
    assert_same(before, network)
