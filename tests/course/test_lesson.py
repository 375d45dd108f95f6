"""The frame of a notebook: profile, seed, threads, and the line at its end."""

import pytest
import torch

from workbench.course import lesson


@pytest.mark.parametrize(("profile", "chosen"), [(None, 3), ("quick", 3), ("full", 50)])
def test_the_profile_chooses(monkeypatch, profile, chosen):
    monkeypatch.delenv("WORKBENCH_PROFILE", raising=False)
    if profile:
        monkeypatch.setenv("WORKBENCH_PROFILE", profile)
    assert lesson.begin().choose(quick=3, full=50) == chosen


def test_an_unknown_profile_is_quoted(monkeypatch):
    monkeypatch.setenv("WORKBENCH_PROFILE", "slow")
    with pytest.raises(ValueError, match="one of quick, full, got 'slow'"):
        lesson.begin()


def test_everybody_sees_the_same_numbers():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.set_num_threads(2)
    lesson.begin(seed=7)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize(("memory", "told"), [(3 * 2**20, ", 3 MB at most"), (None, "")])
def test_the_end_tells_time_and_memory(monkeypatch, capsys, memory, told):
    monkeypatch.setattr(lesson.time, "perf_counter", lambda: 12.5)
    monkeypatch.setattr(lesson, "peak_memory", lambda: memory)
    lesson.Lesson("full", began=10.0).end()
    assert capsys.readouterr().out == f"full profile: 2.5 s{told}\n"
