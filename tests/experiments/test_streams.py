"""The named streams: what they hold, what a run of them reports, and what they say about wrong arguments."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.cli.main import main
from workbench.continual.learning import StreamRecord, accuracy_matrix, adam
from workbench.continual.multihead import mlp
from workbench.data.images import ImageSet
from workbench.data.split import Split
from workbench.experiments import streams
from workbench.experiments.experiment import prepare, start
from workbench.experiments.named import STREAMS
from workbench.experiments.streams import (
    METHODS,
    PERMUTED_FASHION,
    PERMUTED_FASHION_20,
    PERMUTED_MNIST,
    SPLIT_CIFAR100,
    SPLIT_FASHION,
)
from workbench.meters.kept import KeptBytes
from workbench.training.loop import train
from workbench.training.score import ACCURACY
from workbench.training.setting import Plan

pytestmark = pytest.mark.usefixtures("unchecked")


def record(rows, **numbers):
    told = {"state_bytes": 3, "seconds": 1.0, "saved_bytes": 10, "most_state_bytes": 9, "most_saved_bytes": 20}
    told |= {"task": len(rows) - 1, "epoch": 0, "step": 4, "steps": 5, "loss": 0.5, "score": 0.5} | numbers
    return StreamRecord(**told, rows=rows, accuracies=rows[-1])


def test_totals_are_the_numbers_of_the_matrix():
    last = record(((0.9, 0.5), (0.7, 0.8)), seconds=2.345)
    assert last.totals(ACCURACY) == {
        "accuracy": 0.75,
        "acc": 0.75,
        "bwt": -0.2,
        "forgetting": 0.2,
        "tasks": 2,
        "seconds": round(2.345, 2),
        "peak_state_bytes": 9,
        "saved_bytes": 20,
    }
    assert last.held_out_score == pytest.approx(0.75)
    assert record(((0.9, 0.5),)).held_out_score == 0.9  # of what was learned
    assert last.where(3) == "task 2, epoch 1/3"


def test_settings():
    permuted = prepare(PERMUTED_FASHION, "fine-tuning", 3, tasks=4)
    split = prepare(SPLIT_FASHION, "fine-tuning", 3, tasks=3)
    assert [len(permuted.stream), len(permuted.method.network.heads)] == [4, 1]
    assert [len(split.stream), len(split.method.network.heads)] == [3, 5]
    again, other = (prepare(PERMUTED_FASHION, "fine-tuning", seed) for seed in (3, 4))
    assert len(again.stream) == 10
    assert torch.equal(again.stream[3].test_x, permuted.stream[3].test_x)
    assert again.stream[3].name == permuted.stream[3].name == "Fashion-MNIST, pixels in order 3"
    more = prepare(PERMUTED_FASHION_20, "fine-tuning", 3).stream
    assert len(more) == len({task.test_x.numpy().tobytes() for task in more}) == 20
    assert all(torch.equal(one.test_x, same.test_x) for one, same in zip(again.stream, more, strict=False))
    weights = [setting.method.network.body[1].weight for setting in (permuted, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(other.stream[3].test_x, permuted.stream[3].test_x)
    assert not torch.equal(weights[0], weights[2])
    assert set(STREAMS) == {
        "permuted-fashion",
        "permuted-fashion-20",
        "permuted-mnist",
        "split-fashion",
        "split-cifar100",
        "event-tasks",
        "voice-tasks",
    }
    assert next(iter(METHODS)) == "code-cl"


def cut_of_cifar(folder):
    """Two pictures a class to train on and one to test with, of a grey that is the class."""
    parts = {"classes": np.array([f"c{k}" for k in range(100)])}
    for part, count in (("train", 2), ("test", 1)):
        labels = np.repeat(np.arange(100, dtype=np.uint8), count)
        files = []
        for label in labels:
            buffer = io.BytesIO()
            Image.new("RGB", (32, 32), (int(label), int(label) + 1, 90)).save(buffer, "PNG")
            files.append(buffer.getvalue())
        parts[f"{part}_bytes"] = np.frombuffer(b"".join(files), np.uint8)
        parts[f"{part}_offsets"] = np.cumsum([0, *map(len, files)])
        parts[f"{part}_labels"] = labels
    (folder / "cifar100").mkdir()
    np.savez(folder / "cifar100" / "cut.npz", **parts)


@pytest.mark.parametrize("rule", ["code-cl", "gpm", "instant+dfa+checkpoint"])
def test_permuted_mnist_is_read_from_the_data_folder(rule, monkeypatch):
    """Random digits in the place of MNIST; the rest is that of the embedded clothes."""
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 10
    part = ImageSet(generator.integers(0, 256, (40, 28, 28), np.uint8), labels)
    monkeypatch.setattr(streams, "mnist", lambda: Split(part, part, tuple("0123456789")))
    setting, clothes = (prepare(each, rule, 5, tasks=2) for each in (PERMUTED_MNIST, PERMUTED_FASHION))
    assert [task.name for task in setting.stream] == ["MNIST, pixels in order 0", "MNIST, pixels in order 1"]
    assert len(prepare(PERMUTED_MNIST, rule, 5).stream) == 10
    assert (setting.batch_size, setting.schedule) == (clothes.batch_size, clothes.schedule)
    orders, theirs = (each.stream.orders for each in (setting, clothes))
    assert all(torch.equal(one, other) for one, other in zip(orders, theirs, strict=True))
    *_, last = train(setting._replace(batch_size=20), Plan(1))
    assert len(last.rows) == 2
    assert 0 < last.loss < 20


@pytest.mark.parametrize("rule", ["code-cl", "lance"])
def test_split_cifar100_comes_from_a_folder(rule, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    cut_of_cifar(tmp_path)
    setting = prepare(SPLIT_CIFAR100, rule, 0, tasks=2)
    assert [task.train_x.shape for task in setting.stream] == [(20, 3, 32, 32)] * 2
    assert (setting.plateau, setting.whole_batches, len(setting.method.network.heads)) == (None, True, 10)
    assert setting.stream[1].train_y.unique().tolist() == list(range(10))
    assert next(train(setting, Plan(2))).loss > 1


@pytest.mark.parametrize("mix", ["instant+lls-m+lance+code-cl", "instant+dfa+checkpoint"])
def test_any_mix_learns_pictures_from_a_folder(mix, tmp_path, monkeypatch):
    """AlexNet as blocks, from the second task on in what the first left free."""
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    cut_of_cifar(tmp_path)
    setting = prepare(SPLIT_CIFAR100, mix, 0, tasks=2)
    *_, last = train(setting._replace(batch_size=10), Plan(1))
    assert len(last.rows) == 2
    assert 0 < last.loss < 30


def test_bytes_that_autograd_keeps_are_measured():
    """A step of the MLP keeps both hidden layers twice (before and after ReLU shares storage), and its log-softmax."""
    records = list(start(SPLIT_FASHION, "fine-tuning", epochs=1, tasks=1))
    setting, network = prepare(SPLIT_FASHION, "fine-tuning", 0, 1), mlp([2] * 5)
    x, y = setting.stream[0].train_x[:64], setting.stream[0].train_y[:64]
    with KeptBytes(*network.parameters(), x, y) as kept:
        loss = torch.nn.functional.cross_entropy(network(x, 0), y)
    assert loss.item() > 0
    assert {r.saved_bytes for r in records} == {kept.peak}


def test_code_cl_remembers_two_tasks():
    """Short runs of the real stream: what is learned stays, where fine-tuning loses it."""
    A = {rule: accuracy_matrix(start(SPLIT_FASHION, rule, epochs=2, tasks=3)) for rule in ("code-cl", "fine-tuning")}
    lost = {rule: float((a.diagonal() - a[-1])[:-1].mean()) for rule, a in A.items()}
    assert lost["code-cl"] < 0.03
    assert lost["fine-tuning"] > lost["code-cl"] + 0.05


@pytest.mark.parametrize(("stream", "tasks"), [(SPLIT_FASHION, 3), (PERMUTED_FASHION, 2)])
def test_lance_learns_and_remembers(stream, tasks):
    A = accuracy_matrix(start(stream, "lance", epochs=1, tasks=tasks))
    assert float((A.diagonal() - A[-1])[:-1].mean()) < 0.03
    assert float(A[-1, -1]) > 0.6


def test_lance_keeps_less_for_learning_than_gpm():
    saved = {rule: list(start(SPLIT_FASHION, rule, epochs=1, tasks=2))[-1].saved_bytes for rule in ("lance", "gpm")}
    assert saved["lance"] < saved["gpm"] / 2


@pytest.mark.parametrize("mix", ["instant+dfa+all+code-cl", "instant+lls-m+lance+gpm"])
def test_any_mix_learns_a_stream(mix):
    """Random feedback too, which plain SGD of the papers' rate lets diverge."""
    A = accuracy_matrix(start(SPLIT_FASHION, mix, epochs=2, tasks=2))
    assert float(A[0, 0]) > 0.85
    assert float(A[0, 0] - A[1, 0]) < 0.05
    assert next(start(PERMUTED_FASHION, mix, epochs=1, tasks=2)).loss < 5


def test_backpropagation_as_a_mix_is_fine_tuning():
    """Blocks with the heads of the tasks are the very same network, and Adam makes the steps of both."""
    names = ("fine-tuning", "instant+backprop")
    named, mixed = (prepare(SPLIT_FASHION, name, 0, 2) for name in names)
    A, B = (accuracy_matrix(train(setting._replace(optimizer=adam()), Plan(1))) for setting in (named, mixed))
    assert torch.equal(A, B)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rule", "x"], "no rule 'x'; it has code-cl"),
        (["--epochs", "0"], "epochs must be a whole number, at least 1, got 0"),
        (["--resume", "--checkpoint", "none.safetensors"], "no checkpoint at none.safetensors"),
    ],
)
def test_mistakes_are_one_clear_line(capsys, arguments, words):
    assert main(["train", "split-fashion", *arguments]) == (1 if "--resume" in arguments else 2)
    out, err = capsys.readouterr()
    assert words in err
    assert out == ""


def test_list_names_the_streams(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "permuted-fashion" in out
    assert (
        "rules: code-cl, fine-tuning, joint, gpm, replay, a-gem, ewc, sgp, trgp, lance; 5 epochs for each of 10 tasks"
        in out
    )


def test_a_finished_stream_gives_its_last_record_again_and_takes_no_more_epochs(tmp_path):
    path = tmp_path / "run.safetensors"
    *_, last = start(SPLIT_FASHION, "gpm", epochs=1, tasks=2, checkpoint=path)
    (again,) = start(SPLIT_FASHION, "gpm", epochs=1, tasks=2, checkpoint=path, resume=True)
    assert again == last
    with pytest.raises(ValueError, match="begun with epochs = 1, not 2; a stream goes on as it was planned"):
        next(start(SPLIT_FASHION, "gpm", epochs=2, tasks=2, checkpoint=path, resume=True))
