"""The list of data sets and what can be done with one."""

import hashlib
from importlib import import_module

import pytest

from workbench.data.delivery.catalogue import SMALL, catalogue, fetch, verify
from workbench.data.delivery.fetch import RemoteFile
from workbench.data.delivery.sources import FASHION_MNIST_SMALL, Source

module = import_module("workbench.data.delivery.catalogue")  # the face gives the function of this name


@pytest.fixture
def pair(monkeypatch) -> Source:
    """A data set of two files that no server has."""
    files = tuple(
        RemoteFile(name, ("http://nowhere.invalid/",), hashlib.md5(name.encode()).hexdigest(), 7)
        for name in ("one.zip", "two.bin")
    )
    source = Source("pair", "two files", "MIT", "pair", files)
    monkeypatch.setattr(module, "ALL", (source,))
    return source


def test_the_list_has_all_sets_with_licence_and_size(tmp_path):
    sets = {each.name: each for each in catalogue(tmp_path)}
    assert list(sets) == [SMALL, "voices", "fashion-mnist", "mnist", "cifar-10", "cifar-100", "nmnist", "shd"]
    assert all(each.licence and each.description for each in sets.values())
    assert sets[SMALL].status == sets["voices"].status == "embedded"
    assert sets["mnist"].status == "not fetched"
    assert sets["mnist"].size == 11_594_722
    assert sets[SMALL].size == (sets[SMALL].folder / FASHION_MNIST_SMALL.file).stat().st_size > 1_000_000
    assert sets["nmnist"].folder == tmp_path / "nmnist"


def test_status_and_verify_follow_the_files(pair, tmp_path):
    def by_name():
        return {each.name: each for each in catalogue(tmp_path)}

    def states() -> tuple[str, list[str]]:
        return by_name()["pair"].status, [check.problem[:12] for check in verify("pair", tmp_path)]

    assert states() == ("not fetched", ["one.zip is n", "two.bin is n"])
    (tmp_path / "pair").mkdir()
    (tmp_path / "pair" / "two.bin").write_text("two.bin")
    assert states() == ("partly present", ["one.zip is n", ""])
    (tmp_path / "pair" / "one").mkdir()  # unpacked by hand
    assert states() == ("present", ["", ""])
    assert fetch("pair", tmp_path) == (tmp_path / "pair" / "one", tmp_path / "pair" / "two.bin")
    (tmp_path / "pair" / "two.bin").write_text("another")
    status, (_, problem) = by_name()["pair"].status, verify("pair", tmp_path)
    assert status == "present"
    assert "not the file that was published" in problem.problem
    assert problem.path is None


def test_shd_unpacked_by_hand_is_present(tmp_path):
    """The reader takes `shd_train.h5`; so do list, `verify` and `fetch`, which know the checksum of the `.zip`."""

    def status() -> str:
        return next(each.status for each in catalogue(tmp_path) if each.name == "shd")

    (tmp_path / "shd").mkdir()
    (tmp_path / "shd" / "shd_train.h5").write_text("spikes")
    assert status() == "partly present"
    (tmp_path / "shd" / "shd_test.h5").write_text("spikes")
    assert status() == "present"
    assert [check.problem for check in verify("shd", tmp_path)] == ["", ""]
    assert [path.name for path in fetch("shd", tmp_path)] == ["shd_train.h5", "shd_test.h5"]
    (tmp_path / "shd" / "shd_train.h5.zip").write_text("not the archive")
    assert "not the file that was published" in verify("shd", tmp_path)[0].problem


def test_cifar_unpacked_by_hand_is_present(tmp_path):
    (tmp_path / "cifar10" / "cifar-10-batches-py").mkdir(parents=True)
    assert {each.name: each.status for each in catalogue(tmp_path)}["cifar-10"] == "present"
    assert [check.problem for check in verify("cifar-10", tmp_path)] == [""]


def test_the_embedded_set_needs_no_fetching(monkeypatch):
    (path,) = fetch(SMALL)
    assert verify(SMALL)[0].path == path
    monkeypatch.setattr(module, "EMBEDDED", (FASHION_MNIST_SMALL._replace(sha256="0" * 64),))
    assert "damaged" in verify(SMALL)[0].problem
    assert catalogue()[0].status == "damaged"


def test_an_unknown_name_is_answered_with_the_known_ones():
    for ask in (fetch, verify):
        with pytest.raises(
            ValueError,
            match=r"no data set 'minst'; did you mean 'mnist'\? \(there are fashion-mnist-small, voices, .*mnist",
        ):
            ask("minst")
