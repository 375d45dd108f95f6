"""Cells that are trained in a moment, in any process that has this file on its path: for tests only."""

import os
from functools import partial
from pathlib import Path

from tiny import TINY

from workbench.experiments import named
from workbench.sweeps.cell import Cell, run_cell

CELLS = [Cell("tiny", rule, seed, 1) for seed in (0, 1) for rule in ("stllr", "bptt")]
UNSTEADY = CELLS[1]


def train(cell, folder=None):
    """Train a cell of `TINY`. With a folder, whoever is first to take `UNSTEADY` writes its number there and waits."""
    named.EXPERIMENTS = {"tiny": TINY}
    if folder is not None and cell == UNSTEADY and not (Path(folder) / "taken").exists():
        (Path(folder) / "part").write_text(str(os.getpid()))
        (Path(folder) / "part").rename(Path(folder) / "taken")
        with open(Path(folder) / "gate") as gate:  # a pipe that nobody writes to
            gate.read()
    return run_cell(cell)


def dying(cell, folder):
    """The same, but the process that is first to take `UNSTEADY` dies of it, as if memory had run out."""
    if cell == UNSTEADY and not (Path(folder) / "taken").exists():
        (Path(folder) / "taken").touch()
        os._exit(9)
    return train(cell)


def held(folder):
    """`train`, held at the gate in this folder."""
    os.mkfifo(folder / "gate")
    return partial(train, folder=str(folder))
