"""Kernels forked from a process that has imported everything already: they share its memory and are there at once."""

__all__: list[str] = []  # reached by name: the kernel provisioner, and the parent as a program
