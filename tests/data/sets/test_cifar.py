"""CIFAR from its pickles, which are not trusted."""

import io
import os
import pickle
import tarfile
import tempfile
from importlib import import_module
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from workbench.data.delivery.fetch import RemoteFile
from workbench.data.sets.cifar import cifar10, cifar100, cifar_cut, read_cifar_pickle

cifar_module = import_module("workbench.data.sets.cifar")  # the face gives the function of this name


class OldPickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its strings, and numpy under its old name: as CIFAR's own files are."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_bytes(self, data):
        self.write(b"T" + len(data).to_bytes(4, "little") + data)
        self.memoize(data)

    dispatch[bytes] = save_bytes


def old_pickle(content):
    stream = io.BytesIO()
    OldPickler(stream, protocol=2).dump(content)
    return stream.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def batch_file(n, seed, label_key=b"labels", classes=10):
    random = np.random.default_rng(seed)
    data = random.integers(0, 256, (n, 3072), dtype=np.uint8)
    return {b"data": data, label_key: [int(i) for i in random.integers(0, classes, n)], b"batch_label": b"one"}


@pytest.fixture
def cifar10_files():
    files = {f"data_batch_{i}": batch_file(4, i) for i in range(1, 6)}
    files |= {"test_batch": batch_file(3, 9), "batches.meta": {b"label_names": [b"a%d" % i for i in range(10)]}}
    return files


def cut(labels=(3, 1), size=(32, 32), **changed):
    """The arrays of a cut whose pictures are of one colour each."""
    files = []
    for label in labels:
        buffer = io.BytesIO()
        Image.new("RGB", size, (label, 20, 30)).save(buffer, "PNG")
        files.append(buffer.getvalue())
    part = {
        "bytes": np.frombuffer(b"".join(files), np.uint8),
        "offsets": np.cumsum([0, *map(len, files)]),
        "labels": np.array(labels, np.uint8),
    }
    named = {f"{name}_{kind}": array for name in ("train", "test") for kind, array in part.items()}
    return named | {"classes": np.array(["a", "b", "c", "d"])} | changed


def test_a_cut_is_read_picture_by_picture(tmp_path):
    np.savez(tmp_path / "cut.npz", **cut())
    split = cifar_cut(tmp_path / "cut.npz")
    assert split.classes == ("a", "b", "c", "d")
    assert split.train.labels.tolist() == split.test.labels.tolist() == [3, 1]
    assert split.train.images.shape == (2, 3, 32, 32)
    assert split.train.images[:, :, 5, 9].tolist() == [[3, 20, 30], [1, 20, 30]]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (cut(train_labels=np.zeros(3, np.uint8)), "3 labels and 3 offsets, expected one offset more"),
        (cut(labels=(3, 4)), r"labels 3 to 4, expected 0 to 3"),
        (cut(size=(28, 28)), r"an image of \(28, 28\), expected \(32, 32\)"),
        (cut(test_bytes=np.zeros(300, np.uint8)), "is no cut of CIFAR"),
        ({"classes": np.array(["a"])}, "is no cut of CIFAR"),
    ],
)
def test_cuts_of_another_form_are_refused(arrays, words, tmp_path):
    np.savez(tmp_path / "cut.npz", **arrays)
    with pytest.raises(ValueError, match=words):
        cifar_cut(tmp_path / "cut.npz")


def test_a_cut_that_is_no_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        cifar_cut(tmp_path / "cut.npz")
    (tmp_path / "cut.npz").write_bytes(b"PK half")
    with pytest.raises(ValueError, match="is no cut of CIFAR"):
        cifar_cut(tmp_path / "cut.npz")


TRAP = os.path.join(tempfile.mkdtemp(), "was-here")  # appears when a pickle is trusted


class Evil:
    def __reduce__(self):
        return os.mkdir, (TRAP,)


@pytest.mark.parametrize("write", [old_pickle, lambda content: pickle.dumps(content, protocol=2)])
def test_arrays_come_out_of_pickles_as_they_went_in(write):
    content = batch_file(4, 0)
    read = read_cifar_pickle(write(content), "a file")
    assert np.array_equal(read[b"data"], content[b"data"])
    assert read[b"labels"] == content[b"labels"]
    assert read[b"batch_label"] == b"one"


def test_unpacked_files_are_read(tmp_path, cifar10_files):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name, content in cifar10_files.items():
        (folder / name).write_bytes(old_pickle(content))
    for place in (tmp_path, folder):
        split = cifar10(place)
        assert split.train.images.shape == (20, 3, 32, 32)
        assert split.classes[3] == "a3"
    red = cifar10_files["data_batch_2"][b"data"][1, :1024].reshape(32, 32)
    assert np.array_equal(split.train.images[5, 0], red)
    assert split.test.labels.tolist() == cifar10_files["test_batch"][b"labels"]


def test_archive_is_read_without_unpacking_it(tmp_path, monkeypatch):
    files = {"train": batch_file(5, 1, b"fine_labels", 100), "test": batch_file(2, 2, b"fine_labels", 100)}
    files["meta"] = {b"fine_label_names": [b"c%d" % i for i in range(100)]}
    with tarfile.open(tmp_path / "cifar-100-python.tar.gz", "w:gz") as archive:
        for name, content in files.items():
            data = old_pickle(content)
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    with pytest.raises(ValueError, match="is not the file that was published"):
        cifar100(tmp_path)
    monkeypatch.setattr(import_module("workbench.data.delivery.fetch"), "check", lambda file, path: None)
    split = cifar100(tmp_path)
    assert split.train.images.shape == (5, 3, 32, 32)
    assert split.test.labels.tolist() == files["test"][b"fine_labels"]
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-100-python.tar.gz"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pickle.dumps({b"data": Evil()}, protocol=2), r"asks for (posix|nt)\.mkdir, which is refused"),
        (pickle.dumps({b"data": RemoteFile("a", (), "b", 1)}, protocol=2), r"which is refused"),
        (pickle.dumps({b"data": np.zeros(3)}, protocol=2), "array of type .*f8.*expected u1"),
        (pickle.dumps({b"data": np.array([[Evil()]], dtype=object)}, protocol=2), "refused|expected u1"),
        (pickle.dumps([1, 2]), "holds a list, expected a dict"),
        (old_pickle(batch_file(2, 0))[:-900], "is not a file of CIFAR"),
        (b"", "is not a file of CIFAR"),
    ],
)
def test_pickles_that_hold_anything_else_are_refused(data, words):
    with pytest.raises(ValueError, match=words):
        read_cifar_pickle(data, "this file")
    assert not os.path.exists(TRAP)


def test_published_checksums():
    assert cifar_module.CIFAR10.files[0].md5 == "c58f30108f718f92721af3b95e74349a"
    assert cifar_module.CIFAR100.files[0].md5 == "eb9058c3a382ffc7106e4002c42a8d85"
