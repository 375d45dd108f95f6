"""Which folder holds the data, and where the embedded file lies."""

import shutil

import pytest

from workbench.data.delivery import storage
from workbench.data.delivery.sources import FASHION_MNIST_SMALL
from workbench.data.delivery.storage import data_folder, embedded_file
from workbench.data.sets.fashion_mnist import fashion_mnist_small


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
