"""Frames of a run against the network that they are of; the run itself is as without them."""

import math

import pytest
import torch
from tiny import TINY
from tiny_streams import SHARED

from workbench.experiments.experiment import prepare, start
from workbench.networks.spiking import Simulation, spiking_layers, spiking_logits
from workbench.training.setting import Plan
from workbench.watch.filming import filmed, sample_of, take


def shots(**options):
    return list(filmed(prepare(TINY, "stllr", seed=3), Plan(epochs=2, seed=3), **options))


def test_the_run_is_as_without_frames():
    def told(record):
        return record.loss, record.score, record.held_out_score, record.held_out_loss, record.spike_rates

    assert [told(shot.record) for shot in shots()] == [told(record) for record in start(TINY, "stllr", seed=3)]


@pytest.mark.parametrize(
    ("frames", "done"),
    [(1, [0.0, 1.0]), (3, [0.0, 0.375, 0.75, 1.0]), (24, [k / 8 for k in range(9)])],
)
def test_frames_are_taken_before_the_first_step_and_evenly_to_the_last(frames, done):
    taken = [[frame.done for frame in shot.frames] for shot in shots(frames=frames)]
    assert [place for places in taken for place in places] == done
    assert taken[0][0] == 0.0
    assert taken[-1][-1] == 1.0


def test_a_frame_is_of_the_network_as_it_is():
    setting = prepare(TINY, "stllr", seed=3)
    scene = sample_of(setting, 5)
    x = setting.data.test.x[:, 5:6]
    assert torch.equal(scene.x, x)
    assert int(scene.label) == int(setting.data.test.labels[5])
    frame = take(setting, scene, 0.0)
    (layer,) = spiking_layers(setting.network).values()
    spikes = Simulation(setting.network).run(layer, x)
    assert torch.equal(frame.spikes[0], spikes[:, 0] > 0)
    assert frame.spikes[0].any()
    assert not frame.spikes[0].all()
    expected = spiking_logits(setting.network, x)[0].softmax(0)[int(scene.label)]
    assert frame.right == pytest.approx(float(expected))


def test_the_film_shows_that_it_learned():
    first, *_, last = [frame for shot in shots() for frame in shot.frames]
    assert last.right > first.right


def test_samples_are_counted_round():
    setting = prepare(TINY, "stllr")
    assert torch.equal(sample_of(setting, 24 + 7).x, sample_of(setting, 7).x)
    assert not torch.equal(sample_of(setting, 7).x, sample_of(setting, 8).x)


def test_what_has_no_spikes_or_several_tasks_is_trained_and_not_filmed():
    setting = prepare(SHARED, next(iter(SHARED.rules)))
    assert sample_of(setting) is None
    assert all(shot.frames == () for shot in filmed(setting, Plan(epochs=1)))


def test_where_nothing_is_right_or_wrong_no_probability_is_told():
    setting = prepare(TINY, "stllr")
    other = setting._replace(score=setting.score._replace(name="something else"))
    assert math.isnan(take(other, sample_of(other), 0.0).right)


def test_a_film_has_at_least_one_frame():
    with pytest.raises(ValueError, match="frames must be"):
        list(filmed(prepare(TINY, "stllr"), Plan(), frames=0))
