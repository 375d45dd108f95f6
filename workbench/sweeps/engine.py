"""Who runs the cells of a sweep: this process, several of its own, or the workers of a Dask scheduler.

Whoever trains only computes; the process that asked writes each file as it comes. So a sweep that is killed leaves
whole files, and goes on with the cells that have none; on one machine with what was trained of them, too. A cell's
numbers do not depend on who runs it: it takes its own generators and as many threads as it is told.
"""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from workbench.sweeps.cell import Cell, cell_path, check_cell, halfway_of, read_cell, run_cell, write_cell

FAILURES = (ValueError, ArithmeticError, OSError, RuntimeError)  # of a cell, which the other cells outlive
TRIES = 3  # of a cell whose process died under it


class Done(NamedTuple):
    """A cell that was trained: what came out, or in words why nothing did."""

    cell: Cell
    found: dict[str, Any] | None
    error: str = ""


Train = Callable[[Cell], dict[str, Any]]
Engine = Callable[[Sequence[Cell], Train], Iterator[Done]]  # in whatever order they end


def missing(cells: Iterable[Cell], folder: Path) -> list[Cell]:
    """The cells that have no file yet."""
    return [cell for cell in cells if not cell_path(folder, cell).is_file()]


def sweep(
    cells: Sequence[Cell],
    folder: Path,
    engine: Engine | None = None,
    device: str | None = None,
    threads: int = 1,
    tell: Callable[[Done, int, int], None] | None = None,
    halfway: bool = False,
) -> list[Done]:
    """Train the cells that have no file in `folder`, write each as it comes, and return all of them in their order.

    engine: `serial` when None. `tell(done, number, of)` is called after each. A cell that fails has its reason in
    words, no file, and does not stop the others.

    halfway: cells leave checkpoints in `folder`, and one that was killed goes on from there; for engines whose
    processes have this folder.
    """
    todo, done = missing(cells, folder), {}
    train = partial(run_cell, device=device, threads=threads, **({"keep": folder} if halfway else {}))
    for number, each in enumerate((engine or serial)(todo, train), 1):
        if each.found is not None:
            write_cell(folder, each.found)
            if halfway:
                halfway_of(check_cell(each.cell), folder, device).remove()
        done[each.cell] = each
        if tell is not None:
            tell(each, number, len(todo))
    return [done.get(cell) or Done(cell, read_cell(cell_path(folder, cell))) for cell in cells]


def attempted(train: Train, cell: Cell) -> Done:
    """Train a cell; a failure becomes words."""
    try:
        return Done(cell, train(cell))
    except FAILURES as error:
        return Done(cell, None, f"{type(error).__name__}: {error}")


def serial(cells: Sequence[Cell], train: Train) -> Iterator[Done]:
    """One cell after the other, in this process."""
    for cell in cells:
        yield attempted(train, cell)


def processes(number: int) -> Engine:
    """So many processes of this machine; a cell whose process died under it is tried again."""

    def run(cells: Sequence[Cell], train: Train) -> Iterator[Done]:
        left, tries = list(cells), dict.fromkeys(cells, 0)
        while left:
            broken: list[Cell] = []
            with ProcessPoolExecutor(number, multiprocessing.get_context("spawn")) as pool:
                futures = {pool.submit(attempted, train, cell): cell for cell in left}
                for future in as_completed(futures):
                    try:
                        yield future.result()
                    except BrokenProcessPool:
                        broken.append(futures[future])
            for cell in broken:
                tries[cell] += 1
            left = [cell for cell in broken if tries[cell] < TRIES]
            for cell in broken:
                if tries[cell] >= TRIES:
                    yield Done(cell, None, f"its process died {TRIES} times; look for what ends it, such as memory")

    return run
