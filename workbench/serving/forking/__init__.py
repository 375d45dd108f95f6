"""Kernels forked from a process that has imported everything already: they share its memory and are there at once."""
