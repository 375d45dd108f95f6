"""Many runs at once: what to sweep, who runs it, and what the small files say afterwards."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.sweeps.cell import (
        Cell,
        cell_path,
        numbers,
        read_cell,
        read_cells,
        run_cell,
        settings_hash,
        write_cell,
    )
    from workbench.sweeps.engine import Done, missing, processes, serial, sweep
    from workbench.sweeps.machine import made_by
    from workbench.sweeps.spec import cells, read_spec

__all__ = [
    "Cell",
    "Done",
    "cell_path",
    "cells",
    "made_by",
    "missing",
    "numbers",
    "processes",
    "read_cell",
    "read_cells",
    "read_spec",
    "run_cell",
    "serial",
    "settings_hash",
    "sweep",
    "write_cell",
]

lazy(__name__)
