"""Links, checksums and licences of the data sets: constants only, so that a list of them loads nothing.

The checksums are those of torchvision's and tonic's loaders; those of the uncompressed Fashion-MNIST and of
MNIST's test files were computed from the data themselves.
"""

from pathlib import Path
from typing import NamedTuple

from workbench.data.delivery.fetch import RemoteFile


class Source(NamedTuple):
    """A data set that is downloaded: `folder` is its place below the data folder, `system` below the system."""

    name: str
    description: str
    licence: str
    folder: str
    files: tuple[RemoteFile, ...]
    system: tuple[Path, ...] = ()


class Embedded(NamedTuple):
    """A data set that ships with the project in one file."""

    name: str
    description: str
    licence: str
    file: str
    sha256: str


FASHION_MNIST_SMALL = Embedded(
    "fashion-mnist-small",
    "500 + 100 images of each class of Fashion-MNIST; they ship with the project",
    "MIT",
    "fashion_mnist_5k_1k.npz",
    "1064eff4cef408fe773c6040772d7cb7c114c2d2b60accb705d268cbecb8d44e",
)

VOICES = Embedded(
    "voices",
    "160 + 40 windows of 0.6 s of each of five voices, real speech as spikes; they ship with the project",
    "CC BY-SA 3.0, the Russian voice CC BY 3.0",
    "asterisk_voices5_spikes128.npz",
    "9c391b5279cebeab01f72327d4f8cdb1ed90a63aa979b03d23c52de3b9810c75",
)

EMBEDDED = (FASHION_MNIST_SMALL, VOICES)  # what ships with the project


IDX_NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _idx_files(mirrors: tuple[str, ...], sums: tuple[tuple[int, str, str], ...]) -> tuple[RemoteFile, ...]:
    """The four files of an MNIST-like set; `sums` has size, MD5 and MD5 of the uncompressed bytes of each."""
    return tuple(
        RemoteFile(name, tuple(mirror + name for mirror in mirrors), md5, size, content_md5)
        for name, (size, md5, content_md5) in zip(IDX_NAMES, sums, strict=True)
    )


FASHION_MNIST = Source(
    name="fashion-mnist",
    description="60,000 + 10,000 photographs of clothing in 10 classes, 28×28 grey (Xiao et al. 2017)",
    licence="MIT",
    folder="fashion_mnist",
    files=_idx_files(
        (
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        (
            (26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
            (29515, "25c81989df183df01b3e8a0aad5dffbe", "9018921c3c673c538a1fc5bad174d6f9"),
            (4422102, "bef4ecab320f06d8554ea6380940ec79", "8181f5470baa50b63fa0f6fddb340f0a"),
            (5148, "bb300cfdad3c16e7a12a480ee83cd310", "15d484375f8d13e6eb1aabb0c3f46965"),
        ),
    ),
    system=(Path("/usr/share/datasets/fashion-mnist"),),  # Debian's package dataset-fashion-mnist
)

MNIST = Source(
    name="mnist",
    description="60,000 + 10,000 handwritten digits, 28×28 grey (LeCun et al. 1998)",
    licence="CC BY-SA 3.0, as commonly stated",
    folder="mnist",
    files=_idx_files(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        (
            (9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"),
            (28881, "d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"),
            (1648877, "9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"),
            (4542, "ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"),
        ),
    ),
)

_MENDELEY = "https://data.mendeley.com/public-files/datasets/468j46mzdv/files/{}/file_downloaded"

NMNIST = Source(
    name="nmnist",
    description="MNIST seen by a real event camera during three saccades, 34×34 (Orchard et al. 2015)",
    licence="CC BY-SA 4.0",
    folder="nmnist",
    files=(
        RemoteFile(
            "Train.zip",
            (_MENDELEY.format("39c25547-014b-4137-a934-9d29fa53c7a0"),),
            "20959b8e626244a1b502305a9e6e2031",
            1_010_000_000,
        ),
        RemoteFile(
            "Test.zip",
            (_MENDELEY.format("05a4d654-7e03-4c15-bdfa-9bb2bcbea494"),),
            "69ca8762b2fe404d9b9bad1103e97832",
            170_000_000,
        ),
    ),
)

SHD = Source(
    name="shd",
    description="spoken digits in English and German as spikes of 700 channels (Cramer et al. 2022)",
    licence="CC BY 4.0",
    folder="shd",
    files=tuple(
        RemoteFile(name, (f"https://zenkelab.org/datasets/{name}",), md5, size)
        for name, md5, size in (
            ("shd_train.h5.zip", "f3252aeb598ac776c1b526422d90eecb", 131_000_000),
            ("shd_test.h5.zip", "1503a5064faa34311c398fb0a1ed0a6f", 38_000_000),
        )
    ),
)

CIFAR10 = Source(
    name="cifar-10",
    description="50,000 + 10,000 colour photographs in 10 classes, 32×32 (Krizhevsky 2009)",
    licence="none stated",
    folder="cifar10",
    files=(
        RemoteFile(
            "cifar-10-python.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
            "c58f30108f718f92721af3b95e74349a",
            170498071,
            unpacked="cifar-10-batches-py",
        ),
    ),
)

CIFAR100 = Source(
    name="cifar-100",
    description="50,000 + 10,000 colour photographs in 100 classes, 32×32 (Krizhevsky 2009)",
    licence="none stated",
    folder="cifar100",
    files=(
        RemoteFile(
            "cifar-100-python.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",),
            "eb9058c3a382ffc7106e4002c42a8d85",
            169001437,
            unpacked="cifar-100-python",
        ),
    ),
)

ALL = (FASHION_MNIST, MNIST, CIFAR10, CIFAR100, NMNIST, SHD)
