"""Fashion-MNIST as simulated events: network, optimiser and rules for a dense spiking network."""

from collections.abc import Mapping
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.credit.signals import sign_feedback, target_projection
from workbench.data.sets.image_events import fashion_events
from workbench.experiments.spiking_rules import MakeRule, Prepare, and_all_others, made, one_task, with_classifiers
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.neurons.lif import Neuron
from workbench.neurons.traces import Factors
from workbench.rule import Steps
from workbench.rules import stllr, tess
from workbench.training.setting import Setting

# an input before the activity strengthens, one after it weakens
FASHION_FACTORS = Factors(lambda_post=0.2, lambda_pre=0.8, alpha_post=-0.5, alpha_pre=1.0)


FASHION_CHUNK = 4  # of 20 steps: small chunks, so that a rule keeps little even of a short recording


def fashion_events_setting(make_rule: MakeRule, seed: int, layers: int = 2) -> Setting:
    """578–200–200–10 LIF network on Fashion-MNIST as simulated events, 20 steps; Adam, 2e-3 along a cosine.

    `layers` is how many hidden layers of 200 there are.
    """
    data = fashion_events()
    with seeded(seed):
        network = SpikingMLP([578, *[200] * layers], classes=len(data.classes), neuron=Neuron(decay=0.8, threshold=0.6))
        rule = make_rule(network)  # which may give the network parts of its own, for the optimiser too
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    return Setting(network, optimizer, data, rule, spiking_logits)


def fashion_rule(prepare: Prepare, last: int | None = None) -> MakeRule:
    """A rule for this network; `last` steps learn, all when None."""
    return made(prepare, torch.zeros(1, 1, 578), 10, Steps(last, FASHION_CHUNK))


def first_events() -> Float[Tensor, "time batch inputs"]:
    """64 recordings of training, on which bases are found."""
    return fashion_events().train.batch(torch.arange(64))[0].flatten(2)


_stllr = partial(stllr.prepare, factors=FASHION_FACTORS)

FASHION_RULES: Mapping[str, MakeRule] = and_all_others(
    {
        "stllr": fashion_rule(_stllr),
        "stllr-causal": fashion_rule(partial(stllr.prepare, factors=FASHION_FACTORS._replace(alpha_post=0.0))),
        "stllr-last5": fashion_rule(_stllr, last=5),
        "stllr-dfa": fashion_rule(partial(stllr.prepare_direct_feedback, factors=FASHION_FACTORS)),
        "stllr-sdfa": fashion_rule(partial(_stllr, signal=sign_feedback)),
        "stllr-drtp": fashion_rule(partial(_stllr, signal=target_projection)),
        "stllr-local": fashion_rule(with_classifiers(FASHION_FACTORS)),
        "tess": fashion_rule(partial(tess.prepare, factors=tess.FACTORS._replace(lambda_pre=0.8))),
    },
    torch.zeros(1, 1, 578),
    10,
    Steps(at_once=FASHION_CHUNK),
    mixed=partial(one_task, inputs=first_events, classes=10, steps=Steps(at_once=FASHION_CHUNK)),
)
