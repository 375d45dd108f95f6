"""Digits, CIFAR archives, image folders and batches of pictures: written by the test, or compared with their source."""

import io
import os
import pickle
import tarfile
import tempfile
from importlib import import_module
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from workbench.data.delivery.fetch import RemoteFile
from workbench.data.pictures import FASHION_SCALE, Scale, crop_padded, mirror, normalized, pictures
from workbench.data.sets.cifar import cifar10, cifar100, read_cifar_pickle
from workbench.data.sets.digits import digits
from workbench.data.sets.image_folder import image_folder, read_image

cifar_module = import_module("workbench.data.sets.cifar")  # the face gives the function of this name


def test_digits_are_scikit_learns():
    split = digits()
    assert split.train.images.shape == (1437, 8, 8)
    assert np.bincount(split.test.labels).tolist() == [36] * 10
    pixels, labels = load_digits(return_X_y=True)
    every = np.concatenate([split.train.images, split.test.images]).reshape(1797, -1)
    names = np.concatenate([split.train.labels, split.test.labels])
    scaled = np.rint(pixels * 255 / 16).astype(np.uint8)
    ours = {(image.tobytes(), label) for image, label in zip(every, names, strict=True)}
    theirs = {(image.tobytes(), label) for image, label in zip(scaled, labels, strict=True)}
    assert ours == theirs
    assert split.train.images.max() == 255
    with pytest.raises(ValueError, match=r"1\.\.173, got 200"):
        digits(200)


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


TRAP = os.path.join(tempfile.mkdtemp(), "was-here")  # appears when a pickle is trusted


class Evil:
    def __reduce__(self):
        return os.mkdir, (TRAP,)


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


@pytest.fixture
def photographs(tmp_path):
    for part, name, number in (("train", "cat", 3), ("train", "dog", 2), ("val", "cat", 1), ("val", "dog", 1)):
        folder = tmp_path / part / name / "images"
        folder.mkdir(parents=True)
        for i in range(number):
            Image.new("RGB", (40, 20), (10 * i, 0, 200 if name == "dog" else 0)).save(folder / f"{i}.PNG")
    return tmp_path


def test_image_folder(photographs):
    split = image_folder(photographs, size=16)
    assert split.classes == ("cat", "dog")
    assert split.train.labels.tolist() == [0, 0, 0, 1, 1]
    batch = split.train.read([4, 1])
    assert batch.shape == (2, 3, 16, 16)
    assert batch[0, :, 8, 8].tolist() == [10, 0, 200]
    assert split.test.read([1])[0, 2, 0, 0] == 200


def test_image_is_scaled_and_its_middle_cut_out(tmp_path):
    pixels = np.zeros((20, 40), np.uint8)
    pixels[:, 10:30] = 255
    Image.fromarray(pixels).save(tmp_path / "grey.png")
    assert (read_image(tmp_path / "grey.png", 20) == 255).all()
    assert read_image(tmp_path / "grey.png", 10).shape == (3, 10, 10)


def test_validation_table_of_tiny_imagenet(photographs):
    (photographs / "val" / "images").mkdir()
    for i in range(2):
        Image.new("RGB", (8, 8)).save(photographs / "val" / "images" / f"v{i}.png")
    (photographs / "val" / "val_annotations.txt").write_text("v0.png\tdog\t0\t0\t8\t8\nv1.png\tcat\t0\t0\t8\t8\n")
    split = image_folder(photographs, 8)
    assert split.test.labels.tolist() == [1, 0]
    assert split.test.read([0]).shape == (1, 3, 8, 8)


def test_faults_of_image_folders_are_told(tmp_path, photographs):
    with pytest.raises(FileNotFoundError, match=r"train is missing; expected .*/train/<class>/"):
        image_folder(tmp_path / "nothing", 8)
    (photographs / "val" / "bird").mkdir()
    Image.new("RGB", (8, 8)).save(photographs / "val" / "bird" / "b.png")
    with pytest.raises(ValueError, match="classes bird are held out but not in train"):
        image_folder(photographs, 8)
    (photographs / "train" / "cat" / "images" / "0.PNG").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"0\.PNG cannot be read as an image"):
        read_image(photographs / "train" / "cat" / "images" / "0.PNG", 8)


def test_pictures_are_normalised(recordings):
    with np.load(recordings / "fashion_mnist_5k_1k.npz") as file:
        images, labels = file["train_images"], file["train_labels"].astype(np.int64)
    x, y = pictures(images, labels, FASHION_SCALE).batch(torch.arange(5000))
    assert x.shape == (5000, 1, 28, 28)
    assert x.mean().abs() < 0.02
    assert x.std() == pytest.approx(1.0, abs=0.02)
    assert y.equal(torch.from_numpy(labels))


def small(n=6, side=5):
    return torch.arange(1, n * side * side + 1).view(n, 1, side, side).to(torch.uint8)


def test_crop_moves_each_image_and_fills_with_black():
    x, generator = small(), torch.Generator().manual_seed(0)
    moved = crop_padded(x, generator, margin=2)
    assert moved.shape == x.shape
    shifts = set()
    for before, after in zip(x[:, 0], moved[:, 0], strict=True):
        padded = torch.nn.functional.pad(before, [2] * 4)
        found = [(i, j) for i in range(5) for j in range(5) if padded[i : i + 5, j : j + 5].equal(after)]
        assert len(found) == 1
        shifts |= set(found)
    assert len(shifts) > 2


def test_mirror_exchanges_left_and_right_in_about_half():
    x, generator = small(200, 2), torch.Generator().manual_seed(0)
    mirrored = mirror(x, generator)
    flipped = (mirrored == x.flip(-1)).all(-1).all(-1).flatten()
    assert 70 < int(flipped.sum()) < 130
    assert (mirrored == x)[~flipped].all()


def test_chance_depends_on_the_rows_alone():
    data = pictures(small().numpy(), np.arange(6), Scale((0.5,), (0.5,)), (crop_padded, mirror))
    rows = torch.tensor([3, 1, 2])
    first, again, other = data.batch(rows)[0], data.batch(rows)[0], data.batch(rows.flip(0))[0]
    assert first.equal(again)
    assert not first.equal(other.flip(0))
    plain = data._replace(augment=())
    assert plain.batch(rows)[0].equal(normalized(small()[rows], Scale((0.5,), (0.5,))))


def test_read_only_arrays_are_taken():
    images = np.frombuffer(bytes(range(50)), np.uint8).reshape(2, 5, 5)
    assert pictures(images, np.arange(2), Scale((0.0,), (1.0,))).batch(torch.tensor([1]))[0][0, 0, 0, 0] == 25 / 255


def test_pictures_that_do_not_fit_are_quoted():
    with pytest.raises(ValueError, match=r"expected 5 images of 1 channels, got shape \(6, 5, 5\)"):
        pictures(small()[:, 0].numpy(), np.arange(5), Scale((0.5,), (0.5,)))
