"""`workbench app`: the app in the browser."""

import argparse
from pathlib import Path
from typing import Any

from workbench.cli.parser import add_command, whole
from workbench.cli.serve import need, serve


def add(commands: Any) -> None:
    """Its options."""
    examples = (
        "",
        "--dark --port 9000",
        "--notebook notebooks/03_s_tllr_events.ipynb",
        "--address 0.0.0.0 --public --places 20",
    )
    parser = add_command(commands, "app", app, "open the app in the browser (Voila)", examples)
    port = whole("a port", 1, 65535)
    parser.add_argument("--port", type=port, default=8866, help="port to listen on (default 8866)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--notebook", type=Path, metavar="FILE", help="serve this notebook instead of the app")
    parser.add_argument("--dark", action="store_true", help="dark theme")
    parser.add_argument("--address", default="127.0.0.1", help="interface to listen on (default: this machine only)")
    parser.add_argument(
        "--public", action="store_true", help="let strangers in: budgets, no robots, /healthz, /metrics"
    )
    places = whole("the number of places", 1)
    parser.add_argument("--places", type=places, metavar="N", help="visitors at once (default 40, public 30)")
    parser.add_argument("--base-url", default="/", metavar="PATH", help="path under which the app lives")
    parser.add_argument("--host", action="append", default=[], metavar="NAME", help="another name of this server")
    parser.add_argument("--behind-proxy", action="store_true", help="believe a proxy in front about TLS")


def app(arguments: argparse.Namespace) -> int:
    """Serve the app until it is interrupted."""
    from workbench.serving import app_command

    notebook: Path | None = arguments.notebook
    if notebook is not None and not notebook.is_file():
        raise ValueError(f"there is no notebook {notebook}; name a file that ends with .ipynb")
    need("voila")
    command = app_command(
        arguments.port,
        notebook=None if notebook is None else notebook.resolve(),
        dark=arguments.dark,
        browser=not arguments.no_browser,
        address=arguments.address,
        public=arguments.public,
        places=arguments.places,
        base_url=arguments.base_url,
        hosts=arguments.host,
        behind_proxy=arguments.behind_proxy,
    )
    return serve(command)
