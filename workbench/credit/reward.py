"""Reward: one number, the same for all neurons, says how much better than usual an answer was.

    r_b     = softmax(o_b)_y                       expected reward of an answer drawn from the outputs, right = 1
    M_b     = r_b − r̄                              r̄ mean over the samples: the baseline
    δ_i,b   = −M_b (z_i,b − z̄_i) / batch           hidden layers: covariance of reward and activity
    ∂r/∂o   of the readout itself, with the sign of a gradient

The covariance form is that of Loewenstein & Seung 2006 (doi 10.1073/pnas.0505220103), the baseline that of REINFORCE
(Williams 1992, doi 10.1007/BF00992696); times an eligibility trace it is reward-modulated STDP (Frémaux & Gerstner
2016, doi 10.3389/fncir.2015.00085). What stands for exploration here is that samples differ: a batch of one sample, or
of samples that all did equally well, teaches hidden layers nothing. No layer is told which of its neurons was wrong.
"""

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from workbench.credit.signals import Loss, Mask, Signal, Spikes, masked_loss
from workbench.networks.spans import keep


def reward(output: Float[Tensor, "... classes"], y: Int[Tensor, "..."]) -> Float[Tensor, "..."]:
    """r: the probability of the right answer."""
    return output.softmax(-1).gather(-1, y[..., None].long())[..., 0]


def advantage(
    r: Float[Tensor, "*time batch"], learning: Bool[Tensor, "*time batch"] | None = None
) -> Float[Tensor, "*time batch"]:
    """M: what was gained over the mean of the samples that learn; 0 for the others.

    >>> advantage(torch.tensor([0.5, 1.0]))
    tensor([-0.2500,  0.2500])
    """
    if learning is None:
        return r - r.mean(-1, keepdim=True)
    mean = (r * learning).sum(-1, keepdim=True) / learning.sum(-1, keepdim=True).clamp(min=1)
    return (r - mean) * learning


def covariance_signal(
    z: Float[Tensor, "time batch *shape"], M: Float[Tensor, "time batch"], learning: Mask = None
) -> Float[Tensor, "time batch *shape"]:
    """δ of a layer with activity z. The batch comes second; M is 0 where nothing learns, and sums to 0 over the batch,
    so that z̄ may be taken over all samples."""
    return -M.view(*M.shape, *[1] * (z.ndim - 2)) * (z - z.mean(1, keepdim=True)) / z.shape[1]


def missed_reward(output: Float[Tensor, "time batch classes"], y: Int[Tensor, "batch"]) -> Float[Tensor, ""]:
    """−r: mean over the batch, sum over the steps."""
    return -reward(output, y.expand(len(output), -1)).sum() / len(y)


def teach(
    output: Float[Tensor, "time batch classes"],
    spikes: Spikes,
    y: Shaped[Tensor, "batch"],
    loss: Loss,
    learning: Mask = None,
) -> Float[Tensor, ""]:
    """Reward to all layers; returns the loss, which nothing learns from."""
    told = masked_loss(loss, output.detach(), y, learning)
    masked_loss(missed_reward, output, y, learning).backward()
    with torch.no_grad():
        M = advantage(reward(output, y.expand(len(output), -1)), learning)
    for z in spikes.values():
        z.backward(keep(covariance_signal(z.detach(), M, learning), learning))
    return told.detach()


REWARD = Signal(teach, cut=True)


def block_signal(
    a: Float[Tensor, "batch *shape"], logits: Float[Tensor, "batch classes"], y: Int[Tensor, "batch"]
) -> Float[Tensor, "batch *shape"]:
    """δ of a block with activity a."""
    return covariance_signal(a.detach()[None], advantage(reward(logits, y))[None])[0]
