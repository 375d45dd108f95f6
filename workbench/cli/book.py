"""`workbench book`: the built book in the browser."""

import argparse
import sys
import webbrowser
from typing import Any

from workbench.cli.parser import add_command, whole


def add(commands: Any) -> None:
    """Its options."""
    text = "open the book: notebooks with their pictures, rules, results, reference"
    parser = add_command(commands, "book", book, text, ("", "--no-browser --port 9000"))
    port = whole("a port", 1, 65535)
    parser.add_argument("--port", type=port, default=8870, help="port to listen on (default 8870)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def book(arguments: argparse.Namespace) -> None:
    """Serve the book until it is interrupted."""
    from workbench.serving import book_server
    from workbench.shipped import book_folder

    with book_server(book_folder(), arguments.port) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        print(f"the book is at {address} (Ctrl+C ends it)", file=sys.stderr, flush=True)
        if not arguments.no_browser:
            webbrowser.open(address)
        server.serve_forever()
