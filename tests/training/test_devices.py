"""Runs that live on another device than their samples. Only the processor is sure to be there."""

from functools import partial
from typing import NamedTuple

import pytest
import torch
from few_images import few_images
from tiny_streams import HEADS

from workbench.continual.methods.fine_tuning import FineTuning
from workbench.experiments import start
from workbench.experiments.lls import BLOCK_RULES
from workbench.training import Plan, on_device, train
from workbench.training.devices import OnDevice, moved

META = torch.device("meta")


class Held(NamedTuple):
    matrices: tuple[torch.Tensor, ...]
    signs: bool = False


def test_what_a_rule_carries_is_moved_and_the_rest_stays():
    rule = partial(max, [torch.zeros(2), 3], params=Held((torch.zeros(3),)), words={"a": torch.zeros(1), "b": None})
    there = moved(rule, META)
    assert there.func is max
    assert [there.args[0][0].device, there.args[0][1]] == [META, 3]
    assert isinstance(there.keywords["params"], Held)
    assert there.keywords["params"].matrices[0].device == META
    assert there.keywords["words"]["a"].device == META
    assert rule.args[0][0].device.type == "cpu"


def test_batches_are_moved_and_labels_stay():
    data = few_images(BLOCK_RULES["bp"], 0).data
    samples = OnDevice(data.train, META)
    x, y = samples.batch(torch.arange(3))
    assert (x.device, y.device) == (META, META)
    assert samples.labels is data.train.labels


@pytest.mark.parametrize("rule", ["lls", "bp", "dfa"])
def test_the_processor_named_as_a_device_gives_the_same_numbers(rule):
    plain = [record.loss for record in train(few_images(BLOCK_RULES[rule], 0), Plan(1))]
    named = [record.loss for record in train(on_device(few_images(BLOCK_RULES[rule], 0), "cpu"), Plan(1))]
    assert plain == named


def test_what_cannot_move_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="there is no device 'nowhere' here"):
        on_device(few_images(BLOCK_RULES["bp"], 0), "nowhere")
    with pytest.raises(ValueError, match="StreamSetting runs on the processor only, got device 'cpu'"):
        on_device(HEADS.prepare(FineTuning, 0), "cpu")
    with pytest.raises(ValueError, match="runs on the processor only"):
        next(start(HEADS, "gpm", device="cpu"))
    setting = few_images(BLOCK_RULES["bp"], 0)
    next(iter(train(setting, Plan(1))))
    with pytest.raises(ValueError, match="stepped already"):
        on_device(setting, "cpu")
