"""Settings to compare LLS with its variants and baselines: data, network, rule and optimiser for one run each.

Papers: LLS (arXiv 2405.15868), settings of the released code: schedule-free AdamW (Defazio et al. 2024,
arXiv 2405.15682), learning rate 5e-3, no weight decay, batches of 128, τ = 0.5, square waves, 100 epochs for SmallConv.

Schedule-free optimisers train at one point and are evaluated at an average of all points so far; batch normalisation
has to see some data at that average first. `averaged_weights` does both.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from schedulefree import AdamWScheduleFree

from workbench.data.images import ImageSplit
from workbench.data.pictures import FASHION_SCALE, Augment, PictureSplit, crop_padded, mirror, pictures
from workbench.data.sets.fashion_mnist import fashion_mnist, fashion_mnist_small
from workbench.networks.block_networks import dense_network, mini_conv, pool_before_latents, small_conv
from workbench.networks.blocks import BlockNetwork, HeadMaker, block_logits, parameter_groups
from workbench.rule import Rule
from workbench.rules import backprop, direct_feedback, drtp, feedback_alignment, forward_forward, lls, local_classifier
from workbench.rules.forward_forward import goodness_logits
from workbench.rules.lls import LLS, local_head, mixing, per_class, random_head
from workbench.training.loop import Logits, Setting
from workbench.training.schedule_free import averaged_weights

RuleMaker = Callable[[BlockNetwork, Sequence[int], int], Rule]
# (classes, channels, make_head, seed) → a network
NetworkMaker = Callable[[int, int, HeadMaker | None, int], BlockNetwork]


class Variant(NamedTuple):
    """A rule and what it needs: heads for `classes` classes, and the rule itself for (network, input shape, seed).

    make: the network, where the rule cannot train that of the experiment. logits: how to read the outputs.
    pooled: latents are taken after max pooling, see `pool_before_latents`.
    """

    head: Callable[[int], HeadMaker | None]
    rule: RuleMaker
    make: NetworkMaker | None = None
    logits: Logits = block_logits
    pooled: bool = False


def no_head(classes: int) -> None:
    """For rules that hang nothing on the blocks."""


def always(rule: Rule) -> RuleMaker:
    """A rule that does not depend on the network."""
    return lambda network, input_shape, seed: rule


def _fa(network: BlockNetwork, input_shape: Sequence[int], seed: int) -> Rule:
    return partial(feedback_alignment.gradients, params=feedback_alignment.feedback_weights(network, seed))


def _dfa(network: BlockNetwork, input_shape: Sequence[int], seed: int) -> Rule:
    return partial(direct_feedback.gradients, params=direct_feedback.direct_feedback(network, input_shape, seed))


def _drtp(network: BlockNetwork, input_shape: Sequence[int], seed: int) -> Rule:
    return partial(drtp.gradients, params=direct_feedback.direct_feedback(network, input_shape, seed))


def two_dense(classes: int, channels: int, make_head: HeadMaker | None = None, seed: int = 0) -> BlockNetwork:
    """784–500–500 without batch normalisation: forward-forward compares how active whole samples are."""
    return dense_network([784 * channels, 500, 500], classes, make_head, normalize=False, seed=seed)


MANY_ROWS = 64  # not in the paper: waves that M may read; in 128 latents or more their |cosines| stay below 0.4
_many_rows = partial(local_head, modulation=mixing, rows=MANY_ROWS)
_unnormalized = partial(lls.gradients, params=LLS(normalized=False))

VARIANTS: Mapping[str, Variant] = {
    "lls": Variant(local_head, always(lls.gradients)),
    "lls-m": Variant(partial(local_head, modulation=per_class), always(lls.gradients)),
    "lls-mxm": Variant(partial(local_head, modulation=mixing), always(lls.gradients)),
    "lls-mxm-reduced": Variant(partial(local_head, modulation=mixing, rows=20), always(lls.gradients)),
    "lls-mxm-64": Variant(_many_rows, always(lls.gradients)),
    "lls-mxm-64-pooled": Variant(_many_rows, always(lls.gradients), pooled=True),
    "lls-random": Variant(random_head, always(_unnormalized)),
    "lls-m-random": Variant(partial(random_head, modulation=per_class), always(_unnormalized)),
    "lls-mxm-random": Variant(partial(random_head, modulation=mixing), always(_unnormalized)),
    "local-classifiers": Variant(local_classifier.trained_head, always(local_classifier.gradients)),
    "bp": Variant(no_head, always(backprop.gradients)),
    "fa": Variant(no_head, _fa),
    "dfa": Variant(no_head, _dfa),
    "drtp": Variant(no_head, _drtp),
    "forward-forward": Variant(no_head, always(forward_forward.gradients), two_dense, goodness_logits),
}


def lls_fashion(variant: Variant, seed: int) -> Setting:
    """The embedded Fashion-MNIST, 5,000 + 1,000 images, and a network a quarter of SmallConv: for notebooks.

    Batches of 32: 128 would leave too few steps of so few images.
    """
    data = fashion_pictures(fashion_mnist_small())
    return block_setting(variant, data, mini_conv, seed, refresh=10)._replace(batch_size=32)


def lls_fashion_full(variant: Variant, seed: int) -> Setting:
    """The whole of Fashion-MNIST, SmallConv, the published settings: 100 epochs of 5e-3 in batches of 128.

    Training images are moved by up to 4 pixels, and half of them are mirrored.
    """
    data = fashion_pictures(fashion_mnist(), (crop_padded, mirror))
    return block_setting(variant, data, small_conv, seed, refresh=50)


def fashion_pictures(split: ImageSplit, augment: tuple[Augment, ...] = ()) -> PictureSplit:
    """Fashion-MNIST as batches of normalised images; only training images are augmented."""
    train = pictures(*split.train, FASHION_SCALE, augment)
    return PictureSplit(train, pictures(*split.test, FASHION_SCALE), split.classes)


def block_setting(variant: Variant, data: PictureSplit, make: NetworkMaker, seed: int, refresh: int) -> Setting:
    """Network, optimiser and rule of one run; `refresh` batches renew batch normalisation before an evaluation."""
    classes, shape = len(data.classes), data.train.images.shape[1:]
    network = (variant.make or make)(classes, shape[0], variant.head(classes), seed)
    network = pool_before_latents(network) if variant.pooled else network
    rule = variant.rule(network, shape, seed)
    optimizer = AdamWScheduleFree(parameter_groups(network), lr=5e-3, weight_decay=0.0)
    optimizer.train()
    evaluating = partial(averaged_weights, network, optimizer, batches=refresh)
    return Setting(network, optimizer, data, rule, variant.logits, 128, schedule=None, evaluating=evaluating)
