"""Compiled inner loops against the plain ones: one layer under S-TLLR or e-prop, for many sizes.

Each size is a layer with a given learning signal that all steps learn from. Both kinds of loops run in turn, A B A B,
and the number is the median of the ratios of neighbours, which a busy machine disturbs least: of processor time on
one thread, of elapsed time on two. `ratio` is the median on one thread over the sizes for which `kernels.choice` takes
the compiled loops.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import nn

from workbench.kernels import NUMBA, TORCH, Kernels
from workbench.networks import SpikingLayer, SpikingMLP, layer_kernels
from workbench.neurons import Factors, Neuron, triangle
from workbench.rules import eprop, stllr

NEURON, FACTORS = Neuron(0.8, 1.0), Factors(0.5, 0.8, -0.5, 1.0)


class Case(NamedTuple):
    """A layer and its input: inputs (channels of 16 × 16 images for a convolution), outputs, samples, steps in all and
    in a piece, and which part of the inputs spikes."""

    kind: str
    n_in: int
    n_out: int
    batch: int
    steps: int = 16
    chunk: int = 16
    rate: float = 0.03

    def __str__(self) -> str:
        pieces = "" if self.chunk == self.steps else f" in pieces of {self.chunk}"
        return f"{self.kind} {self.n_in}–{self.n_out}, B = {self.batch}, T = {self.steps}{pieces}, {self.rate:.0%}"


CASES = (
    *(Case("dense", n, n, batch) for n in (16, 64, 256, 1024) for batch in (1, 8, 64)),
    *(Case("dense", 578, 200, 64, 20, chunk, rate) for chunk in (1, 4, 20) for rate in (0.03, 0.11, 0.4)),
    *(Case("dense", 700, 450, 32, 32, 32, rate) for rate in (0.01, 0.03, 0.12)),
    *(Case("recurrent", n, n, batch) for n in (16, 64, 256, 512) for batch in (1, 8, 64)),
    Case("recurrent", 128, 100, 40, 60, 15, 0.1),
    Case("recurrent", 700, 450, 32, 32, 32),
    *(Case("convolution", n, n, batch, 4, 4) for n in (2, 16, 64) for batch in (1, 8)),
    *(Case("convolution", 16, 32, 8, 4, 4, rate) for rate in (0.01, 0.1, 0.3)),
    *(Case("e-prop", n, n, batch) for n in (8, 32, 128) for batch in (1, 8, 32)),
)


class Ratio(NamedTuple):
    """Median of plain / compiled over neighbours, and the median milliseconds of compiled."""

    gain: float
    milliseconds: float


def batch_of(case: Case, kernels: Kernels) -> Callable[[], object]:
    """One batch with these loops."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    images = case.kind == "convolution"
    shape = (case.steps, case.batch, case.n_in, *((16, 16) if images else ()))
    x = (torch.rand(shape, generator=generator) < case.rate).float()
    if case.kind == "e-prop":
        net = SpikingMLP([case.n_in, case.n_out], 2, NEURON, triangle, False, readout_decay=0.9, recurrent=True)
        y = torch.zeros(case.batch, dtype=torch.long)
        return partial(eprop.gradients, net, x, y, eprop.EProp(kernels=kernels))
    layer = layer_of(case)
    outputs = (case.steps, case.batch, case.n_out, *shape[3:])
    delta = torch.randn(outputs, generator=generator)
    return partial(stllr.teach_layer, layer, x, delta, stllr.STLLR(FACTORS, chunk=case.chunk, kernels=kernels))


def layer_of(case: Case) -> SpikingLayer:
    """The layer alone; about one neuron in ten fires."""
    dense = nn.Linear(case.n_in, case.n_out)
    connection = nn.Conv2d(case.n_in, case.n_out, 3, padding=1) if case.kind == "convolution" else dense
    layer = SpikingLayer(connection, NEURON, triangle, False, recurrent=case.kind == "recurrent")
    with torch.no_grad():
        nn.init.constant_(layer.connection.bias, 0.15)  # pyright: ignore
        if layer.recurrent is not None:
            layer.recurrent.weight.mul_(0.3)
    return layer


def takes_compiled(case: Case) -> bool:
    """What `kernels.choice` says of this layer."""
    x = torch.zeros(1, case.batch, case.n_in, *((16, 16) if case.kind == "convolution" else ()))
    if case.kind == "e-prop":
        return eprop.synapse_kernels(layer_of(case), x) is NUMBA
    return layer_kernels(layer_of(case), x) is NUMBA


def ratio(plain: Callable[[], object], compiled: Callable[[], object], threads: int, seconds: float = 0.4) -> Ratio:
    """Both in turn, A B A B, for about `seconds`."""
    clock, ratios, times = time.process_time if threads == 1 else time.perf_counter, [], []
    torch.set_num_threads(threads)
    plain()
    compiled()
    end = time.perf_counter() + seconds
    while len(ratios) < 5 or time.perf_counter() < end:
        pair = []
        for run in (plain, compiled):
            started = clock()
            run()
            pair.append(clock() - started)
        ratios.append(pair[0] / pair[1])
        times.append(pair[1])
    torch.set_num_threads(1)
    return Ratio(statistics.median(ratios), 1e3 * statistics.median(times))


def speed(cases: tuple[Case, ...] = CASES, seconds: float = 0.4) -> dict[str, object]:
    """Plain seconds divided by compiled seconds of every size, on one thread and on two."""
    table, chosen = {}, []
    for case in cases:
        runs = batch_of(case, TORCH), batch_of(case, NUMBA)
        one, two = (ratio(*runs, threads, seconds) for threads in (1, 2))
        taken = takes_compiled(case)
        table[str(case)] = {"chosen": taken, "one_thread": one.gain, "two_threads": two.gain, "ms": one.milliseconds}
        chosen += [one.gain] * taken
    return {"name": "kernels", "peer": "plain loops", "ratio": statistics.median(chosen), "sizes": table}


BENCHMARKS = {"kernels": speed}
