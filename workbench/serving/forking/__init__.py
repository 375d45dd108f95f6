"""Kernels forked from a process that has imported everything already: they share its memory and are there at once."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.serving.forking.forkserver import Forkserver
    from workbench.serving.forking.provisioner import AppProvisioner, can_fork, use_for_kernels

__all__ = [
    "AppProvisioner",
    "Forkserver",
    "can_fork",
    "use_for_kernels",
]

lazy(__name__)
