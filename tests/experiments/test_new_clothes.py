"""The fine-tuning experiment, what its pictures are computed from, and its command line."""

import json
from copy import deepcopy
from importlib import import_module

import pytest
import torch
import torch.nn.functional as F

from workbench.cli.main import main
from workbench.compression.calibration import Modes
from workbench.compression.memory import kept_by_formula
from workbench.experiments.fine_tuning import gradients, trained_parameters
from workbench.experiments.named import EXPERIMENTS
from workbench.experiments.new_clothes import LAYERS, new_clothes, with_checkpointing, with_hosvd, with_lance
from workbench.experiments.pretrained import KNOWN_CLASSES, NEW_CLASSES
from workbench.meters.timeline import Moment, network_tensors, saved_bytes
from workbench.watch.bytes_in_a_step import PLACES, STEP_RULES, alive, bytes_in_a_step, place_names
from workbench.watch.microscope import compress_specimen, mosaic, specimens, tradeoff


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


# --- one layer under the microscope ---------------------------------------------------------------------------------


def test_everything_kept_changes_nothing():
    for specimen in specimens().values():
        finding = compress_specimen(specimen, 1.0, Modes(batch=True))
        assert finding.error < 1e-4
        assert finding.cosine == pytest.approx(1.0, abs=1e-4)
        assert finding.ranks[1:] == specimen.x.shape[1:]


def test_the_gradient_is_that_of_autograd_at_the_projected_input():
    specimen = specimens()[LAYERS[2]]
    finding = compress_specimen(specimen, 0.8)
    weight = specimen.conv.weight.detach().requires_grad_()
    exact, ours = (
        torch.autograd.grad(F.conv2d(x, weight, padding=1), weight, specimen.grad_output)[0]
        for x in (specimen.x, finding.approximation)
    )
    assert finding.cosine == pytest.approx(float(F.cosine_similarity(ours.flatten(), exact.flatten(), 0)), abs=1e-4)
    error = (specimen.x - finding.approximation).norm() / specimen.x.norm()
    assert finding.error == pytest.approx(float(error), abs=1e-5)


def test_channels_alone_never_point_uphill_and_more_energy_keeps_more():
    specimen = specimens()[LAYERS[0]]
    factors, cosines = tradeoff(specimen, (0.4, 0.6, 0.8, 0.99), Modes(space=False))
    assert factors == sorted(factors, reverse=True)
    assert cosines == sorted(cosines)
    assert min(cosines) > 0


def test_a_mosaic_holds_every_channel():
    x = torch.arange(3 * 2 * 2.0).view(3, 2, 2)
    picture = mosaic(x, columns=2)
    assert picture.shape == (5, 5)
    assert torch.equal(picture[:2, 3:], x[1])
    assert torch.equal(picture[3:, :2], x[2])
    assert picture[2].isnan().all()
    assert picture[3:, 3:].isnan().all()


# --- a step over time -----------------------------------------------------------------------------------------------


def test_moments_are_placed_forwards_and_backwards():
    moments = [Moment("a.block", 8, 8), Moment("b", 4, 12), Moment("", 1, 13), Moment("", -1, 12)]
    moments += [Moment("b", -4, 8), Moment("a.block.x", 2, 10), Moment("a.block.x", -2, 8), Moment("a.block", -8, 0)]
    curve = alive(moments, ["a.x", "b"])
    assert curve.places == [0, 1, 2, 2, 3, 4, 4, 4]
    assert curve.bytes == [8, 12, 13, 12, 8, 10, 8, 0]
    assert curve.peak == 13
    assert place_names(["a", "b"]) == ["a", "b", "loss", "b", "a"]


def test_every_version_comes_back_to_nothing_and_lance_keeps_least(task):
    curves = {name: bytes_in_a_step(task, rule, batch_size=16) for name, rule in STEP_RULES.items()}
    for curve in curves.values():
        assert curve.bytes[-1] == 0
        assert curve.places == sorted(curve.places)
        assert 0 <= curve.places[0] <= curve.places[-1] <= 2 * len(PLACES)
    peaks = {name: curve.peak for name, curve in curves.items()}
    assert peaks["LANCE"] < peaks["checkpointing"] < peaks["backpropagation"]


# --- the command line -----------------------------------------------------------------------------------------------


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
