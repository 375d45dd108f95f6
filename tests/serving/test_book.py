"""The built book as pages: where it lies, and what is handed out."""

import socket
import threading
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from workbench.serving import book, book_server


@pytest.fixture
def folder(tmp_path):
    """A book of two pages."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "index.html").write_text("<h1>Book</h1>")
    (tmp_path / "notebooks" / "01.html").write_text("<h1>One</h1>")
    return tmp_path


@pytest.fixture
def served(folder):
    """The address of the book."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with book_server(folder, taken.getsockname()[1]) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()
            thread.join()


def test_pages_are_read_on_the_next_port_where_one_is_taken(served):
    for path, words in (("/", b"Book"), ("/notebooks/01.html", b"One")):
        with urlopen(served + path) as page:
            assert words in page.read()


@pytest.mark.parametrize("path", ["/notebooks/", "/../pyproject.toml", "/none.html"])
def test_what_is_no_page_is_not_handed_out(served, path):
    with pytest.raises(HTTPError) as error:
        urlopen(served + path)
    assert error.value.code == 404
    error.value.close()


def test_only_this_machine_is_answered(folder):
    with book_server(folder, 50_000) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_ports_run_out(folder, monkeypatch):
    monkeypatch.setattr(book, "PORTS", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use; name another with --port"):
            book_server(folder, port)
