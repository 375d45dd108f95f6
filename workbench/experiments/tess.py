"""TESS beside S-TLLR and backpropagation through time, on events and on still images; the paper's VGG-9 with its heads.

TESS (arXiv 2502.01837) teaches each layer by fixed waves of its own, which makes other learning rates good than for an
error from above: each rule has its own, found on training data, everything else is the same.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.sets.image_events import fashion_events
from workbench.data.still_images import still_images
from workbench.experiments.experiment import OpenRules, check_alone
from workbench.experiments.spiking_rules import Prepare, for_spiking, one_task
from workbench.mixes import Mix
from workbench.networks.layers import SpikingLayer
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP, spiking_layers, spiking_logits
from workbench.neurons.lif import Neuron
from workbench.neurons.traces import Factors
from workbench.rule import Rule, Steps
from workbench.rules import RULES, stllr, tess
from workbench.rules.tess import Head, make_heads
from workbench.training.setting import Data, Setting

STEPS, STILL_STEPS, EVENT_INPUTS = Steps(at_once=10), 6, 578


EVENTS = Factors(lambda_post=0.2, lambda_pre=0.8, alpha_post=0.0, alpha_pre=1.0)
STILL = tess.FACTORS  # those of the paper


class TunedRule(NamedTuple):
    """A rule for a network, `make(network, x, factors)` with x any recording, and its learning rates."""

    make: Callable[[nn.Module, Tensor, Factors], Rule]
    events_rate: float = 5e-3
    still_rate: float = 5e-3


def by_waves(network: nn.Module, x: Shaped[Tensor, "time batch ..."], factors: Factors) -> Rule:
    """TESS."""
    return tess.prepare(network, x, 10, STEPS, factors).gradients


def by_errors(network: nn.Module, x: Shaped[Tensor, "time batch ..."], factors: Factors) -> Rule:
    """S-TLLR with the same traces and backpropagation within the step."""
    return partial(stllr.gradients, params=stllr.STLLR(factors, chunk=STEPS.at_once, released_noncausal=True))


def as_filed(prepare: Prepare) -> TunedRule:
    """A rule with the traces of its own file, if it has any, at the usual rates."""
    return TunedRule(lambda network, x, factors: prepare(network, x, 10, STEPS).gradients)


def of_mix(mix: Mix) -> TunedRule:
    """The rule of a mix at the usual rates, bases found on 64 recordings; ValueError for one with a direction."""
    check_alone(mix)

    def make(network: nn.Module, x: Shaped[Tensor, "time batch ..."], factors: Factors) -> Rule:
        return one_task(mix, partial(recorded, x.shape[-1]), 10, STEPS)(network)

    return TunedRule(make)


def recorded(inputs: int) -> Float[Tensor, "time batch inputs"]:
    """64 recordings of training with so many inputs: events, or still images."""
    data = fashion_events() if inputs == EVENT_INPUTS else still_images(fashion_mnist_small(), steps=STILL_STEPS)
    return data.train.batch(torch.arange(64))[0].flatten(2)


TESS_RULES: Mapping[str, TunedRule] = OpenRules(
    {
        "tess": TunedRule(by_waves, events_rate=1e-2),
        "stllr": TunedRule(by_errors),
        **{
            rule.name: as_filed(rule.for_spiking)
            for rule in RULES
            if rule.for_spiking is not None and rule.name not in ("tess", "stllr")
        },
    },
    lambda rule: as_filed(for_spiking(rule)),
    of_mix,
)


def tess_events(rule: TunedRule, seed: int) -> Setting:
    """578–500–10 LIF network on Fashion-MNIST as simulated events, 20 steps."""
    data, x = fashion_events(), torch.zeros(1, 1, EVENT_INPUTS)
    with seeded(seed):
        network = SpikingMLP([EVENT_INPUTS, 500], classes=10, neuron=Neuron(0.8, 0.6))
    return _setting(network, data, rule.make(network, x, EVENTS), rule.events_rate)


def tess_still(rule: TunedRule, seed: int) -> Setting:
    """784–500–500–10 LIF network on Fashion-MNIST images shown for 6 steps, γ = 0.5 and v_th = 0.6 as in the paper."""
    data, x = still_images(fashion_mnist_small(), steps=STILL_STEPS), torch.zeros(1, 1, 784)
    with seeded(seed):
        network = SpikingMLP([784, 500, 500], classes=10, neuron=Neuron(0.5, 0.6))
    return _setting(network, data, rule.make(network, x, STILL), rule.still_rate)


def _setting(network: nn.Module, data: Data, rule: Rule, rate: float) -> Setting:
    return Setting(network, torch.optim.Adam(network.parameters(), lr=rate), data, rule, spiking_logits)


def pooled_heads(
    network: nn.Sequential, x: Shaped[Tensor, "time batch *features"], classes: int
) -> dict[SpikingLayer, Head]:
    """The heads of the paper's VGG-9: each layer seen through the pooling that follows it, if one does.

    4 × 4 cells for the first layer, 2 × 2 for the others, 1 where a global pooling follows: with 32 × 32 inputs 1024,
    512, 1024, 1024, 2048, 2048, 2048 and 512 latents.
    """
    layers = list(spiking_layers(network).values())
    after = dict(zip(network, list(network)[1:], strict=False))
    pools = {layer: after[layer] for layer in layers if isinstance(after.get(layer), nn.MaxPool2d)}
    last = [1 if isinstance(after.get(layer), nn.AdaptiveAvgPool2d) else 2 for layer in layers]
    return make_heads(network, x, classes, [4, *last[1:]], pools)
