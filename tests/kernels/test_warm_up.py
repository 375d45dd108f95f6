"""Compiling ahead: in a thread, and until it has ended a run takes the plain loops."""

import threading

import pytest
import torch

from workbench.kernels import warm_up
from workbench.kernels.choice import Loops
from workbench.kernels.plain import TORCH
from workbench.kernels.warm_up import WarmUp, call_each, compile_all

pytest.importorskip("numba")


def test_a_run_takes_plain_loops_until_the_others_are_compiled(monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(warm_up, "compile_all", lambda stopped: gate.wait(60))
    warming = WarmUp()
    assert warming.loops() is Loops.PLAIN
    assert not warming.join(0)
    gate.set()
    assert warming.join(60)
    assert warming.loops() is Loops.COMPILED


def test_it_ends_where_there_is_no_numba(monkeypatch):
    monkeypatch.setattr(warm_up, "compiled_kernels", lambda: None)
    assert WarmUp().join(60)
    assert compile_all() is False


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_calls_every_loop(dtype):
    called = set()

    def watched(name):
        def run(*arguments):
            called.add(name)
            return getattr(TORCH, name)(*arguments)

        return run

    list(call_each(TORCH._make(map(watched, TORCH._fields)), dtype))
    assert called == set(TORCH._fields)


def test_it_draws_nothing_that_others_draw():
    """It runs in a thread of its own, while trainings draw their first weights from torch's one generator."""
    before = torch.get_rng_state()
    assert compile_all()
    assert torch.equal(torch.get_rng_state(), before)


def test_it_ends_between_two_loops_when_it_is_told_to():
    asked = []
    assert compile_all(stopped=lambda: bool(asked.append(1)) or len(asked) == 2)
    assert len(asked) == 2


def test_afterwards_nothing_is_left_to_compile():
    from workbench.kernels import compiled_convolution as convolution
    from workbench.kernels import compiled_filters, compiled_neurons, compiled_sparse, compiled_traces

    assert compile_all()
    for module in (convolution, compiled_filters, compiled_neurons, compiled_sparse, compiled_traces):
        loops = {name: loop for name, loop in vars(module).items() if hasattr(loop, "signatures")}
        inner = {name for loop in loops.values() for name in loop.py_func.__code__.co_names}
        entered = set(loops) - inner  # the others are parts of these
        assert entered
        assert [name for name in entered if not loops[name].signatures] == []
