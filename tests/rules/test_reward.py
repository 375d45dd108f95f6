"""Reward-modulated learning gets better with nothing but one number for all."""

import torch

from workbench.networks.block_networks import dense_network
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.rules import reward


def test_blocks_learn_from_reward_alone():
    torch.manual_seed(0)
    y = torch.arange(60) % 2
    x = torch.randn(2, 12)[y] + 0.3 * torch.randn(60, 12)
    network = dense_network([12, 16], 2)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        report = reward.gradients(network, x, y)
        optimizer.step()
    assert float((report.logits.argmax(1) == y).float().mean()) > 0.9


def test_spiking_networks_learn_from_reward_alone():
    torch.manual_seed(0)
    y = torch.arange(40) % 2
    x = (torch.rand(8, 40, 10) < 0.1 + 0.5 * (torch.arange(10) // 5 == y[:, None])).float()
    network = SpikingMLP([10, 12], 2)
    rule, optimizer = reward.prepare(network, x, 2).gradients, torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(25):
        optimizer.zero_grad()
        rule(network, x, y)
        optimizer.step()
    assert float((spiking_logits(network, x).argmax(1) == y).float().mean()) > 0.9
