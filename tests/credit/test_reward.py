"""Reward: the same number for all neurons, nothing for what was as good as usual, and the readout's own gradient."""

import pytest
import torch
from torch import nn

from workbench.credit.reward import REWARD, advantage, block_signal, covariance_signal, missed_reward, reward
from workbench.credit.signals import summed_cross_entropy
from workbench.networks.layers import SpikingLayer

pytestmark = pytest.mark.usefixtures("in_double_precision")


def test_signal_is_minus_the_covariance_of_reward_and_activity_sample_by_sample():
    z, r = torch.rand(3, 5, 4), torch.rand(3, 5)
    found = covariance_signal(z, advantage(r))
    for t in range(3):
        for b in range(5):
            by_hand = -(r[t, b] - r[t].mean()) * (z[t, b] - z[t].mean(0)) / 5
            torch.testing.assert_close(found[t, b], by_hand)


def test_what_does_not_learn_neither_teaches_nor_counts():
    r, learning = torch.rand(2, 4), torch.tensor([[True, True, False, True], [False, False, False, False]])
    M = advantage(r, learning)
    assert float(M[0, 2]) == 0 == float(M[1].abs().max())
    assert float(M[0].sum()) == pytest.approx(0.0)
    torch.testing.assert_close(M[0, [0, 1, 3]], advantage(r[0, [0, 1, 3]]))


def test_equal_answers_teach_hidden_layers_nothing():
    z, output = torch.rand(2, 3, 4, requires_grad=True), torch.zeros(2, 3, 2, requires_grad=True)
    y = torch.tensor([0, 1, 0])
    loss = REWARD.teach(output * 1.0, {SpikingLayer(nn.Linear(3, 4)): z * 1.0}, y, summed_cross_entropy, None)
    assert float(loss) == pytest.approx(2 * torch.log(torch.tensor(2.0)).item())
    assert float(z.grad.abs().max()) == 0
    assert float(output.grad.abs().max()) > 0


def test_block_signal_and_loss_are_those_of_one_step():
    a, logits, y = torch.rand(5, 2, 3), torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 0])
    expected = covariance_signal(a[None], advantage(reward(logits, y))[None])[0]
    torch.testing.assert_close(block_signal(a, logits, y), expected)
    assert float(missed_reward(logits[None], y)) == pytest.approx(-float(logits.softmax(1)[range(5), y].mean()))
