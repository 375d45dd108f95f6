"""The built book as pages of this machine: a folder of files on the loopback interface, and nothing that computes."""

import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORTS = 20  # that are tried, from the wanted one on


class BookServer(ThreadingHTTPServer):
    """Hands out the files of one folder."""

    allow_reuse_address = os.name == "posix"  # elsewhere it would share the port of another program
    daemon_threads = True


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody's visits are written down."""

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        """A folder without a page is none of the book's."""
        self.send_error(404, "There is no such page in the book")


def book_server(folder: Path, port: int) -> BookServer:
    """A server of the pages in `folder` on this machine, on the wanted port or the next that is free.

    Its `serve_forever` answers until it is interrupted. Raises OSError where twenty ports are taken.
    """
    for wanted in range(port, min(port + PORTS, 65536)):
        try:
            return BookServer(("127.0.0.1", wanted), partial(_Files, directory=str(folder)))
        except OSError:
            continue
    raise OSError(f"ports {port} to {min(port + PORTS, 65536) - 1} are in use; name another with --port")
