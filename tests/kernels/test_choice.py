"""Which loops a layer takes by itself: by device, precision and size, and by nothing that changes with time."""

import subprocess
import sys
import threading

import pytest
import torch
from torch import nn

from workbench.kernels import choice
from workbench.kernels.choice import SMALLEST, Loops, current_loops, kernels_for, taking
from workbench.kernels.plain import TORCH
from workbench.networks.layers import LeakyReadout, SpikingLayer, layer_kernels
from workbench.rules import eprop, ottt, stdp, stllr, tess

pytest.importorskip("numba")
NUMBA = pytest.importorskip("workbench.kernels.compiled").NUMBA


@pytest.fixture
def without_numba(monkeypatch):
    monkeypatch.setattr(choice, "numba_is_installed", lambda: False)
    monkeypatch.setattr(choice, "compiled_kernels", lambda: None)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_large_layers_on_the_cpu_take_the_compiled_loops(dtype):
    assert kernels_for(torch.zeros(1, dtype=dtype), SMALLEST) is NUMBA
    assert kernels_for(torch.zeros(1, dtype=dtype), SMALLEST - 1) is TORCH


@pytest.mark.parametrize("x", [torch.zeros(1, dtype=torch.float16), torch.zeros(1, device="meta")])
def test_other_precisions_and_devices_take_the_plain_ones(x):
    assert kernels_for(x, 10**9) is TORCH


def test_without_numba_the_plain_ones_are_taken(without_numba):
    assert current_loops() is Loops.PLAIN
    assert kernels_for(torch.zeros(1), 10**9) is TORCH
    with pytest.raises(ValueError, match="pip install numba"), taking(Loops.COMPILED):
        pass


def test_numba_that_cannot_be_imported_is_named_and_done_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "workbench.kernels.compiled", None)
    with pytest.warns(UserWarning, match="numba cannot be imported"):
        assert choice.compiled_kernels.__wrapped__() is None


def test_taking_holds_inside_and_for_its_own_thread():
    seen = []
    with taking(Loops.PLAIN):
        assert kernels_for(torch.zeros(1), SMALLEST) is TORCH
        thread = threading.Thread(target=lambda: seen.append(current_loops()))
        thread.start()
        thread.join()
    assert seen == [Loops.COMPILED]
    assert current_loops() is Loops.COMPILED


def test_layers_are_chosen_one_by_one():
    x = torch.zeros(3, 8, 100)
    assert layer_kernels(SpikingLayer(nn.Linear(100, 412)), x) is NUMBA
    assert layer_kernels(LeakyReadout(100, 10), x) is TORCH
    images = torch.zeros(3, 2, 4, 23, 23)
    assert layer_kernels(SpikingLayer(nn.Conv2d(4, 8, 3)), images) is NUMBA
    assert eprop.synapse_kernels(SpikingLayer(nn.Linear(100, 10)), x[:1]) is NUMBA  # a number for every synapse
    assert eprop.synapse_kernels(LeakyReadout(100, 10), x[:1]) is TORCH


def test_every_rule_that_has_loops_chooses_them_by_itself():
    parameters = (stllr.STLLR(), tess.TESS({}), ottt.OTTT(), stdp.STDP(), eprop.EProp())
    assert [each.kernels for each in parameters] == [None] * 5
    assert ottt.as_stllr(ottt.OTTT(kernels=NUMBA)).kernels is NUMBA


def test_rules_do_not_import_numba():
    code = "import sys, workbench.rules.stllr, workbench.rules.eprop; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
