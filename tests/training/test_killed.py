"""A run that is killed again and again ends with the numbers of one that never was. Twenty kills in all."""

import os
import subprocess
import sys

import pytest
import torch

from workbench.training.checkpoint import load_checkpoint

# The parent prepares the run once and starts children, each of which goes on from the checkpoint and tells each record;
# the parent reads so many, kills the child wherever it stands by then, in a step or while it writes, starts the next.
KILLS = """
import os, random, signal, sys
from pathlib import Path
import torch
from workbench.experiments.named import EXPERIMENTS
from workbench.data.split import Split
from workbench.experiments.overrides import Subset, fewer_samples
from workbench.training import Plan, train

torch.set_num_threads(1)
name, rule, per_class, epochs, path, kills = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5]), Path(sys.argv[5]), 5
chosen, chance = EXPERIMENTS[name], random.Random(1)
setting = chosen.prepare(chosen.rules[rule], 0)
if chosen.tasks is None:
    data = fewer_samples(setting.data, per_class)
    data = Split(data.train, Subset(data.test, torch.arange(20)), data.classes)
    setting = setting._replace(data=data, batch_size=8)
else:
    few = {"train_x": 5 * per_class, "train_y": 5 * per_class, "test_x": 20, "test_y": 20}
    tasks = [
        task._replace(**{name: getattr(task, name)[:number] for name, number in few.items()})
        for task in setting.stream[:2]
    ]
    setting = setting._replace(stream=tasks, batch_size=8)

def run(path, tell):
    for record in train(setting, Plan(epochs, loops="plain"), path, path.exists(), checkpoint_every=1):
        tell(record)
    return record

def child(path, tell):
    number = os.fork()
    if not number:
        run(path, tell)
        os._exit(0)
    return number

def ended_well(number):
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0

assert ended_well(child(path.with_name("whole.safetensors"), lambda record: None))
for kill in range(kills):
    read, write = os.pipe()
    number = child(path, lambda record: os.write(write, b"."))
    os.close(write)
    for _ in range(chance.randrange(4)):
        assert os.read(read, 1), "the run was over before all kills; give it more steps"
    os.kill(number, signal.SIGKILL)
    os.close(read)
    assert not ended_well(number), "the run was over before all kills; give it more steps"
assert ended_well(child(path, lambda record: None))
print(*sorted(each.name for each in path.parent.iterdir()))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a kill that no process notices is a matter of POSIX systems")
@pytest.mark.parametrize(
    ("name", "rule", "per_class", "epochs"),
    [
        ("fashion-events", "stllr", 8, 3),
        ("sound", "stllr", 16, 3),
        ("lls-fashion", "lls-m", 8, 3),
        ("split-fashion", "ewc", 8, 3),
    ],
)
def test_killed_five_times(tmp_path, name, rule, per_class, epochs):
    command = [sys.executable, "-c", KILLS, name, rule, str(per_class), str(epochs), str(tmp_path / "run.safetensors")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.stdout == "run.safetensors whole.safetensors\n", done.stderr
    run, whole = (load_checkpoint(tmp_path / f"{each}.safetensors") for each in ("run", "whole"))
    assert same(run["network"]["tensors"], whole["network"]["tensors"])
    assert same(run["optimizer"], whole["optimizer"])
    assert same(run.get("method"), whole.get("method"))
    for state in (run, whole):
        for clock in ("seconds", "samples_per_second"):
            state["last"].pop(clock, None)
    assert run["last"] == whole["last"]


def same(one, other):
    """Whether two states are equal, to the last bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
