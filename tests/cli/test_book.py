"""`workbench book`: the pages open, and what is said where there are none."""

import pytest

from workbench import serving, shipped
from workbench.cli import book
from workbench.cli.main import main


class Interrupted(serving.BookServer):
    """A reader ends it at once."""

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        raise KeyboardInterrupt


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """The addresses that a browser was asked to open."""
    addresses = []
    monkeypatch.setattr(book.webbrowser, "open", addresses.append)
    monkeypatch.setattr(shipped, "book_folder", lambda: tmp_path)
    monkeypatch.setattr(serving.book, "BookServer", Interrupted)
    return addresses


@pytest.mark.parametrize("options", [[], ["--no-browser"]])
def test_it_opens_until_it_is_interrupted(opened, capsys, options):
    assert main(["book", *options]) == 130
    told = capsys.readouterr().err
    assert "the book is at http://127.0.0.1:" in told
    assert all(address in told for address in opened)
    assert bool(opened) == (not options)


def test_where_none_was_built_it_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(shipped, "_PACKAGE", tmp_path)
    assert main(["book"]) == 1
    assert "type make book" in capsys.readouterr().err
