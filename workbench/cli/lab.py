"""`workbench lab`: the notebooks in JupyterLab."""

import argparse
import sys
from pathlib import Path
from typing import Any

from workbench.cli.parser import add_command, whole
from workbench.cli.serve import need, serve

COPIES = Path("workbench-notebooks")  # where the notebooks of an installed package are copied to


def add(commands: Any) -> None:
    """Its options."""
    text = "open the notebooks in JupyterLab; with a FOLDER, copies of them there"
    examples = ("", "my-notebooks", "my-notebooks --no-browser --port 9000", "course --hub")
    parser = add_command(commands, "lab", lab, text, examples)
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        metavar="FOLDER",
        help="where to work: notebooks that it lacks are copied into it, those that it has stay as they are "
        f"(default: the checkout's own notebooks, and ./{COPIES} where the package is installed)",
    )
    port = whole("a port", 1, 65535)
    parser.add_argument("--port", type=port, default=8888, help="port to listen on (default 8888)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--hub", action="store_true", help="as the server of one user that a JupyterHub starts")
    parser.add_argument("--allow-root", action="store_true", help="let the administrator run it (containers)")


def lab(arguments: argparse.Namespace) -> int:
    """Serve the notebooks until it is interrupted."""
    from workbench.serving import hub_command, lab_command
    from workbench.shipped import notebooks_folder

    need("jupyterlab")
    source = notebooks_folder()
    installed = source.is_relative_to(Path(__file__).resolve().parents[1])
    folder: Path | None = arguments.folder or (COPIES if installed else None)
    if folder is not None:
        copied, kept = copy_missing(source, folder)
        print(f"{folder.resolve()}: {copied} notebooks copied, {kept} were there and stay", file=sys.stderr)
    folder = None if folder is None else folder.resolve()
    if arguments.hub:
        return serve(hub_command(folder or source, root=arguments.allow_root))
    command = lab_command(arguments.port, folder=folder, browser=not arguments.no_browser, root=arguments.allow_root)
    return serve(command)


def copy_missing(source: Path, folder: Path) -> tuple[int, int]:
    """Copy the notebooks that `folder` lacks; how many were copied, and how many were there. None is overwritten."""
    if folder.resolve() == source.resolve():
        return 0, len(list(source.glob("[!.]*.ipynb")))
    folder.mkdir(parents=True, exist_ok=True)
    copied = kept = 0
    for notebook in sorted(source.glob("[!.]*.ipynb")):
        content = notebook.read_bytes()
        try:
            with (folder / notebook.name).open("xb") as file:  # fails where the file is, whoever made it
                file.write(content)
            copied += 1
        except FileExistsError:
            kept += 1
    return copied, kept
