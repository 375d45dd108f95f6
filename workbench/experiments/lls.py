"""Settings to compare LLS in its forms with other rules for blocks: data, network, rule and optimiser for one run each.

Papers: LLS (arXiv 2405.15868), settings of the released code: schedule-free AdamW (Defazio et al. 2024,
arXiv 2405.15682), learning rate 5e-3, no weight decay, batches of 128, τ = 0.5, square waves, 100 epochs for SmallConv.

Schedule-free optimisers train at one point and are evaluated at an average of all points so far; batch normalisation
has to see some data at that average first. `averaged_weights` does both.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
from schedulefree import AdamWScheduleFree

from workbench.data.images import ImageSet
from workbench.data.pictures import FASHION_SCALE, Augment, Pictures, crop_padded, mirror, picture_split
from workbench.data.sets.fashion_mnist import fashion_mnist, fashion_mnist_small
from workbench.data.split import Split
from workbench.experiments.experiment import OpenRules, check_alone
from workbench.mixes import Mix, prepare
from workbench.networks.block_networks import dense_network, mini_conv, pool_before_latents, small_conv
from workbench.networks.blocks import BlockNetwork, HeadMaker, block_logits, parameter_groups
from workbench.rule import ForBlocks, LearningRule, Rule
from workbench.rules import RULES, lls
from workbench.rules.lls import LLS, local_head, mixing, per_class, random_head
from workbench.training.schedule_free import averaged_weights
from workbench.training.score import Logits
from workbench.training.setting import Setting

RuleMaker = Callable[[BlockNetwork, Sequence[int], int], Rule]
# (classes, channels, make_head, seed) → a network
NetworkMaker = Callable[[int, int, HeadMaker | None, int], BlockNetwork]


class BlockRule(NamedTuple):
    """A rule and what it needs: heads for `classes` classes, and the rule itself for (network, input shape, seed).

    make: the network, where the rule cannot train that of the experiment. logits: how to read the outputs.
    pooled: latents are taken after max pooling, see `pool_before_latents`.
    """

    head: Callable[[int], HeadMaker | None]
    prepare: RuleMaker
    make: NetworkMaker | None = None
    logits: Logits = block_logits
    pooled: bool = False


def as_filed(form: ForBlocks) -> BlockRule:
    """The rule as its file says."""
    return BlockRule(form.head, form.prepare, None if form.normalized else two_dense, form.logits or block_logits)


def always(rule: Rule) -> RuleMaker:
    """A rule that does not depend on the network."""
    return lambda network, input_shape, seed: rule


def two_dense(classes: int, channels: int, make_head: HeadMaker | None = None, seed: int = 0) -> BlockNetwork:
    """784–500–500 without batch normalisation: forward-forward compares how active whole samples are."""
    return dense_network([784 * channels, 500, 500], classes, make_head, normalize=False, seed=seed)


MANY_ROWS = 64  # not in the paper: waves that M may read; in 128 latents or more their |cosines| stay below 0.4
_many_rows = partial(local_head, modulation=mixing, rows=MANY_ROWS)
_unnormalized = partial(lls.gradients, params=LLS(normalized=False))

LLS_FORMS: Mapping[str, BlockRule] = {
    "lls": BlockRule(local_head, always(lls.gradients)),
    "lls-m": BlockRule(partial(local_head, modulation=per_class), always(lls.gradients)),
    "lls-mxm": BlockRule(partial(local_head, modulation=mixing), always(lls.gradients)),
    "lls-mxm-reduced": BlockRule(partial(local_head, modulation=mixing, rows=20), always(lls.gradients)),
    "lls-mxm-64": BlockRule(_many_rows, always(lls.gradients)),
    "lls-mxm-64-pooled": BlockRule(_many_rows, always(lls.gradients), pooled=True),
    "lls-random": BlockRule(random_head, always(_unnormalized)),
    "lls-m-random": BlockRule(partial(random_head, modulation=per_class), always(_unnormalized)),
    "lls-mxm-random": BlockRule(partial(random_head, modulation=mixing), always(_unnormalized)),
}


def own_block_rule(rule: LearningRule) -> BlockRule:
    """The rule as its file says; ValueError where it does not."""
    if rule.for_blocks is None:
        raise ValueError(f"rule '{rule.name}' does not say for_blocks, and this experiment trains a network of blocks")
    return as_filed(rule.for_blocks)


def of_mix(mix: Mix) -> BlockRule:
    """The rule of a mix, with bases found on 64 of the embedded images; ValueError for a mix with a direction."""
    check_alone(mix)

    def prepared(network: BlockNetwork, input_shape: Sequence[int], seed: int) -> Rule:
        x = fashion_pictures(fashion_mnist_small()).train.batch(torch.arange(64))[0]
        return prepare(mix, network, [x], network.classifier.out_features, seed=seed).gradients

    return BlockRule(lambda classes: None, prepared)


BLOCK_RULES: Mapping[str, BlockRule] = OpenRules(
    {
        **LLS_FORMS,
        **{
            rule.name: as_filed(rule.for_blocks)
            for rule in RULES
            if rule.for_blocks is not None and rule.name not in LLS_FORMS
        },
    },
    own_block_rule,
    of_mix,
)


def lls_fashion(rule: BlockRule, seed: int) -> Setting:
    """The embedded Fashion-MNIST, 5,000 + 1,000 images, and a network a quarter of SmallConv: for notebooks.

    Batches of 32: 128 would leave too few steps of so few images.
    """
    data = fashion_pictures(fashion_mnist_small())
    return block_setting(rule, data, mini_conv, seed, refresh=10)._replace(batch_size=32)


def lls_fashion_full(rule: BlockRule, seed: int) -> Setting:
    """The whole of Fashion-MNIST, SmallConv, the published settings: 100 epochs of 5e-3 in batches of 128.

    Training images are moved by up to 4 pixels, and half of them are mirrored.
    """
    data = fashion_pictures(fashion_mnist(), (crop_padded, mirror))
    return block_setting(rule, data, small_conv, seed, refresh=50)


def fashion_pictures(split: Split[ImageSet], augment: tuple[Augment, ...] = ()) -> Split[Pictures]:
    """Fashion-MNIST as batches of normalised images; only training images are augmented."""
    return picture_split(split, FASHION_SCALE, augment)


def block_setting(rule: BlockRule, data: Split[Pictures], make: NetworkMaker, seed: int, refresh: int) -> Setting:
    """Network, optimiser and rule of one run; `refresh` batches renew batch normalisation before an evaluation."""
    classes, shape = len(data.classes), data.train.images.shape[1:]
    network = (rule.make or make)(classes, shape[0], rule.head(classes), seed)
    network = pool_before_latents(network) if rule.pooled else network
    prepared = rule.prepare(network, shape, seed)  # which may give the network parts of its own, for the optimiser too
    optimizer = AdamWScheduleFree(parameter_groups(network), lr=5e-3, weight_decay=0.0)
    optimizer.train()
    evaluating = partial(averaged_weights, network, optimizer, batches=refresh)
    return Setting(network, optimizer, data, prepared, rule.logits, 128, schedule=None, evaluating=evaluating)
