"""Two threads against one: each run has as many as it is measured with, and one is left to whoever comes after."""

import pytest
import torch

from bench import threads


def test_runs_have_one_and_two_threads_in_turn_and_one_afterwards():
    before, had = torch.get_num_threads(), []
    try:
        report = threads.report("threads-nothing", lambda: had.append(torch.get_num_threads()), lambda: None, repeats=2)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    assert had == [2, 1] * 3
    assert report["name"] == "threads-nothing"
    assert report["ratio"] > 0
    assert report["peer_gain"] > 0


def test_one_thread_is_left_when_a_run_fails():
    before = torch.get_num_threads()
    try:
        with pytest.raises(ZeroDivisionError):
            threads.in_threads(2, lambda: 1 // 0)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
