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
    from workbench.sweeps.pages import Results, filled, read_results, table_text
    from workbench.sweeps.papers import Answer, Ours, Paper, PaperRow, answer, read_papers
    from workbench.sweeps.spec import cells, read_spec
    from workbench.sweeps.statistics import Paired, Summary, paired, summary
    from workbench.sweeps.table import Compared, Row, compared, pairs_of, rows_of
    from workbench.sweeps.values import Asked, Metric, values_of

__all__ = [
    "Answer",
    "Asked",
    "Cell",
    "Compared",
    "Done",
    "Metric",
    "Ours",
    "Paired",
    "Paper",
    "PaperRow",
    "Results",
    "Row",
    "Summary",
    "answer",
    "cell_path",
    "cells",
    "compared",
    "filled",
    "made_by",
    "missing",
    "numbers",
    "paired",
    "pairs_of",
    "processes",
    "read_cell",
    "read_cells",
    "read_papers",
    "read_results",
    "read_spec",
    "rows_of",
    "run_cell",
    "serial",
    "settings_hash",
    "summary",
    "sweep",
    "table_text",
    "values_of",
    "write_cell",
]

lazy(__name__)
