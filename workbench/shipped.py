"""Files that are no code and come with the package: beside it in a checkout, inside it when installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
AGAIN = "install the package again, or start from a checkout"


def notebooks_folder() -> Path:
    """The folder of the notebooks. FileNotFoundError where there is none."""
    return _folder("notebooks", "app.ipynb")


def results_folder() -> Path:
    """The folder of this project's results. FileNotFoundError where there is none."""
    return _folder("results", "tables.toml")


def book_folder() -> Path:
    """The folder of the built book: where `make book` writes it, or in the package. FileNotFoundError without."""
    built = "no book has been built; in a checkout type make book, which takes a minute or two"
    return _folder("book", "index.html", "build/book/html", built)


def _folder(name: str, file: str, beside: str | None = None, advice: str = AGAIN) -> Path:
    """The first folder that holds `file`: `beside` the package (`name` when None), or `name` in it."""
    candidates = [_PACKAGE.parent / (beside or name), _PACKAGE / name]
    for folder in candidates:
        if (folder / file).is_file():
            return folder
    raise FileNotFoundError(f"no {file} in {' or '.join(map(str, candidates))}; {advice}")
