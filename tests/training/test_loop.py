"""Training as a generator: seeds fix everything, a killed run resumes to the same numbers, divergence is named."""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_training import numbers, tiny_data, tiny_run

from workbench.kernels import choice
from workbench.kernels.choice import Loops, current_loops, taking
from workbench.networks.spiking import SpikingMLP, spiking_logits
from workbench.rules import bptt, stllr
from workbench.training.epochs import cosine_decay
from workbench.training.loop import train
from workbench.training.setting import Plan, Setting

pytestmark = pytest.mark.usefixtures("unchecked")


@pytest.mark.parametrize("rule", [stllr.gradients, bptt.gradients])
def test_learns_and_reports(rule):
    records = list(tiny_run(rule))
    assert len(records) == 9
    assert [r.held_out_score is not None for r in records] == 3 * [False, False, True]
    assert records[-1].held_out_score > 0.9
    assert records[-1].loss < records[0].loss < 1.5 * math.log(3)
    assert records[-1].state_bytes > 0
    assert records[-1].saved_bytes > 0


def test_seeds_fix_everything():
    assert numbers(tiny_run()) == numbers(tiny_run())
    assert numbers(tiny_run()) != numbers(tiny_run(seed=1))


@pytest.mark.parametrize("stopped_after", [1, 4, 8])
def test_resumed_run_equals_the_whole_run(tmp_path, stopped_after):
    path = tmp_path / "run.safetensors"
    whole = list(tiny_run())
    first = tiny_run(checkpoint=path, checkpoint_every=1)
    begun = [next(first) for _ in range(stopped_after + 1)]  # the last one is yielded before it is saved
    first.close()
    rest = list(tiny_run(checkpoint=path, checkpoint_every=1, resume=True))
    assert numbers(begun[:-1]) + numbers(rest) == numbers(whole)
    assert rest[-1].seconds > begun[-2].seconds  # time goes on


def test_a_run_settles_its_loops_at_the_start():
    pytest.importorskip("numba")
    seen = []

    def rule(network, x, y):
        seen.append(current_loops())
        return stllr.gradients(network, x, y)

    run = tiny_run(rule)
    with taking(Loops.PLAIN):
        first = next(run)
    rest = list(run)
    assert {record.loops for record in (first, *rest)} == set(seen) == {Loops.PLAIN}
    assert {record.loops for record in tiny_run()} == {Loops.COMPILED}
    assert current_loops() is Loops.COMPILED


def test_a_resumed_run_keeps_its_loops(tmp_path):
    pytest.importorskip("numba")
    path = tmp_path / "run.safetensors"
    with taking(Loops.PLAIN):
        first = tiny_run(checkpoint=path, checkpoint_every=1)
        begun = [next(first), next(first)]
    first.close()
    rest = list(tiny_run(checkpoint=path, resume=True))
    assert {record.loops for record in begun + rest} == {Loops.PLAIN}


def test_a_run_with_compiled_loops_is_not_resumed_without_numba(tmp_path, monkeypatch):
    pytest.importorskip("numba")
    path = tmp_path / "run.safetensors"
    first = tiny_run(checkpoint=path, checkpoint_every=1)
    next(first), next(first)
    first.close()
    monkeypatch.setattr(choice, "numba_is_installed", lambda: False)
    with pytest.raises(ValueError, match="pip install numba"):
        next(tiny_run(checkpoint=path, resume=True))


KILLED = """
import sys; sys.path[:0] = [{tests!r}]
from tiny_training import tiny_run
for record in tiny_run(checkpoint={path!r}, checkpoint_every=1):
    print(record.step, flush=True)
    input()
"""


def test_killed_run_resumes_to_the_same_numbers(tmp_path):
    """Killed when it has given its record of step 4 and waits, before it keeps that step."""
    path = tmp_path / "run.safetensors"
    code = KILLED.format(tests=str(Path(__file__).parents[1]), path=str(path))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        for step in range(5):
            assert process.stdout.readline() == f"{step}\n"
            process.stdin.write("\n" if step < 4 else "")
            process.stdin.flush()
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    rest = list(tiny_run(checkpoint=path, resume=True))
    assert [record.step for record in rest] == [4, 5, 6, 7, 8]
    assert numbers(rest) == numbers(tiny_run())[4:]
    assert list(tmp_path.iterdir()) == [path]


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    next(iter(tiny_run(checkpoint=path, checkpoint_every=1, label="rule stllr, seed 0")))
    list(tiny_run(checkpoint=path, label="rule stllr, seed 0"))
    with pytest.raises(ValueError, match=r"belongs to 'rule stllr, seed 0', not to 'rule bptt, seed 0'"):
        next(tiny_run(checkpoint=path, resume=True, label="rule bptt, seed 0"))


def changed(epochs, path=None, schedule=None, rate=1e-2, **options):
    """A tiny run of so many epochs; no schedule unless one is given."""
    torch.manual_seed(0)
    network = SpikingMLP([12, 16], classes=3)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    setting = Setting(network, optimizer, tiny_data(), stllr.gradients, spiking_logits, 16, schedule)
    return train(setting, Plan(epochs, **options), path, resume=path is not None and path.exists())


def test_a_run_that_is_over_gives_its_last_record_again(tmp_path):
    path = tmp_path / "run.safetensors"
    whole = list(changed(2, path))
    again = list(changed(2, path))
    assert again == whole[-1:]
    assert again[0].held_out_score is not None


def test_a_finished_run_goes_on_with_more_epochs_as_if_planned_so(tmp_path):
    path = tmp_path / "run.safetensors"
    first = numbers(changed(1, path))
    rest = numbers(changed(3, path))
    whole = numbers(changed(3))
    assert [r._replace(steps=9) for r in first] + rest == whole


def test_with_a_schedule_more_epochs_warn_and_take_the_rate_of_the_longer_run(tmp_path):
    path, rates = tmp_path / "run.safetensors", []

    def remembered(progress):
        rates.append(progress)
        return cosine_decay(progress)

    list(changed(1, path, remembered))
    with pytest.warns(UserWarning, match=r"follows the remembered over the whole run, .* planned for 1 epochs.*of 3"):
        list(changed(3, path, remembered))
    assert rates == [
        pytest.approx(step / steps) for step, steps in ((0, 3), (1, 3), (2, 3), *((s, 9) for s in range(3, 9)))
    ]


def test_fewer_epochs_than_are_done_are_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    list(changed(2, path))
    with pytest.raises(ValueError, match="has done 2 epochs already, more than the 1 asked for"):
        next(changed(1, path))


def test_another_order_of_samples_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    list(changed(1, path))
    with pytest.raises(ValueError, match="a run with seed 0, this one has 5"):
        next(changed(1, path, seed=5))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is a folder; name a file, such as"),
        ("file/run.safetensors", "cannot be written: .*name a file in a folder that you can write"),
        ("file/below/run.safetensors", "cannot be written"),
    ],
)
def test_a_checkpoint_that_cannot_be_written_is_found_before_the_first_step(tmp_path, name, words):
    (tmp_path / "file").write_text("in the way")
    steps = []

    def counted(network, x, y):
        steps.append(1)
        return stllr.gradients(network, x, y)

    with pytest.raises(OSError, match=words):
        next(tiny_run(counted, checkpoint=tmp_path / name))
    assert not steps
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_without_the_right_to_write_is_found_before_the_first_step(tmp_path, monkeypatch):
    def refused(path, content):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refused)
    with pytest.raises(PermissionError, match=r"run.safetensors cannot be written: Permission denied"):
        next(tiny_run(checkpoint=tmp_path / "run.safetensors"))
    assert not list(tmp_path.iterdir())
