"""The playground trains what the mixes say, tells what the network sees, and is the same with the same seed."""

import pytest
import torch

from workbench.data.sets.image_events import fashion_events
from workbench.mixes import Mix, mix_named, refusal
from workbench.networks.spiking import spiking_logits
from workbench.rule import LayerSize
from workbench.watch.playground import (
    EVERY,
    INPUTS,
    KINDS,
    STEPS,
    WIDTH,
    coarse,
    film,
    play,
    play_network,
    play_sizes,
    play_tasks,
    see,
)

pytestmark = pytest.mark.usefixtures("unchecked")

MIXES = ("eprop+backprop", "traces+tess+lance", "bptt+backprop+checkpoint", "instant+lls-m")
IN_TURN = ("traces+tess+lance+code-cl", "traces+backprop+all+gpm", "traces+tess")


@pytest.fixture(scope="module")
def few():
    """Few samples, alone and in turn."""
    return {in_turn: play_tasks(in_turn, per_class=8, held_out=2) for in_turn in (False, True)}


def test_tasks(few):
    (alone,), (first, second) = few[False], few[True]
    assert alone.train_x.shape == (32, STEPS, INPUTS)
    assert alone.classes == 4
    assert first.train_x.shape == second.train_x.shape == (16, STEPS, INPUTS)
    assert torch.equal(alone.train_x[alone.train_y < 2].sort(0)[0], first.train_x.sort(0)[0])
    assert sorted(alone.train_y.unique().tolist()) == [0, 1, 2, 3]


def test_no_event_is_lost_in_the_coarse_picture():
    x = torch.rand(3, 5, 578)
    assert torch.allclose(coarse(x).sum(-1), x.sum(-1))
    corner = torch.zeros(578)
    corner[288] = 1.0  # the last pixel of the first polarity
    assert coarse(corner).nonzero().tolist() == [[80]]


@pytest.mark.parametrize("kind", range(4))
def test_the_film_is_a_recording_of_the_held_out_set(kind):
    frames, x = film(kind)
    everything = fashion_events(1, 100, pool=2).test
    own = coarse(everything.counts.flatten(2)[:, everything.labels == kind].float())
    assert frames.shape == (STEPS, 2, 34, 34)
    assert (own == x).all(dim=(0, 2)).sum() == 1
    assert KINDS[kind]


@pytest.mark.parametrize("mix", MIXES)
def test_it_learns_and_tells(mix, few):
    moments = list(play(mix_named(mix), epochs=3, tasks=few[False]))
    assert [moment.step for moment in moments] == list(range(6))
    assert all(moment.steps == 6 and moment.kept_bytes > 0 for moment in moments)
    tested = [moment.step for moment in moments if moment.accuracies is not None]
    assert tested == [0, EVERY, 5]
    before, after = moments[0].seen, moments[-1].seen
    assert [W.shape for W in after.weights] == [(WIDTH, INPUTS), (WIDTH, WIDTH), (4, WIDTH)]
    assert [z.shape for z in after.spikes] == [(STEPS, WIDTH)] * 2
    assert all(not torch.equal(W, V) for W, V in zip(before.weights, after.weights, strict=True))
    assert float(after.scores.sum()) == pytest.approx(1.0)


@pytest.mark.parametrize("mix", IN_TURN)
def test_tasks_in_turn_tell_what_is_still_known(mix, few):
    moments = list(play(mix_named(mix), in_turn=True, epochs=2, tasks=few[True], kind=3))
    assert [moment.task for moment in moments] == [0, 0, 1, 1]
    assert all(len(moment.accuracies) == moment.task + 1 for moment in moments if moment.accuracies)
    assert moments[1].accuracies is not None
    assert moments[-1].accuracies is not None
    assert moments[-1].seen.scores.shape == (2,)
    if mix_named(mix).direction.name != "anywhere":
        assert moments[-1].kept_bytes > moments[0].kept_bytes  # what the method remembers of task 1


def test_what_is_seen_is_what_the_network_says():
    network, (_, x) = play_network(False, seed=3), film(2)
    seen = see(network, x)
    assert torch.allclose(seen.scores, spiking_logits(network.seen(0), x)[0].softmax(0))
    assert all(0 < z.float().mean() < 1 for z in seen.spikes)


def test_the_same_seed_gives_the_same_run_and_the_same_first_weights_for_all_mixes(few):
    one, other = (list(play(mix_named("traces+tess"), epochs=1, seed=2, tasks=few[False])) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert (a.loss, a.accuracies, a.kept_bytes) == (b.loss, b.accuracies, b.kept_bytes)
        assert all(map(torch.equal, a.seen.weights, b.seen.weights))
    bptt = next(play(mix_named("bptt"), seed=2, tasks=few[False]))
    assert bptt.loss == pytest.approx(one[0].loss, rel=1e-5)


def test_local_traces_keep_less_than_the_graph(few):
    kept = {mix: next(play(mix_named(mix), tasks=few[False])).kept_bytes for mix in ("bptt", "traces+backprop")}
    assert kept["traces+backprop"] < 0.5 * kept["bptt"]


def test_a_refused_mix_says_why(few):
    mix = mix_named("traces+tess+checkpoint")
    reason = refusal(mix, "dense")
    assert reason is not None
    with pytest.raises(ValueError, match="nothing of the past waits for its gradient"):
        next(play(mix, tasks=few[False]))
    assert refusal(Mix(), "dense") is None


def test_sizes_for_formulas():
    sizes = play_sizes()
    assert sizes[0] == LayerSize("input", INPUTS, 0)
    assert [(size.neurons, size.macs) for size in sizes[1:]] == [(40, 40 * 162), (40, 1600), (4, 160)]
