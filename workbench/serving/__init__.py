"""Voila, Lab and the hub as child processes."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.serving.allowance import SPEED, Allowance, Price, read_allowance, write_allowance
    from workbench.serving.book import BookServer, book_server
    from workbench.serving.commands import SERVED, app_command, hub_command, is_served, kernel_environment, lab_command
    from workbench.serving.frames import PROTOCOL, joined, parted
    from workbench.serving.process import free_port, running

__all__ = [
    "PROTOCOL",
    "SERVED",
    "SPEED",
    "Allowance",
    "BookServer",
    "Price",
    "app_command",
    "book_server",
    "free_port",
    "hub_command",
    "is_served",
    "joined",
    "kernel_environment",
    "lab_command",
    "parted",
    "read_allowance",
    "running",
    "write_allowance",
]

lazy(__name__)
