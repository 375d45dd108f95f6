"""Streams as runs: what a record says, and that a run which ended anywhere goes on as if it had not."""

import pytest
import torch
from tiny_streams import toy_stream
from torch import nn

from workbench.continual.learning import Plateau, StreamSetting, accuracy_matrix, sgd
from workbench.continual.methods.code_cl import CodeCL, CodeCLParams, uniform_mixing
from workbench.continual.multihead import MultiHead, mlp
from workbench.experiments.streams import METHODS
from workbench.training.checkpoint import load_checkpoint, save_checkpoint
from workbench.training.loop import train
from workbench.training.setting import Plan, Trainable

EPOCHS = 2


def mixing(network):
    """CODE-CL that mixes from the second task on, whatever ρ is."""
    return CodeCL(network, CodeCLParams(overlap=0.0, free_directions=2, initial_mixing=uniform_mixing))


def momentum(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)


def with_dropout():
    torch.manual_seed(4)
    body = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 8), nn.ReLU())
    return MultiHead(body, 8, [2] * 3)


MAKERS = {
    **{
        name: (lambda make=make: StreamSetting(make(mlp([2] * 3, (10, 16, 8))), toy_stream(), sgd(0.3), 16))
        for name, make in METHODS.items()
    },
    "one head": lambda: StreamSetting(METHODS["gpm"](mlp([2], (10, 16, 8))), toy_stream(), sgd(0.3), 16),
    "mixings": lambda: StreamSetting(mixing(mlp([2] * 3, (10, 16, 8))), toy_stream(), sgd(0.3), 16),
    "momentum": lambda: StreamSetting(METHODS["gpm"](mlp([2] * 3, (10, 16, 8))), toy_stream(), momentum, 16),
    "plateau": lambda: StreamSetting(
        METHODS["code-cl"](mlp([2] * 3, (10, 16, 8))),
        toy_stream(),
        sgd(0.3),
        16,
        Plateau(held_back=0.2, patience=0, factor=0.1, stop_below=0.02),
    ),
    "schedule": lambda: StreamSetting(
        METHODS["fine-tuning"](mlp([2] * 3, (10, 16, 8))), toy_stream(), sgd(0.3), 16, schedule=lambda done: 1 - done
    ),
    "dropout": lambda: StreamSetting(METHODS["code-cl"](with_dropout()), toy_stream(), sgd(0.3), 16),
}


def told(record):
    """What a record says, but for the seconds."""
    return record._replace(seconds=0.0)


@pytest.mark.parametrize("name", MAKERS)
def test_a_run_that_ends_anywhere_goes_on_as_if_it_had_not(name, tmp_path):
    """Ended after each of its steps in turn, and carried on from the file: the same records, to the last bit."""
    torch.manual_seed(9)
    plan, path = Plan(EPOCHS, seed=1), tmp_path / "run.safetensors"
    whole, states = [], []
    run = MAKERS[name]().begin(plan)
    for record in run.records():
        whole.append(told(record))
        save_checkpoint(path, run.state(), name)
        states.append(path.read_bytes())
    for step in range(len(whole) - 1) if name in ("code-cl", "mixings", "trgp") else (0, 3, 7, len(whole) - 2):
        path.write_bytes(states[step])
        again = MAKERS[name]().begin(plan)
        again.restore(load_checkpoint(path, name))
        assert [told(record) for record in again.records()] == whole[step + 1 :], f"ended after step {step}"


def test_train_writes_and_resumes(tmp_path):
    path, setting = tmp_path / "run.safetensors", MAKERS["replay"]
    whole = [told(record) for record in train(setting(), Plan(EPOCHS))]
    for record in train(setting(), Plan(EPOCHS), path, checkpoint_every=2):
        if record.step == 8:
            break
    rest = [told(record) for record in train(setting(), Plan(EPOCHS), path, resume=True)]
    assert rest == whole[8:]  # the file was written after step 7
    assert torch.equal(accuracy_matrix(rest), accuracy_matrix(whole))
    assert isinstance(setting(), Trainable)


def test_a_checkpoint_of_a_finished_run_has_nothing_left(tmp_path):
    path = tmp_path / "run.safetensors"
    list(train(MAKERS["gpm"](), Plan(1), path))
    assert list(train(MAKERS["gpm"](), Plan(1), path, resume=True)) == []


def test_another_network_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    list(train(MAKERS["gpm"](), Plan(1), path))
    wider = StreamSetting(METHODS["gpm"](mlp([2] * 3, (10, 17, 8))), toy_stream(), sgd(0.3), 16)
    with pytest.raises(ValueError, match="belongs to another network"):
        list(train(wider, Plan(1), path, resume=True))


def test_rows_and_held_out_numbers_come_with_the_last_step_of_a_task():
    records = list(train(MAKERS["fine-tuning"](), Plan(EPOCHS)))
    ends = [record for record in records if record.accuracies]
    assert [record.task for record in ends] == [0, 1, 2]
    assert ends[-1] is records[-1]
    assert [len(record.rows) for record in ends] == [1, 2, 3]
    assert records[0].rows == ()
    for record in ends:
        assert record.rows[-1] == record.accuracies
        assert record.held_out_score == pytest.approx(sum(record.accuracies[: record.task + 1]) / (record.task + 1))
        assert record.held_out_loss > 0
    assert all(record.held_out_score is None is record.held_out_loss for record in records if not record.accuracies)


@pytest.mark.parametrize("samples", [0, 1])
def test_a_task_without_a_batch_is_refused_before_anything_is_learned(samples):
    stream = toy_stream()
    stream[2] = stream[2]._replace(train_x=stream[2].train_x[:samples], train_y=stream[2].train_y[:samples])
    setting = StreamSetting(METHODS["gpm"](mlp([2] * 3, (10, 16, 8))), stream, sgd(0.3), plateau=Plateau())
    with pytest.raises(ValueError, match=rf"task 2 \('clouds 2'\) has {samples} training samples, which make no batch"):
        next(train(setting))
