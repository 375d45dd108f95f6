"""The fine-tuning experiment, what its pictures are computed from, and its command line."""

import json
from copy import deepcopy
from importlib import import_module

import pytest
import torch
import torch.nn.functional as F

from workbench.cli.main import main
from workbench.compression.memory import kept_by_formula
from workbench.experiments.fine_tuning import gradients, trained_parameters
from workbench.experiments.named import EXPERIMENTS
from workbench.experiments.new_clothes import LAYERS, new_clothes, with_checkpointing, with_hosvd, with_lance
from workbench.experiments.pretrained import KNOWN_CLASSES, NEW_CLASSES
from workbench.meters.timeline import network_tensors, saved_bytes

pytestmark = pytest.mark.usefixtures("unchecked")


@pytest.fixture(scope="module")
def prepared():
    return new_clothes()


@pytest.fixture
def task(prepared):
    """Networks of its own for each test, as they are before the first step."""
    return prepared._replace(whole=deepcopy(prepared.whole), network=deepcopy(prepared.network))


def test_old_and_new_classes_are_different():
    assert sorted(KNOWN_CLASSES + NEW_CLASSES) == list(range(10))


def test_the_network_without_its_trunk_learns_the_same(task):
    rows = torch.arange(0, 2000, 100)
    for network, data in ((task.whole, task.images), (task.network, task.data)):
        gradients(network, *data.train.batch(rows))
    for one, other in zip(trained_parameters(task.whole), trained_parameters(task.network), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)


def test_lance_keeps_at_least_25_times_less_by_formula_and_by_hooks(task):
    x, y = task.images.train.batch(torch.arange(0, 2000, 32)[:64])
    batches = [task.images.train.images[k::40] for k in range(4)]
    kept = [
        saved_bytes(lambda n=network: gradients(n, x, y), [*network_tensors(network), x, y])
        for network in (task.whole, with_lance(task.whole, batches, 0.7))
    ]
    assert kept[0] > 25 * kept[1]
    table = kept_by_formula(with_lance(task.network, task.calibration(), 0.7), 64)
    assert [row.layer for row in table] == list(LAYERS)
    assert sum(row.input_bytes for row in table) > 25 * sum(row.kept_bytes for row in table)


def test_checkpointing_and_lance_compute_the_same_outputs(task):
    x, y = task.data.train.batch(torch.arange(0, 2000, 250))
    expected = task.network(x)
    for version in (with_lance, with_checkpointing, with_hosvd):
        network = version(task.network, task.calibration()[:2], 0.7)
        assert torch.allclose(network(x), expected, atol=1e-5)
    exact = torch.autograd.grad(F.cross_entropy(expected, y), trained_parameters(task.network))
    network = with_checkpointing(task.network, [], 0.7)
    ours = torch.autograd.grad(F.cross_entropy(network(x), y), trained_parameters(network))
    torch.testing.assert_close(ours, exact, rtol=1e-4, atol=1e-6)


def test_every_rule_of_the_command_line_learns_from_a_few_images(tmp_path, monkeypatch, capsys):
    """All start from the same network; backpropagation and checkpointing are exact, and LANCE and HOSVD keep least."""
    few = new_clothes(every=10)
    monkeypatch.chdir(tmp_path)
    transfer = import_module("workbench.experiments.new_clothes")  # the face has the function of that name
    monkeypatch.setattr(transfer, "new_clothes", lambda seed, every: few._replace(network=deepcopy(few.network)))
    results = {}
    for rule in EXPERIMENTS["fine-tune-fashion"].rules:
        assert main(["train", "fine-tune-fashion", "--rule", rule, "--epochs", "2", "--json"]) == 0
        (line,) = capsys.readouterr().out.splitlines()
        results[rule] = json.loads(line)
        assert results[rule]["rule"] == rule
        assert results[rule]["accuracy"] > 0.4  # of four classes
        assert (tmp_path / results[rule]["checkpoint"]).is_file()
    assert set(results) == {"lance", "bp", "hosvd", "checkpointing"}
    assert results["checkpointing"]["loss"] == pytest.approx(results["bp"]["loss"], abs=1e-3)
    kept = {rule: result["saved_bytes"] for rule, result in results.items()}
    assert kept["lance"] < 400_000
    assert max(kept["lance"], kept["hosvd"]) < kept["checkpointing"] < kept["bp"]
