"""`workbench lab`: where the notebooks that are opened lie."""

from importlib import import_module
from pathlib import Path

import pytest

from workbench import serving, shipped
from workbench.cli import lab
from workbench.cli.main import main


@pytest.fixture
def served(monkeypatch):
    """The commands that would have been run."""
    import_module("workbench.serving.commands")  # now: it keeps what stands in `shipped` when it is imported
    commands = []
    monkeypatch.setattr(lab, "serve", lambda command: commands.append(command) or 0)
    return commands


def test_a_checkout_opens_its_own_notebooks(served):
    assert main(["lab", "--no-browser"]) == 0
    assert str(shipped.notebooks_folder()) in served[0]


def test_a_folder_gets_copies_and_keeps_what_it_has(served, tmp_path, capsys):
    work = tmp_path / "my work"
    work.mkdir()
    mine = work / "00_start_here.ipynb"
    mine.write_text("mine")
    assert main(["lab", str(work)]) == 0
    assert str(work) in served[0]
    assert mine.read_text() == "mine"
    there = {path.name for path in shipped.notebooks_folder().glob("*.ipynb")}
    assert {path.name for path in work.iterdir()} == there
    assert f"{len(there) - 1} notebooks copied, 1 were there" in capsys.readouterr().err
    assert main(["lab", str(work)]) == 0
    assert f"0 notebooks copied, {len(there)} were there" in capsys.readouterr().err


def test_an_installed_package_never_shows_its_own_files(served, tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "workbench"
    (package / "notebooks").mkdir(parents=True)
    (package / "notebooks" / "00_one.ipynb").write_text("{}")
    (package / "notebooks" / "._00_one.ipynb").write_text("what a system keeps beside a file")
    monkeypatch.setattr(shipped, "notebooks_folder", lambda: package / "notebooks")
    monkeypatch.setattr(lab, "__file__", str(package / "cli" / "lab.py"))
    monkeypatch.chdir(tmp_path)
    assert main(["lab"]) == 0
    assert str(tmp_path / lab.COPIES) in served[0]
    assert [path.name for path in (tmp_path / lab.COPIES).iterdir()] == ["00_one.ipynb"]


def test_the_folder_of_the_notebooks_itself_is_served_as_it_is(served):
    before = sorted(shipped.notebooks_folder().iterdir())
    assert main(["lab", str(shipped.notebooks_folder())]) == 0
    assert sorted(shipped.notebooks_folder().iterdir()) == before
    assert str(Path(shipped.notebooks_folder())) in served[0]


def test_a_hub_starts_the_server_of_one_user(served, tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "hub_command", lambda folder, root: ["hub", str(folder), root])
    assert main(["lab", str(tmp_path / "course"), "--hub"]) == 0
    assert served == [["hub", str(tmp_path / "course"), False]]
    assert (tmp_path / "course" / "00_start_here.ipynb").is_file()
