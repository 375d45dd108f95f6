"""`make book`: the book as pages that need no server and no network, in build/book/html.

    python docs/book/build.py            what has changed since the last time
    python docs/book/build.py --fresh    everything

Warnings are errors: a link that leads nowhere, a page that no table of contents names, a formula that cannot be read.
"""

import argparse
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

from launch import repository, write_copies  # noqa: E402
from sphinx.cmd.build import build_main  # noqa: E402  # pyright: ignore[reportMissingImports]
from staging import stage  # noqa: E402


def build(to: Path, fresh: bool = False) -> int:
    """Build the book into the folder `to`; return 0, or what Sphinx returns when it fails."""
    if fresh:
        shutil.rmtree(to, ignore_errors=True)
    address = repository((ROOT / "pyproject.toml").read_text("utf-8"))
    stage(to / "source", address)
    options = ["-b", "html", "-W", "--keep-going", "-q", "-c", str(HERE), "-d", str(to / "doctrees")]
    if failed := build_main([*options, str(to / "source"), str(to / "html")]):
        return failed
    write_copies(to / "html" / "launch", address)
    return 0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "book", help="folder (default build/book)")
    parser.add_argument("--fresh", action="store_true", help="begin anew")
    arguments = parser.parse_args()
    failed = build(arguments.to.resolve(), arguments.fresh)
    if not failed:
        print(f"the book is in {arguments.to / 'html'}: open index.html there, or type: workbench book")
    return failed


if __name__ == "__main__":
    sys.exit(main())
