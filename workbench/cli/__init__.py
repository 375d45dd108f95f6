"""The program `workbench`: one file per command."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.cli.main import build_parser, main

__all__ = [
    "build_parser",
    "main",
]

lazy(__name__)
