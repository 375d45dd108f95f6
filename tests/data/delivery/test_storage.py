"""Which folder holds the data, files that are written whole, and what lies beside them and does not count."""

import os
import shutil
import stat
import wave

import numpy as np
import pytest
from PIL import Image

from workbench.continual.folder_streams import class_folders
from workbench.data.delivery import storage
from workbench.data.delivery.cache import cached
from workbench.data.delivery.sources import FASHION_MNIST_SMALL
from workbench.data.delivery.storage import (
    data_folder,
    embedded_file,
    try_to_write,
    unwritable,
    visible,
    written_unlocked,
)
from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.sets.image_folder import image_folder
from workbench.data.sets.spoken_digits import spoken_digits

HIDDEN = ("._{}", ".trash/{}")


def beside(path, make):
    """The file that `make` writes, and hidden ones of its name that hold nothing good."""
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)
    for name in HIDDEN:
        other = path.parent / name.format(path.name)
        other.parent.mkdir(exist_ok=True)
        other.write_text("no picture, no sound")


def picture(path):
    Image.new("RGB", (8, 8)).save(path)


def sound(path):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.zeros(1600, "<i2").tobytes())


def test_hidden_files_and_folders_never_count(tmp_path):
    for part in ("train", "val"):
        for name in ("cat", "dog"):
            beside(tmp_path / part / name / "1.png", picture)
        beside(tmp_path / part / ".hidden" / "1.png", picture)
    split = image_folder(tmp_path, 8)
    assert split.classes == ("cat", "dog")
    assert [path.name for path in split.train.paths] == ["1.png", "1.png"]
    found = class_folders(tmp_path / "train")
    assert {name: [path.name for path in paths] for name, paths in found.items()} == {
        "cat": ["1.png"],
        "dog": ["1.png"],
    }
    for take in (0, 7):
        beside(tmp_path / "sound" / f"3_ann_{take}.wav", sound)
    split = spoken_digits(tmp_path / "sound", steps=5)
    assert (len(split.train.labels), len(split.test.labels)) == (1, 1)
    assert visible(tmp_path / "a" / "b", tmp_path)
    assert not visible(tmp_path / ".a" / "b", tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="a umask is a matter of POSIX systems")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_have_the_rights_that_new_files_have(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        cached(tmp_path / "x.npz", lambda: np.zeros((2, 2), np.uint8))
        with written_unlocked(tmp_path / "y") as part:
            part.write_text("y")
    finally:
        os.umask(before)
    for path in (tmp_path / "x.npz", tmp_path / "y"):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path


def test_trying_to_write_leaves_nothing(tmp_path):
    try_to_write(tmp_path / "new" / "run.safetensors")
    assert not list((tmp_path / "new").iterdir())


@pytest.mark.parametrize("name", ["[a].txt", "a*", "?.b"])
def test_names_with_wildcards_are_names(tmp_path, name):
    (tmp_path / name.replace("*", "b").replace("?", "x").replace("[a]", "a")).write_text("another")
    with written_unlocked(tmp_path / name) as part:
        part.write_text("mine")
    assert (tmp_path / name).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_error_keeps_its_kind_and_says_what_to_do(tmp_path):
    error = unwritable(tmp_path / "a", PermissionError(13, "Permission denied"))
    assert isinstance(error, PermissionError)
    assert "cannot be written: Permission denied. Nothing was changed; name a file in a folder" in str(error)


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
