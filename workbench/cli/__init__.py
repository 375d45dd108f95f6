"""The program `workbench`: one file per command."""

from workbench.cli.main import main

__all__ = ["main"]
