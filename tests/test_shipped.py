"""What comes with the package is found in a checkout and in an installed package, and what is missing is named."""

from pathlib import Path

import pytest

from workbench import shipped
from workbench.shipped import book_folder, notebooks_folder, results_folder

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("find", "inside", "beside", "file", "advice"),
    [
        (notebooks_folder, "workbench/notebooks", "notebooks", "app.ipynb", "install the package again"),
        (results_folder, "workbench/results", "results", "tables.toml", "install the package again"),
        (book_folder, "workbench/book", "build/book/html", "index.html", "no book has been built; .* make book"),
    ],
)
def test_a_folder_lies_in_the_package_or_beside_it(tmp_path, monkeypatch, find, inside, beside, file, advice):
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path / "workbench")
    for place in (inside, beside):
        (tmp_path / place).mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=rf"no {file} in .*{beside} or .*{inside}; {advice}"):
        find()
    for place in (inside, beside):  # a checkout goes before what is installed in it
        (tmp_path / place / file).touch()
        assert find() == tmp_path / place


def test_this_checkout_has_its_own():
    assert (notebooks_folder(), results_folder()) == (ROOT / "notebooks", ROOT / "results")
