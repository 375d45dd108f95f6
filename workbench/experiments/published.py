"""The papers' own data sets, networks and settings, for whoever has the data and the hours.

The data come from the data folder (`workbench data list` says which can be fetched, and the others what to put where).
S-TLLR: Apolinario and Roy, arXiv 2306.15220, Tables 1 and 2 and Appendix A; Adam, along a cosine but for SHD.

    set           input               (λ_post, λ_pre, α_post, α_pre)  learning steps  γ, v_th    batch, epochs, rate
    DVS Gesture   2×32×32, T = 20     .2, .75, −1, 1                  the last 5      .5, .8     16, 300, 1e-3
    CIFAR10-DVS   2×48×48, T = 10     .2, .5, −1, 1                   the last 5      .5, .8     48, 300, 1e-3
    SHD           700, T = 100        .5, 1, +1, 1                    the last 90     .99, .8    128, 200, 2e-4

CIFAR10-DVS is pooled to 64×64 here, since 128 is no multiple of 48. N-MNIST and the spoken digits (FSDD) are not in
the paper: a small convolutional network, and the embedded voices' recurrent network, for the recordings of others.
LLS: its paper trains SmallConv on MNIST, VGG8 on CIFAR-10, as `experiments.lls` does on Fashion-MNIST.
"""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import nn

from workbench.data.event_sets import EventSet
from workbench.data.pictures import CIFAR_SCALE, MNIST_SCALE, crop_padded, mirror, picture_split
from workbench.data.sets.cifar import cifar10
from workbench.data.sets.dvs import cifar10_dvs, dvs_gesture
from workbench.data.sets.mnist import mnist
from workbench.data.sets.nmnist import nmnist
from workbench.data.sets.shd import shd
from workbench.data.sets.spoken_digits import spoken_digits
from workbench.data.split import Split
from workbench.experiments.experiment import Experiment
from workbench.experiments.lls import BLOCK_RULES, BlockRule, block_setting
from workbench.experiments.sound import SOUND_FACTORS, voice_network
from workbench.experiments.spiking_rules import WINDOWS, MakeRule, and_all_others, made
from workbench.networks.architectures import (
    PAPER_IMAGES,
    Cells,
    average_pool,
    maximum_pool,
    sound_network,
    spiking_small_conv,
    vgg9,
)
from workbench.networks.block_networks import small_conv, vgg8
from workbench.networks.seeded import seeded
from workbench.networks.spiking import spiking_logits
from workbench.neurons.surrogate import psi_gesture
from workbench.neurons.traces import Factors
from workbench.rule import Steps
from workbench.rules import stllr
from workbench.training.epochs import Schedule, cosine_decay
from workbench.training.setting import Setting

GESTURE = Factors(0.2, 0.75, -1.0, 1.0)
CIFAR_DVS = Factors(0.2, 0.5, -1.0, 1.0)
SPEECH = Factors(0.5, 1.0, 1.0, 1.0)
IMAGES = Cells(PAPER_IMAGES, psi_gesture)


def rules(
    factors: Factors, inputs: tuple[int, ...], classes: int, last: int | None, others: tuple[int | None, ...] = (None,)
) -> Mapping[str, MakeRule]:
    """S-TLLR with these factors, also with direct feedback, with the windows and with all steps that learn of the
    paper's Tables 2 to 6, or with `others` (None for all); after them all other rules of spiking networks.
    """
    example, usual = torch.zeros(1, 1, *inputs), partial(stllr.prepare, factors=factors)
    forms = {"stllr": usual, "stllr-dfa": partial(stllr.prepare_direct_feedback, factors=factors)}
    forms |= {name: partial(stllr.prepare, factors=factors._replace(alpha_post=a)) for name, a in WINDOWS.items()}
    own = {name: made(form, example, classes, Steps(last)) for name, form in forms.items()}
    own |= {f"stllr-last{n}" if n else "stllr-all-steps": made(usual, example, classes, Steps(n)) for n in others}
    if None in others:
        own["stllr-causal-all-steps"] = made(forms["stllr-causal"], example, classes, Steps())
    return and_all_others(own, example, classes)


def spiking_setting(
    make_rule: MakeRule,
    seed: int,
    read: Callable[[], Split],
    make: Callable[[int, int], nn.Module],
    batch_size: int,
    rate: float,
    schedule: Schedule | None = cosine_decay,
) -> Setting:
    """A run on the set that `read` reads, of the network that `make(classes, seed)` makes; Adam."""
    data = read()
    network = make(len(data.classes), seed)
    with seeded(seed):
        rule = make_rule(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    return Setting(network, optimizer, data, rule, spiking_logits, batch_size, schedule)


def gesture_network(classes: int, seed: int) -> nn.Module:
    """VGG-9; maximum pooling as the released script has it."""
    return vgg9(classes, (2, 32, 32), cells=IMAGES, pool=maximum_pool, seed=seed)


def object_network(classes: int, seed: int) -> nn.Module:
    """VGG-9 with a time-constant dropout of 0.1."""
    return vgg9(classes, (2, 64, 64), cells=IMAGES, pool=average_pool, dropout=0.1, seed=seed)


def speech_network(classes: int, seed: int) -> nn.Module:
    """700–450 recurrent–20."""
    return sound_network(700, 450, classes, seed=seed)


def digit_network(classes: int, seed: int) -> nn.Module:
    """16C3–P2–32C3–P2–FC on 34×34 pixels."""
    return spiking_small_conv(classes, (2, 34, 34), cells=IMAGES, seed=seed)


def spoken_network(classes: int, seed: int) -> nn.Module:
    """128–100 recurrent–10."""
    return voice_network(classes=classes, seed=seed)


def shd_to_the_end() -> Split[EventSet]:
    """SHD with the silence behind a recording, which counts in the paper."""
    return shd().map(EventSet.without_lengths)


def lls_mnist(rule: BlockRule, seed: int) -> Setting:
    """SmallConv on MNIST; training images moved by up to 4 pixels."""
    data = picture_split(mnist(), MNIST_SCALE, (crop_padded,))
    return block_setting(rule, data, small_conv, seed, refresh=50)


def lls_cifar10(rule: BlockRule, seed: int) -> Setting:
    """VGG8 on CIFAR-10; training images moved by up to 4 pixels, half of them mirrored."""
    data = picture_split(cifar10(), CIFAR_SCALE, (crop_padded, mirror))
    return block_setting(rule, data, vgg8, seed, refresh=50)


PUBLISHED: tuple[Experiment, ...] = (
    Experiment(
        "dvs-gesture",
        "hand signs before an event camera (DVS128 Gesture, from the data folder), VGG-9, the S-TLLR paper's settings",
        rules(GESTURE, (2, 32, 32), 11, last=5),
        epochs=300,
        prepare=partial(spiking_setting, read=dvs_gesture, make=gesture_network, batch_size=16, rate=1e-3),
    ),
    Experiment(
        "cifar10-dvs",
        "pictures before an event camera (CIFAR10-DVS, from the data folder), VGG-9, the S-TLLR paper's settings",
        rules(CIFAR_DVS, (2, 64, 64), 10, last=5),
        epochs=300,
        prepare=partial(spiking_setting, read=cifar10_dvs, make=object_network, batch_size=48, rate=1e-3),
    ),
    Experiment(
        "shd",
        "spoken digits as spikes (SHD, can be fetched), 700-450 recurrent-20, the S-TLLR paper's settings",
        rules(SPEECH, (700,), 20, last=90),
        epochs=200,
        prepare=partial(
            spiking_setting, read=shd_to_the_end, make=speech_network, batch_size=128, rate=2e-4, schedule=None
        ),
    ),
    Experiment(
        "n-mnist",
        "digits before an event camera (N-MNIST, can be fetched), small convolutional network",
        rules(GESTURE, (2, 34, 34), 10, last=5, others=(10, 2, 1, None)),
        epochs=10,
        prepare=partial(spiking_setting, read=nmnist, make=digit_network, batch_size=64, rate=1e-3),
    ),
    Experiment(
        "spoken-digits",
        "recorded digits through a simulated ear (FSDD, from the data folder), small recurrent network",
        rules(SOUND_FACTORS, (128,), 10, last=None, others=(10, 5, 2, 1)),
        epochs=15,
        prepare=partial(spiking_setting, read=spoken_digits, make=spoken_network, batch_size=40, rate=6e-3),
    ),
    Experiment("lls-mnist", "MNIST (can be fetched), SmallConv, the LLS paper's settings", BLOCK_RULES, 100, lls_mnist),
    Experiment(
        "lls-cifar10", "CIFAR-10 (can be fetched), VGG8, the LLS paper's settings", BLOCK_RULES, 300, lls_cifar10
    ),
)
