"""One data set, one function."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.data.sets.cifar import ColourSet, cifar10, cifar100, cifar_cut
    from workbench.data.sets.digits import digits
    from workbench.data.sets.drawn import SIDE, dots, gratings, letters
    from workbench.data.sets.dvs import cifar10_dvs, decode_aedat2, decode_aedat3, dvs_gesture
    from workbench.data.sets.fashion_mnist import fashion_mnist, fashion_mnist_small
    from workbench.data.sets.flow import (
        FlowCamera,
        FlowHalves,
        FlowSet,
        Motion,
        Texture,
        flow_clips,
        flow_field,
        halves,
        moving_clips,
        random_motion,
        random_texture,
    )
    from workbench.data.sets.idx import decode_idx, idx_split
    from workbench.data.sets.image_events import fashion_events, image_events
    from workbench.data.sets.image_folder import ImageFiles, image_folder, read_image
    from workbench.data.sets.mnist import mnist
    from workbench.data.sets.nmnist import decode_nmnist, nmnist, read_nmnist
    from workbench.data.sets.shd import read_spike_file, shd
    from workbench.data.sets.spoken_digits import Sound, read_sound, spoken_digits
    from workbench.data.sets.voices import split_trains, voices

__all__ = [
    "SIDE",
    "ColourSet",
    "FlowCamera",
    "FlowHalves",
    "FlowSet",
    "ImageFiles",
    "Motion",
    "Sound",
    "Texture",
    "cifar10",
    "cifar10_dvs",
    "cifar100",
    "cifar_cut",
    "decode_aedat2",
    "decode_aedat3",
    "decode_idx",
    "decode_nmnist",
    "digits",
    "dots",
    "dvs_gesture",
    "fashion_events",
    "fashion_mnist",
    "fashion_mnist_small",
    "flow_clips",
    "flow_field",
    "gratings",
    "halves",
    "idx_split",
    "image_events",
    "image_folder",
    "letters",
    "mnist",
    "moving_clips",
    "nmnist",
    "random_motion",
    "random_texture",
    "read_image",
    "read_nmnist",
    "read_sound",
    "read_spike_file",
    "shd",
    "split_trains",
    "spoken_digits",
    "voices",
]

lazy(__name__)
