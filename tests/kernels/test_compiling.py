"""What a compiled loop is asked before it runs: wrong sizes are refused, not written to somebody else's memory."""

import inspect
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from workbench.kernels.plain import Weighing
from workbench.kernels.sparse import SpikeList
from workbench.neurons.lif import Neuron, soft_reset

pytest.importorskip("numba")
NUMBA = pytest.importorskip("workbench.kernels.compiled").NUMBA
compiling = pytest.importorskip("workbench.kernels.compiling")


def events(columns=(0, 2), row_starts=(0, 1, 2), values=(1.0, 1.0), width=3):
    return SpikeList(torch.tensor(columns), torch.tensor(row_starts), torch.tensor(values), width)


def zeros(*shapes):
    return [torch.zeros(shape) for shape in shapes]


WEIGHING, CONVOLUTION = Weighing(0.5, 1.0, 1.0), nn.Conv2d(2, 3, 3, padding=1)
NOTHING = torch.zeros(3, 4, 1)
WRONG = {
    "find_events of a vector": ("find_events", zeros(5)),
    "find_events of images": ("find_events", zeros((2, 3, 4))),
    "a gradient with too few columns": ("add_outer", [torch.zeros(2, 4), events(), torch.zeros(2, 4)]),
    "a gradient of another width": ("add_outer", [torch.zeros(3, 3), events(), torch.zeros(2, 4)]),
    "fewer rows of g than of events": ("add_outer", [torch.zeros(3, 4), events(), torch.zeros(1, 4)]),
    "fewer values than events": ("add_outer", [torch.zeros(3, 4), events(values=(1.0,)), torch.zeros(2, 4)]),
    "a column outside": ("add_outer", [torch.zeros(3, 4), events(columns=(0, 3)), torch.zeros(2, 4)]),
    "a negative column": ("add_outer", [torch.zeros(3, 4), events(columns=(-1, 2)), torch.zeros(2, 4)]),
    "row starts that fall": ("add_outer", [torch.zeros(3, 4), events(row_starts=(0, 5, 2)), torch.zeros(2, 4)]),
    "row starts past the end": ("add_outer", [torch.zeros(3, 4), events(row_starts=(0, 1, 9)), torch.zeros(2, 4)]),
    "u⁺ of fewer neurons": ("fire", [torch.zeros(2, 3, 4), Neuron(), soft_reset, torch.zeros(3, 3)]),
    "u⁺ of fewer samples": ("fire", [torch.zeros(2, 3, 4), Neuron(), soft_reset, torch.zeros(2, 4)]),
    "a recurrent weight too small": (
        "fire", [torch.zeros(2, 3, 4), Neuron(), soft_reset, torch.zeros(3, 4), torch.zeros(3, 3).T, torch.zeros(3, 4)]
    ),
    "last spikes of fewer samples": (
        "fire", [torch.zeros(2, 3, 4), Neuron(), soft_reset, torch.zeros(3, 4), torch.zeros(4, 4).T, torch.zeros(2, 4)]
    ),
    "recurrent images": (
        "fire", [torch.zeros(2, 3, 4, 1), Neuron(), soft_reset, NOTHING, torch.zeros(4, 4).T, NOTHING]
    ),
    "h of fewer neurons": ("run_h", [*zeros((5, 3, 4), (3, 3)), 0.5]),
    "psi of fewer steps": ("output_side", [*zeros((5, 3, 4), (4, 3, 4), (5, 3, 4)), WEIGHING]),
    "h with a step too many": ("output_side", [*zeros((5, 3, 4), (5, 3, 4), (6, 3, 4)), WEIGHING]),
    "psi of fewer neurons": ("filter_synapses", [*zeros((2, 3, 4), (2, 2), (2, 4)), 0.5]),
    "q of fewer inputs": ("filter_synapses", [*zeros((2, 3, 4), (2, 3), (2, 3)), 0.5]),
    "traces without samples": ("filter_synapses", [*zeros((3, 4), (2, 3), (2, 3)), 0.5]),
    "a signal of fewer samples": ("weigh_synapses", zeros((1, 3), (2, 3, 4))),
    "images with a channel too many": ("convolve", [CONVOLUTION, *zeros((2, 3, 5, 5), (3, 2, 3, 3), 3)]),
    "one image alone": ("convolve", [CONVOLUTION, *zeros((2, 5, 5), (3, 2, 3, 3), 3)]),
    "a filter of another size": ("convolve", [CONVOLUTION, *zeros((2, 2, 5, 5), (3, 2, 9, 9), 3)]),
    "a bias of fewer outputs": ("convolve", [CONVOLUTION, *zeros((2, 2, 5, 5), (3, 2, 3, 3), 1)]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), WRONG.values(), ids=WRONG)
@torch.no_grad()
def test_a_wrong_shape_is_refused(name, arguments):
    loop = inspect.unwrap(getattr(NUMBA, name))  # without the checks that the test run adds
    with pytest.raises(ValueError, match=r"must have|do not describe"):
        loop(*arguments)


def test_an_error_quotes_what_came():
    with pytest.raises(ValueError, match=r"psi must have the shape \(2, 3\) here, got \(2, 2\)"):
        inspect.unwrap(NUMBA.filter_synapses)(*zeros((2, 3, 4), (2, 2), (2, 4)), 0.5)


def test_an_image_smaller_than_the_filter_is_left_to_the_library():
    with torch.no_grad(), pytest.raises(RuntimeError, match="Kernel size"):
        NUMBA.convolve(nn.Conv2d(1, 1, 3), *zeros((1, 1, 2, 2), (1, 1, 3, 3), 1))


def test_without_a_folder_to_write_each_process_compiles_its_own(monkeypatch):
    from numba.core.caching import CacheImpl

    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert compiling.compiled(lambda x: x + 1)(2) == 3


BOUNDS = """
import torch
from workbench.kernels.compiled import NUMBA
from workbench.kernels.plain import Weighing
from workbench.neurons.lif import Neuron, soft_reset

torch.manual_seed(0)
with torch.no_grad():
    for n in (1, 8, 9):
        x = (torch.rand(5, 3, n) < 0.4).float()
        events = NUMBA.find_events(x.flatten(0, 1), 1.0)
        NUMBA.add_outer(torch.zeros(n, 7), events, torch.rand(15, 7))
        NUMBA.fire(torch.rand(5, 3, n), Neuron(), soft_reset, x[0])
        NUMBA.fire(torch.rand(5, 3, n), Neuron(), soft_reset, x[0], torch.rand(n, n).T, x[1])
        NUMBA.run_h(x, x[0], 0.5)
        NUMBA.output_side(x, x, x, Weighing(0.5, 1.0, 1.0))
        NUMBA.weigh_synapses(x[0], NUMBA.filter_synapses(torch.zeros(3, n, n), x[0], x[1], 0.5))
    for size, padding in ((3, 1), (1, 0), (5, 2), ((2, 3), (0, 2))):
        connection = torch.nn.Conv2d(2, 4, size, padding=padding)
        images = (torch.rand(3, 2, 7, 6) < 0.1).float()
        NUMBA.convolve(connection, images, connection.weight, connection.bias)
"""


@pytest.mark.slow
def test_no_index_lies_outside(tmp_path):
    """With numba's own checks, which the compiled code otherwise leaves out."""
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", BOUNDS], check=True, env=environment)
