"""Images: the IDX format, the embedded part of Fashion-MNIST, and the whole sets from files."""

import contextlib
import gzip
import hashlib
import shutil
import struct
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from workbench.data.delivery import storage
from workbench.data.delivery.fetch import RemoteFile
from workbench.data.delivery.sources import FASHION_MNIST, FASHION_MNIST_SMALL, IDX_NAMES, MNIST, Source
from workbench.data.delivery.storage import data_folder, embedded_file
from workbench.data.sets.fashion_mnist import CLASSES, fashion_mnist, fashion_mnist_small
from workbench.data.sets.idx import decode_idx, idx_split
from workbench.data.sets.mnist import mnist

fashion_module = import_module("workbench.data.sets.fashion_mnist")  # the face gives the function of this name
mnist_module = import_module("workbench.data.sets.mnist")  # the face gives the function of this name


def encode_idx(array: np.ndarray) -> bytes:
    """IDX as its description says: 0, 0, type 8, number of dimensions, each size in four bytes, values."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@settings(deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)))
def test_idx_round_trip(array):
    np.testing.assert_array_equal(decode_idx(encode_idx(array), "x", array.ndim), array)


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(1, 3))
def test_idx_of_noise_is_refused_or_read(data, dimensions):
    with contextlib.suppress(ValueError):
        assert encode_idx(decode_idx(data, "noise", dimensions)) == data


def test_idx_messages():
    whole = encode_idx(np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(ValueError, match=r"a\.gz starts with 00000803, expected 00000801"):
        decode_idx(whole, "a.gz", 1)
    with pytest.raises(ValueError, match="ends after 9 bytes, within its header of 16"):
        decode_idx(whole[:9], "a.gz", 3)
    with pytest.raises(ValueError, match=r"promises \(2, 3, 3\) values in its header but holds 17"):
        decode_idx(whole[:-1], "a.gz", 3)


def test_the_embedded_set_is_balanced():
    split = fashion_mnist_small()
    assert split.classes == CLASSES
    for part, per_class in ((split.train, 500), (split.test, 100)):
        assert part.images.shape == (10 * per_class, 28, 28)
        assert part.images.dtype == np.uint8
        assert part.labels.dtype == np.int64
        np.testing.assert_array_equal(np.bincount(part.labels), np.full(10, per_class))


def test_labels_belong_to_the_embedded_images():
    """The nearest mean image names the class of two images in three; a wrong order of labels would give a tenth."""
    train, test, _ = fashion_mnist_small()
    means = np.stack([train.images[train.labels == label].mean(0) for label in range(10)])
    distances = ((test.images[:, None].astype(np.float32) - means) ** 2).sum((2, 3))
    assert (distances.argmin(1) == test.labels).mean() > 0.6


def test_the_embedded_file_is_found_in_an_installed_package(tmp_path, monkeypatch):
    package = tmp_path / "workbench" / "data"
    (package / "embedded").mkdir(parents=True)
    shutil.copy(embedded_file(FASHION_MNIST_SMALL.file, FASHION_MNIST_SMALL.sha256), package / "embedded")
    monkeypatch.setattr(storage, "__file__", str(package / "delivery" / "storage.py"))
    monkeypatch.setattr(storage, "CHECKOUT", tmp_path)
    assert embedded_file(FASHION_MNIST_SMALL.file, FASHION_MNIST_SMALL.sha256).parent == package / "embedded"
    (package / "embedded" / FASHION_MNIST_SMALL.file).write_bytes(b"half")
    with pytest.raises(ValueError, match=f"damaged: its SHA-256 is .*, expected {FASHION_MNIST_SMALL.sha256}.*Install"):
        fashion_mnist_small()
    (package / "embedded" / FASHION_MNIST_SMALL.file).unlink()
    with pytest.raises(FileNotFoundError, match="missing"):
        fashion_mnist_small()


def test_which_folder_holds_the_data(tmp_path, monkeypatch):
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    assert data_folder() == storage.CHECKOUT / "data_cache"
    monkeypatch.setattr(storage, "CHECKOUT", tmp_path)
    assert "local-learning-workbench" in str(data_folder())
    monkeypatch.setenv("WORKBENCH_DATA", "~/sets")
    assert data_folder().parts[-1] == "sets"
    assert data_folder().is_absolute()
    assert data_folder(tmp_path) == tmp_path


def small_source(n_labels: int = 3) -> tuple[Source, dict[str, bytes]]:
    """A set of three training and two test images of 4×5 pixels, and the bytes of its four files."""
    rng = np.random.default_rng(0)
    contents = [
        encode_idx(rng.integers(0, 256, (3, 4, 5), np.uint8)),
        encode_idx(np.arange(n_labels, dtype=np.uint8)),
        encode_idx(rng.integers(0, 256, (2, 4, 5), np.uint8)),
        encode_idx(np.array([1, 0], np.uint8)),
    ]
    files = [
        RemoteFile(name, ("http://nowhere.invalid/" + name,), "0" * 32, 9, hashlib.md5(content).hexdigest())
        for name, content in zip(IDX_NAMES, contents, strict=True)
    ]
    return Source("tiny", "", "", "tiny", tuple(files)), dict(zip(IDX_NAMES, contents, strict=True))


def test_a_split_is_read_from_a_folder_filled_by_hand(tmp_path):
    source, contents = small_source()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(gzip.compress(content))
    unpacked = tmp_path / IDX_NAMES[1].removesuffix(".gz")
    unpacked.write_bytes(contents[IDX_NAMES[1]])
    (tmp_path / IDX_NAMES[1]).unlink()
    split = idx_split(source, ("a", "b", "c"), tmp_path)
    np.testing.assert_array_equal(split.train.images, decode_idx(contents[IDX_NAMES[0]], "", 3))
    assert split.train.labels.tolist() == [0, 1, 2]
    assert split.test.labels.tolist() == [1, 0]
    with pytest.raises(ValueError, match="tiny has a label 2, expected 0 to 1"):
        idx_split(source, ("a", "b"), tmp_path)
    unpacked.write_bytes(b"other")
    with pytest.raises(ValueError, match="not the file that was published"):
        idx_split(source, ("a", "b", "c"), tmp_path)


def test_images_and_labels_of_different_sets(tmp_path):
    source, contents = small_source(n_labels=2)
    for name, content in contents.items():
        (tmp_path / name).write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match="tiny has 3 images but 2 labels"):
        idx_split(source, ("a", "b", "c"), tmp_path)


@pytest.mark.parametrize(("load", "source"), [(mnist, MNIST), (fashion_mnist, FASHION_MNIST)])
def test_the_folder_of_a_set_lies_in_the_data_folder(load, source, tmp_path, monkeypatch):
    files = tuple(file._replace(urls=("http://nowhere.invalid/x",)) for file in source.files)
    offline = source._replace(files=files, system=())
    monkeypatch.setattr(mnist_module, "MNIST", offline)
    monkeypatch.setattr(fashion_module, "FASHION_MNIST", offline)
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    with pytest.raises(ConnectionError, match=str(tmp_path / source.folder / "train-images-idx3-ubyte.gz")):
        load()


def test_checksums_of_the_test_files_of_mnist(recordings):
    """Rebuilt from real images, the uncompressed files have the sums that `sources.py` states."""
    with np.load(recordings / "mnist_t10k.npz") as file:
        rebuilt = encode_idx(file["images"]), encode_idx(file["labels"])
    for remote, content in zip(MNIST.files[2:], rebuilt, strict=True):
        assert hashlib.md5(content).hexdigest() == remote.content_md5


@pytest.mark.skipif(not FASHION_MNIST.system[0].is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_package_of_debian_holds_the_embedded_images(tmp_path):
    split = fashion_mnist(tmp_path)
    for whole, small in zip(split[:2], fashion_mnist_small()[:2], strict=True):
        labels = {image.tobytes(): label for image, label in zip(*whole, strict=True)}
        assert all(labels[image.tobytes()] == label for image, label in zip(*small, strict=True))
    assert not any(tmp_path.iterdir())
