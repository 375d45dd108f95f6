"""Data sets, one function each, and the event camera that turns images into events.

`fashion_mnist.fashion_mnist_small()`, `image_events.fashion_events()`, `voices.voices()` and `flow.flow_clips()` need
no network. The whole sets are `fashion_mnist.fashion_mnist()`, `mnist.mnist()`, `nmnist.nmnist()` and `shd.shd()`:
downloaded once, or placed by hand; `spoken_digits.spoken_digits()` is placed by hand.
`catalogue.catalogue()` lists them. Importing this package loads nothing else.
"""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.data.delivery import DataSet, FileCheck, catalogue, data_folder, fetch, verify
    from workbench.data.event_sets import (
        EventSet,
        balanced_rows,
        pack_frames,
        padded_lengths,
        unpack_counts,
    )
    from workbench.data.events import Events, bin_events
    from workbench.data.images import ImageSet
    from workbench.data.pictures import (
        CIFAR_SCALE,
        DIGITS_SCALE,
        FASHION_SCALE,
        MNIST_SCALE,
        Augment,
        Pictures,
        Scale,
        crop_padded,
        mirror,
        normalized,
        picture_split,
        pictures,
    )
    from workbench.data.senses import LIKE_NMNIST, Ear, EventCamera, event_frames, spikes_of_sound
    from workbench.data.sequences import SequenceSet, sequences
    from workbench.data.sets import (
        FlowCamera,
        FlowHalves,
        FlowSet,
        Sound,
        cifar10,
        cifar10_dvs,
        cifar100,
        cifar_cut,
        digits,
        dvs_gesture,
        fashion_events,
        fashion_mnist,
        fashion_mnist_small,
        flow_clips,
        halves,
        image_events,
        image_folder,
        mnist,
        moving_clips,
        nmnist,
        shd,
        spoken_digits,
        voices,
    )
    from workbench.data.spike_trains import SpikeTrain, bin_spikes
    from workbench.data.split import Split
    from workbench.data.still_images import StillSet, still_images

__all__ = [
    "CIFAR_SCALE",
    "DIGITS_SCALE",
    "FASHION_SCALE",
    "LIKE_NMNIST",
    "MNIST_SCALE",
    "Augment",
    "DataSet",
    "Ear",
    "EventCamera",
    "EventSet",
    "Events",
    "FileCheck",
    "FlowCamera",
    "FlowHalves",
    "FlowSet",
    "ImageSet",
    "Pictures",
    "Scale",
    "SequenceSet",
    "Sound",
    "SpikeTrain",
    "Split",
    "StillSet",
    "balanced_rows",
    "bin_events",
    "bin_spikes",
    "catalogue",
    "cifar10",
    "cifar10_dvs",
    "cifar100",
    "cifar_cut",
    "crop_padded",
    "data_folder",
    "digits",
    "dvs_gesture",
    "event_frames",
    "fashion_events",
    "fashion_mnist",
    "fashion_mnist_small",
    "fetch",
    "flow_clips",
    "halves",
    "image_events",
    "image_folder",
    "mirror",
    "mnist",
    "moving_clips",
    "nmnist",
    "normalized",
    "pack_frames",
    "padded_lengths",
    "picture_split",
    "pictures",
    "sequences",
    "shd",
    "spikes_of_sound",
    "spoken_digits",
    "still_images",
    "unpack_counts",
    "verify",
    "voices",
]

lazy(__name__)
