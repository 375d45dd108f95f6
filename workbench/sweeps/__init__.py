"""Many runs at once: what to sweep, who runs it, and what the small files say afterwards."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.shipped import results_folder
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
    from workbench.sweeps.frontier import Point, frontier
    from workbench.sweeps.machine import made_by
    from workbench.sweeps.pages import (
        Picture,
        Results,
        filled,
        picture_named,
        points_of,
        read_results,
        table_text,
    )
    from workbench.sweeps.papers import Answer, Ours, Paper, PaperRow, answer, read_papers, wanted
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
    "Picture",
    "Point",
    "Results",
    "Row",
    "Summary",
    "answer",
    "cell_path",
    "cells",
    "compared",
    "filled",
    "frontier",
    "made_by",
    "missing",
    "numbers",
    "paired",
    "pairs_of",
    "picture_named",
    "points_of",
    "processes",
    "read_cell",
    "read_cells",
    "read_papers",
    "read_results",
    "read_spec",
    "results_folder",
    "rows_of",
    "run_cell",
    "serial",
    "settings_hash",
    "summary",
    "sweep",
    "table_text",
    "values_of",
    "wanted",
    "write_cell",
]

lazy(__name__)
