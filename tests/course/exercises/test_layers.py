"""Exercises of notebooks 09 and 10: the right answers against loops, the truth of the predictions."""

import torch
from torch.nn import functional as F

from workbench.course.exercises.layers import (
    AUDIT_BIT,
    DEAF_LAYER,
    LOCAL_IN_TIME,
    LOOKS_AHEAD,
    TESS_ABOVE,
    TESS_UPDATE,
)
from workbench.mixes import mix_named, prepare
from workbench.networks import SpikingMLP


def test_the_update_step_by_step():
    for x, psi, m, decay in TESS_UPDATE.trials():
        q, total = torch.zeros(x.shape[1]), torch.zeros(m.shape[1], x.shape[1])
        for t in range(len(x)):
            q = decay * q + x[t]
            total += torch.outer(m[t] * psi[t], q)
        torch.testing.assert_close(TESS_UPDATE.right(x, psi, m, decay), total)


def test_the_signal_is_the_derivative_of_a_loss_of_ones_own():
    for spikes, waves, label in DEAF_LAYER.trials():
        s = spikes.clone().requires_grad_()
        F.cross_entropy(waves @ s, torch.tensor(label)).backward()
        torch.testing.assert_close(DEAF_LAYER.right(spikes, waves, label), s.grad)


def test_a_detector_pair_by_pair():
    for (D,) in LOCAL_IN_TIME.trials():
        later = [D[t, s] != 0 for t in range(len(D)) for s in range(t + 1, len(D))]
        assert LOCAL_IN_TIME.right(D) is (not any(later))


def test_a_rate_knows_the_past_only():
    for (z,) in LOOKS_AHEAD.trials():
        expected = [z[: t + 1].mean() for t in range(len(z))]
        torch.testing.assert_close(LOOKS_AHEAD.right(z), torch.stack(expected))


def test_no_hidden_layer_of_tess_asks_the_readout():
    updates, x = [], (torch.rand(5, 4, 6) < 0.5).float()
    for seed in (0, 1):
        torch.manual_seed(7)
        network = SpikingMLP([6, 5, 5], classes=3)
        rule = prepare(mix_named("tess"), network, [x], classes=3)
        torch.manual_seed(seed)
        torch.nn.init.normal_(network.readout.connection.weight)
        rule.gradients(network, x, torch.tensor([0, 1, 2, 0]))
        updates.append([layer.connection.weight.grad.clone() for layer in network.hidden])
    assert all(torch.equal(a, b) for a, b in zip(*updates, strict=True))
    assert TESS_ABOVE.lettered[TESS_ABOVE.right[0]].text == "neither changes"
    assert AUDIT_BIT.lettered[AUDIT_BIT.right[0]].text == "the rule is not local in space"
