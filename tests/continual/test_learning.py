"""The loop over a stream of tasks: every method, plateaus, records, and runs that go on as if they had not ended."""

import itertools

import pytest
import torch
from energies import SIZES
from tiny_streams import small, toy_stream
from torch import nn

from workbench.continual import learning
from workbench.continual.learning import Plateau, StreamRecord, StreamSetting, accuracies, accuracy_matrix, sgd
from workbench.continual.methods.a_gem import AGEM
from workbench.continual.methods.code_cl import CodeCL, CodeCLParams, uniform_mixing
from workbench.continual.methods.ewc import EWC
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.methods.gpm import GPM
from workbench.continual.methods.lance import LanceContinual, LanceContinualParams
from workbench.continual.methods.replay import Joint, Replay
from workbench.continual.methods.sgp import SGP
from workbench.continual.methods.trgp import TRGP
from workbench.continual.multihead import MultiHead, mlp
from workbench.experiments.streams import METHODS
from workbench.rule import StepReport
from workbench.training.checkpoint import load_checkpoint, save_checkpoint
from workbench.training.epochs import epoch_order
from workbench.training.loop import train
from workbench.training.score import ACCURACY
from workbench.training.setting import Plan, Trainable

pytestmark = pytest.mark.usefixtures("unchecked")

EVERY_METHOD = [FineTuning, Joint, Replay, AGEM, EWC, GPM, SGP, TRGP, CodeCL, LanceContinual]


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_every_method_learns_and_reports(method):
    records = list(train(StreamSetting(method(small()), toy_stream(), sgd(0.3), batch_size=8), Plan(epochs=12)))
    ends = [r for r in records if r.accuracies]
    assert [r.task for r in ends] == [0, 1, 2]
    assert [r.step for r in records] == list(range(180))
    assert [r.step for r in ends] == [59, 119, 179]
    assert {r.steps for r in records} == {180}
    assert [r.epoch for r in records[:7]] == [0, 0, 0, 0, 0, 1, 1]
    assert all(len(r.accuracies) == 3 for r in ends)
    seconds = [r.seconds for r in records]
    assert seconds == sorted(seconds)
    A = accuracy_matrix(records)
    assert A.shape == (3, 3)
    assert float(A.diagonal().mean()) > 0.85
    assert [r.state_bytes for r in ends] == sorted(r.state_bytes for r in ends)
    assert (ends[-1].state_bytes == 0) == (method is FineTuning)


def test_the_time_of_learning_is_that_of_work(monkeypatch):
    ticks = itertools.count()  # a clock that goes on by one whenever somebody looks at it
    monkeypatch.setattr("workbench.continual.learning.working_time", lambda: float(next(ticks)))
    method = FineTuning(small())
    records = list(train(StreamSetting(method, toy_stream(), sgd(0.3), batch_size=8), Plan(epochs=1)))
    assert records[-1].seconds == next(ticks) / 2  # it looks at the beginning and at the end of each piece of work
    assert records[-1].seconds >= len(records)


def test_what_is_held_out_are_the_tests_of_tasks_that_were_learned():
    record = StreamRecord(0, 0, 0, 1, 0.0, 0.0, 0, 0.0, 0, 0, 0, accuracies=(0.5, 1.0, 0.0))
    assert [record._replace(task=t).held_out_score for t in range(3)] == [0.5, 0.75, 0.5]
    assert record._replace(accuracies=None).held_out_score is None


def test_seeds_fix_everything():
    def run(seed):
        setting = StreamSetting(CodeCL(small()), toy_stream(), sgd(0.1), batch_size=8)
        return [record.loss for record in train(setting, Plan(2, seed))]

    assert run(0) == run(0) != run(1)


def test_divergence_names_the_layer():
    with pytest.raises(FloatingPointError, match=r"epoch 1 of task 0.*body\.1"):
        list(train(StreamSetting(FineTuning(small()), toy_stream(), sgd(1e30), batch_size=8), Plan(3)))


class Wandering(FineTuning):
    """Does not learn: every batch moves the head away from where it was, by the same step."""

    def __init__(self, network):
        super().__init__(network)
        self.heads, self.rates, self.samples = [], [], set()

    def learn(self, optimizer, x, y, task):
        with torch.no_grad():
            self.network.heads[0].weight[0] += 10.0  # from now on every answer is 0: no later epoch is better
        self.heads.append(self.network.heads[0].weight.detach().clone())
        self.rates.append(optimizer.param_groups[0]["lr"])
        self.samples |= {tuple(row) for row in x.tolist()}
        return StepReport(0.0, torch.zeros(len(y), 2), {}, 0)


@pytest.mark.parametrize(
    ("plateau", "epochs", "rates"),
    [
        # one good epoch, then two bad ones per halving: 1 → 0.5 → 0.25 < 0.3
        (Plateau(held_back=0.25, patience=1, factor=0.5, stop_below=0.3), 50, [1.0, 1.0, 1.0, 0.5, 0.5]),
        # the epochs end before the patience does
        (Plateau(held_back=0.25, patience=9), 3, [1.0, 1.0, 1.0]),
    ],
)
def test_plateau_keeps_the_best_weights_and_stops(plateau, epochs, rates):
    method = Wandering(small(1))
    records = list(train(StreamSetting(method, toy_stream(1), sgd(1.0), plateau=plateau, batch_size=30), Plan(epochs)))
    assert method.rates == rates
    assert records[-1].epoch == len(rates) - 1
    assert torch.equal(method.network.heads[0].weight, method.heads[0])
    assert not torch.equal(method.heads[1], method.heads[0])
    held_back = toy_stream(1)[0].train_x[epoch_order(40, 0, -1)[:10]]  # a quarter, never learned
    assert len(method.samples) == 30
    assert method.samples.isdisjoint(map(tuple, held_back.tolist()))


def test_accuracies_leave_the_network_in_training_mode():
    network = small()
    tests = [(task.test_x, task.test_y) for task in toy_stream()]
    expected = [(network(x, t).argmax(1) == y).float().mean().item() for t, (x, y) in enumerate(tests)]
    assert accuracies(network, tests) == pytest.approx(tuple(expected))
    assert network.training


@pytest.mark.parametrize("make", [GPM, SGP, TRGP, CodeCL, LanceContinual])
def test_methods_keep_nothing_before_the_first_task_has_ended(make):
    assert make(mlp([2, 2], SIZES)).kept_bytes() == 0


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


def test_a_checkpoint_of_a_finished_run_gives_its_last_record_again(tmp_path):
    path = tmp_path / "run.safetensors"
    *_, last = train(MAKERS["gpm"](), Plan(1), path)
    assert list(train(MAKERS["gpm"](), Plan(1), path, resume=True)) == [last]


def test_another_network_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    list(train(MAKERS["gpm"](), Plan(1), path))
    wider = StreamSetting(METHODS["gpm"](mlp([2] * 3, (10, 17, 8))), toy_stream(), sgd(0.3), 16)
    with pytest.raises(ValueError, match="holds another network"):
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


def seen_batches(setting, plan):
    """How many samples each step of the first task was given, while it learns."""
    sizes, learn = [], setting.method.learn
    setting.method.learn = lambda optimizer, x, y, task: sizes.append(len(y)) or learn(optimizer, x, y, task)
    list(train(setting._replace(stream=setting.stream[:1]), plan))
    return sizes


@pytest.mark.parametrize(
    ("size", "whole", "sizes"),
    [(16, False, [16, 16, 8]), (16, True, [16, 16]), (13, False, [13, 13, 13]), (50, True, [40]), (39, False, [39])],
)
def test_batches_are_whole_where_that_is_asked_for(size, whole, sizes):
    """Of 40 samples; a single sample is left out in any case, and where there is but one batch it is taken."""
    setting = MAKERS["fine-tuning"]()._replace(batch_size=size, whole_batches=whole)
    assert seen_batches(setting, Plan(1)) == sizes


def test_dropout_draws_what_belongs_to_the_seed_and_leaves_torchs_generator_alone():
    plans = (Plan(1, seed=1), Plan(1, seed=1), Plan(1, seed=2))
    settings = [MAKERS["dropout"]() for _ in plans]
    torch.manual_seed(99)
    ends = []
    for setting, plan in zip(settings, plans, strict=True):
        torch.rand(3)
        before = torch.get_rng_state()
        ends.append(list(train(setting, plan))[-1].loss)
        assert torch.equal(torch.get_rng_state(), before)
    assert ends[0] == ends[1] != ends[2]


def test_a_plateau_slows_down_and_brings_the_best_weights_back_at_the_end_of_the_task_only():
    """Scores by a script: the weights after each epoch are those of plain descent, those at the end are the best."""
    network = nn.Linear(1, 1, bias=False)
    moving = torch.optim.SGD(network.parameters(), lr=1.0)
    best, rates = learning._Best(network, Plateau(patience=1, stop_below=0.2)), []
    for epoch, score in enumerate([0.2, 0.6, 0.5, 0.6, 0.1, 0.0, 0.0, 0.0]):
        with torch.no_grad():
            network.weight.fill_(epoch)
        ended = best.reached(moving, score)
        assert network.weight.item() == epoch
        rates.append(moving.param_groups[0]["lr"])
        if ended:
            break
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125]
    best.restore()
    assert network.weight.item() == 1.0


@pytest.mark.parametrize("samples", [0, 1])
def test_a_task_without_a_batch_is_refused_before_anything_is_learned(samples):
    stream = toy_stream()
    stream[2] = stream[2]._replace(train_x=stream[2].train_x[:samples], train_y=stream[2].train_y[:samples])
    setting = StreamSetting(METHODS["gpm"](mlp([2] * 3, (10, 16, 8))), stream, sgd(0.3), plateau=Plateau())
    with pytest.raises(ValueError, match=rf"task 2 \('clouds 2'\) has {samples} training samples, which make no batch"):
        next(train(setting))


def test_a_second_head_with_too_few_outputs_is_refused():
    setting = StreamSetting(FineTuning(mlp([2, 1], (10, 8))), toy_stream(2), sgd(0.3))
    with pytest.raises(ValueError, match="has 2 classes, the network's head for it has 1 outputs"):
        next(train(setting))


@pytest.mark.filterwarnings("ignore:layer .* has nothing left to learn")
def test_a_task_for_which_nothing_is_left_says_so():
    network = mlp([2], (10, 6, 4))  # one head for all
    method = LanceContinual(network, LanceContinualParams(threshold=1.0, space=None))
    with pytest.raises(ValueError, match=r"task \d \('clouds \d'\) finds nothing that may learn.*lower threshold"):
        list(train(StreamSetting(method, toy_stream(5), sgd(0.3), batch_size=8), Plan(epochs=1)))


def test_closing_numbers_have_four_digits():
    rows = ((0.912345, 0.5, 0.5), (0.812345, 0.9, 0.5), (0.701212, 0.823456, 0.654321))
    record = StreamRecord(2, 0, 8, 9, 0.1, 0.2, 10, 1.23456, 20, 30, 40, rows)
    assert record.totals(ACCURACY) == {
        "accuracy": 0.7263,
        "acc": 0.7263,
        "bwt": -0.1438,
        "forgetting": 0.1438,
        "tasks": 3,
        "seconds": 1.23,
        "peak_state_bytes": 30,
        "saved_bytes": 40,
    }
