"""The cells of a sweep on the workers of a Dask scheduler (`distributed`, the extra `sweep`).

Every cell is a task of its own, which any worker may take. A worker that dies costs its task only: the scheduler gives
it to another one. A scheduler that dies and comes back under its address is asked again for the cells that are left.

    dask scheduler                                       on one machine; it prints its address
    dask worker tcp://HOST:8786 --nthreads 1             on each of the others, as often as it has cores
    workbench sweep SPEC --scheduler tcp://HOST:8786

Workers import this package and read data from their own data folder; results come back to whoever asked. With
`dask-jobqueue` (SLURM, PBS, …) or `dask-kubernetes` the cluster is made in a few lines of Python, and its
`scheduler_address` is what `--scheduler` takes.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from importlib import import_module
from typing import Any

from workbench.sweeps.cell import Cell
from workbench.sweeps.engine import TRIES, Done, Engine, Train, attempted

WAIT = 30  # seconds for a scheduler to answer


def on_cluster(address: str | None = None, workers: int | None = None) -> Engine:
    """Cells on the scheduler at `address`, or on a cluster of this machine with so many `workers`.

    Raises ValueError where distributed is not installed, and OSError where no scheduler answers.
    """
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise ValueError(
            'Dask is not installed; type: pip install "local-learning-workbench[sweep]", or sweep with --processes'
        ) from None

    def run(cells: Sequence[Cell], train: Train) -> Iterator[Done]:
        if not cells:
            return
        if address is not None:
            yield from _until_done(distributed, cells, train, address)
            return
        with distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as cluster:
            yield from _until_done(distributed, cells, train, cluster.scheduler_address)

    return run


def _until_done(distributed: Any, cells: Sequence[Cell], train: Train, address: str) -> Iterator[Done]:
    """All cells, asking again when the scheduler was lost, at most so many times in a row without a result."""
    left, tries = dict.fromkeys(cells), 0
    while left:
        try:
            for done in _once(distributed, list(left), train, address):
                del left[done.cell]
                tries = 0
                yield done
        except (TimeoutError, OSError, CancelledError, asyncio.CancelledError) as error:
            tries += 1
            if tries >= TRIES:
                raise ConnectionError(
                    f"the scheduler at {address} does not answer ({type(error).__name__}); start it again, and the "
                    f"sweep goes on with the {len(left)} cells that are left"
                ) from None


def _once(distributed: Any, cells: Sequence[Cell], train: Train, address: str) -> Iterator[Done]:
    with distributed.Client(address, timeout=WAIT, set_as_default=False) as client:
        futures = {client.submit(attempted, train, cell, pure=False): cell for cell in cells}
        for future in distributed.as_completed(futures, loop=client.loop, raise_errors=False):
            if future.status == "finished":
                yield future.result()
            elif future.status == "cancelled":  # the scheduler forgot it
                raise ConnectionError("the scheduler was lost")
            else:
                yield Done(futures[future], None, f"its worker failed: {future.exception()}")
