"""The Spiking Heidelberg Digits from made files."""

import zipfile
from importlib import import_module

import numpy as np
import pytest

from workbench.data.sets.shd import CLASSES, read_spike_file, shd

shd_module = import_module("workbench.data.sets.shd")  # the face gives the function of this name


def write_shd(path, classes=3, per_class=2, channel=699):
    h5py = pytest.importorskip("h5py")
    n = classes * per_class
    with h5py.File(path, "w") as file:
        kind = h5py.vlen_dtype(np.dtype("float16")), h5py.vlen_dtype(np.dtype("uint16"))
        times, units = (
            file.create_dataset(f"spikes/{name}", (n,), k) for name, k in zip(("times", "units"), kind, strict=True)
        )
        for row in range(n):
            times[row] = np.array([0.0, 0.0125 * (row + 1), 1.5], np.float16)
            units[row] = np.array([row, channel, 3], np.uint16)
        file["labels"] = np.arange(n, dtype=np.uint16) % classes
    return path


def test_shd_from_a_folder(tmp_path):
    for part in ("train", "test"):
        write_shd(tmp_path / f"shd_{part}.h5")
    train, test, classes = shd(folder=tmp_path, steps=20, test_per_class=1)
    assert classes == CLASSES
    assert len(classes) == 20
    assert train.counts.shape == (20, 6, 700)
    assert train.counts.sum() == 12  # the third spike comes after 200 ms
    assert train.counts[0, 4, 4] == 1
    assert train.counts[6, 4, 699] == 1  # 62.5 ms
    assert sorted(test.labels.tolist()) == [0, 1, 2]
    assert train.lengths is None  # the last spike of every recording comes after 200 ms
    assert shd(folder=tmp_path, steps=200).train.lengths.tolist() == [151] * 6
    assert shd(folder=tmp_path, steps=200).train.without_lengths().lengths is None


def test_shd_is_unpacked_once(tmp_path, monkeypatch):
    inner = write_shd(tmp_path / "shd_train.h5")
    archive = tmp_path / "shd_train.h5.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(inner, "shd_train.h5")
    inner.unlink()
    monkeypatch.setattr(shd_module, "fetch", lambda *_, **__: archive)
    file = shd_module.SHD.files[0]
    path = shd_module._unpacked(file, tmp_path, False)
    assert read_spike_file(path).counts.shape == (100, 6, 700)
    archive.unlink()
    assert shd_module._unpacked(file, tmp_path, False) == path
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("readme", "")
    path.unlink()
    with pytest.raises(ValueError, match=r"expected shd_train\.h5"):
        shd_module._unpacked(file, tmp_path, False)


@pytest.mark.parametrize("name", ["../shd_train.h5", "../../evil/shd_train.h5", "/tmp/shd_train.h5"])
def test_a_path_in_an_archive_leads_nowhere(tmp_path, monkeypatch, name):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    archive = folder / "shd_train.h5.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(name, b"spikes")
    monkeypatch.setattr(shd_module, "fetch", lambda *_, **__: archive)
    assert shd_module._unpacked(shd_module.SHD.files[0], folder, False).read_bytes() == b"spikes"
    found = {path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert found == {"shd_train.h5", "shd_train.h5.zip"}
    assert (folder / "shd_train.h5").is_file()


def test_an_archive_that_grows_without_measure_is_refused(tmp_path, monkeypatch):
    archive = tmp_path / "shd_train.h5.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("shd_train.h5", bytes(10_000_000))
    monkeypatch.setattr(shd_module, "fetch", lambda *_, **__: archive)
    with pytest.raises(ValueError, match="unpacks to 10000000 bytes, which no recording does"):
        shd_module._unpacked(shd_module.SHD.files[0], tmp_path, False)
    assert not (tmp_path / "shd_train.h5").exists()


def test_a_file_of_another_form_is_named(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "shd_test.h5"
    path.write_bytes(b"half a file")
    with pytest.raises(ValueError, match="damaged or not in SHD's form"):
        read_spike_file(path)
    with h5py.File(path, "w") as file:
        file["labels"] = np.zeros(2)
    with pytest.raises(ValueError, match="damaged or not in SHD's form"):
        read_spike_file(path)
    write_shd(path, channel=700)
    with pytest.raises(ValueError, match="channels 0 to 700, expected 0 to 699"):
        read_spike_file(path)
    with pytest.raises(FileNotFoundError):
        read_spike_file(tmp_path / "none.h5")
