"""MNIST from a folder of its own."""

from importlib import import_module

import pytest

from workbench.data.delivery.sources import FASHION_MNIST, MNIST
from workbench.data.sets.fashion_mnist import fashion_mnist
from workbench.data.sets.mnist import mnist

fashion_module = import_module("workbench.data.sets.fashion_mnist")  # the face gives the function of this name
mnist_module = import_module("workbench.data.sets.mnist")  # the face gives the function of this name


@pytest.mark.parametrize(("load", "source"), [(mnist, MNIST), (fashion_mnist, FASHION_MNIST)])
def test_the_folder_of_a_set_lies_in_the_data_folder(load, source, tmp_path, monkeypatch):
    files = tuple(file._replace(urls=("http://nowhere.invalid/x",)) for file in source.files)
    offline = source._replace(files=files, system=())
    monkeypatch.setattr(mnist_module, "MNIST", offline)
    monkeypatch.setattr(fashion_module, "FASHION_MNIST", offline)
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    with pytest.raises(ConnectionError, match=str(tmp_path / source.folder / "train-images-idx3-ubyte.gz")):
        load()
