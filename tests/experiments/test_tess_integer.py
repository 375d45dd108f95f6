"""TESS in whole numbers: where weights and membranes lie, that it learns, and that it goes on as it would have."""

import pytest
import torch

from workbench.data.event_sets import EventSet
from workbench.data.split import Split
from workbench.experiments import tess_integer
from workbench.experiments.experiment import start
from workbench.experiments.named import EXPERIMENTS, experiment
from workbench.experiments.tess_integer import INTEGER_RULES, integer_gesture, integer_network, integer_setting
from workbench.networks.spiking import spiking_layers
from workbench.neurons.registers import Register, grid
from workbench.training.loop import train
from workbench.training.setting import Plan

pytestmark = pytest.mark.usefixtures("unchecked")


def two_sides(samples=48, side=8, classes=2):
    """Recordings that fire on the left or on the right."""
    labels = torch.arange(samples) % classes
    generator = torch.Generator().manual_seed(0)
    counts = torch.rand(6, samples, 2, side, side, generator=generator) < 0.1
    for row, label in enumerate(labels):
        counts[:, row, :, :, : side // 2] |= bool(label) & (
            torch.rand(6, 2, side, side // 2, generator=generator) < 0.7
        )
    part = EventSet(3 * counts.to(torch.uint8), labels)
    return Split(part, part, ("right", "left", *map(str, range(2, classes))))


def numbers(records):
    return [record._replace(seconds=0.0, samples_per_second=0.0) for record in records]


def test_the_network_has_about_twenty_thousand_weights():
    network = integer_network(classes=11)
    assert sum(weight.numel() for weight in network.parameters()) == 576 + 2 * 9216 + 128 * 11 + 11


@pytest.mark.parametrize("rule", ["tess-8", "tess-10", "tess-12"])
def test_weights_and_membranes_are_whole_while_it_learns(rule):
    on = INTEGER_RULES[rule]
    setting = integer_setting(on, 0, two_sides)
    before = [weight.detach().clone() for weight in setting.network.parameters()]
    records = list(train(setting, Plan(3)))
    assert records[-1].held_out_score > 0.9
    for weight, old in zip(setting.network.parameters(), before, strict=True):
        whole = weight.detach().double() / on.step
        assert torch.equal(whole, whole.round())
        assert on.lowest <= weight.min()
        assert weight.max() <= on.highest
        assert not torch.equal(weight, old)
    for layer in spiking_layers(setting.network).values():
        assert isinstance(layer.reset, Register)
        assert layer.reset.grid == (16, on.step)
        assert (layer.gain, layer.connection.bias) == (None, None)


def test_sums_of_hidden_layers_are_whole_multiples_of_a_weights_step():
    setting, seen = integer_setting(grid(8), 0, two_sides), []
    step = setting.optimizer.param_groups[0]["step"]

    def watched(u, z, threshold, reset):
        seen.append(u / step)
        return reset(u, z, threshold)

    for layer in spiking_layers(setting.network).values():
        layer.reset = lambda u, z, threshold, reset=layer.reset: watched(u, z, threshold, reset)
    setting.logits(setting.network, setting.data.test.batch(torch.arange(4))[0])
    assert len(seen) % 3 == 0 < len(seen)  # three layers, in chunks of time
    assert all(torch.equal(2 * u, (2 * u).round()) for u in seen)  # whole, or half after the decay of ½


def test_a_run_that_was_stopped_goes_on_bit_for_bit(tmp_path):
    whole = numbers(train(integer_setting(grid(8), 0, two_sides), Plan(3)))
    records = train(integer_setting(grid(8), 0, two_sides), Plan(3), tmp_path / "a", checkpoint_every=5)
    begun = [next(records) for _ in range(6)]
    records.close()
    setting = integer_setting(grid(8), 0, two_sides)
    rest = numbers(train(setting, Plan(3), tmp_path / "a", resume=True))
    assert numbers(begun)[:5] + rest == whole
    unlike = numbers(train(integer_setting(grid(8), 1, two_sides), Plan(3)))
    assert unlike[-1].loss != whole[-1].loss


def test_gestures_come_from_a_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="DVS128 Gesture"):
        next(start(EXPERIMENTS["tess-integer-gesture"], "tess-8"))
    monkeypatch.setattr(tess_integer, "dvs_gesture", lambda: two_sides(22, 32, classes=11))
    record = next(train(integer_gesture(grid(12), 0)))
    assert 1 < record.loss < 4


@pytest.mark.parametrize("rule", INTEGER_RULES)
def test_each_rule_starts(rule):
    assert experiment("tess-integer").rules is INTEGER_RULES
    assert 0 < next(start(EXPERIMENTS["tess-integer"], rule)).loss < 10
