"""Optical flow: clips with the flow that they have, the spiking U-Net, and what it learns."""

import itertools
import math

import numpy as np
import pytest
import torch

from workbench.data.sets.flow import FlowCamera, halves, moving_clips
from workbench.data.split import Split
from workbench.experiments.experiment import start
from workbench.experiments.flow import (
    BPTT_FLOW,
    ENDPOINT_ERROR,
    STLLR_FLOW,
    SpikingUNet,
    direction_agreement,
    endpoint_error,
    endpoint_loss,
    flow_setting,
    held_out_error,
    predict_flow,
    seen_pixels,
    zero_error,
)
from workbench.experiments.named import FLOW
from workbench.experiments.overrides import vary
from workbench.neurons.traces import Factors
from workbench.rules.bptt import BPTT
from workbench.rules.bptt import gradients as bptt_gradients
from workbench.rules.stllr import STLLR
from workbench.rules.stllr import gradients as stllr_gradients
from workbench.training.epochs import epoch_order
from workbench.training.loop import train
from workbench.training.setting import Plan

pytestmark = pytest.mark.usefixtures("unchecked")


@pytest.fixture(scope="module")
def trained():
    """A network after seven short epochs of S-TLLR, and the error on other clips."""
    torch.set_num_threads(1)
    camera = FlowCamera(speed=5.0)
    data = Split(moving_clips(320, camera), moving_clips(48, camera, first=10_000))
    setting = flow_setting(STLLR_FLOW, seed=0, data=data)
    *_, last = train(setting, Plan(epochs=7))
    return setting.network, data.test, last.held_out_score


def test_endpoint_error_by_hand():
    truth = torch.zeros(1, 2, 1, 2)
    flow = torch.tensor([[[[3.0, 0.0]], [[4.0, 1.0]]]])
    assert endpoint_error(flow, truth).tolist() == pytest.approx([3.0], abs=1e-4)
    assert float(endpoint_loss(flow[None].expand(4, -1, -1, -1, -1), truth)) == pytest.approx(12.0, abs=1e-3)


def test_the_last_step_alone_without_memory_is_the_true_gradient():
    """One spiking layer deep in time: with one step, S-TLLR's spatial gradient is backpropagation's."""
    torch.manual_seed(0)
    network = SpikingUNet((3, 4)).double()
    x, truth = (torch.rand(1, 2, 4, 8, 8) < 0.5).double(), torch.randn(2, 2, 8, 8).double()
    stllr_gradients(network, x, truth, STLLR(Factors(0.0, 0.0, 0.0, 1.0), 1, loss=endpoint_loss))
    ours = [p.grad.clone() for p in network.parameters() if p.grad is not None]
    network.zero_grad()
    bptt_gradients(network, x, truth, BPTT(1, loss=endpoint_loss))
    theirs = [p.grad for p in network.parameters() if p.grad is not None]
    assert len(ours) == len(theirs) == len(list(network.parameters()))
    for one, other in zip(ours, theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_masked_endpoint_error_counts_the_pixels_that_had_events(dtype):
    generator = torch.Generator().manual_seed(3)
    x = (torch.rand(5, 3, 2, 4, 6, generator=generator) < 0.05).to(dtype)
    x[:, 2] = 0  # a clip without events
    flow, truth = (torch.randn(3, 2, 4, 6, dtype=dtype, generator=generator) for _ in range(2))
    expected = []
    for b in range(3):
        distances = [
            float(torch.dist(flow[b, :, i, j], truth[b, :, i, j]))
            for i in range(4)
            for j in range(6)
            if any(float(x[t, b, c, i, j]) for t in range(5) for c in range(2))
        ]
        expected.append(sum(distances) / len(distances) if distances else 0.0)
    assert 0 < int(seen_pixels(x)[:2].sum()) < 2 * 24
    assert endpoint_error(flow, truth, seen_pixels(x)).tolist() == pytest.approx(expected, rel=1e-5)
    everywhere = torch.ones(3, 4, 6, dtype=torch.bool)
    torch.testing.assert_close(endpoint_error(flow, truth, everywhere), endpoint_error(flow, truth))


def test_masked_errors_of_a_network_and_of_no_motion():
    clips = moving_clips(6)
    x, truth = clips.batch(torch.arange(6))
    seen, nothing = seen_pixels(x), torch.zeros_like(truth)
    assert zero_error(clips, masked=True) == pytest.approx(float(endpoint_error(nothing, truth, seen).mean()))
    network = SpikingUNet()
    masked = endpoint_error(predict_flow(network, x), truth, seen).mean()
    assert held_out_error(network, clips, masked=True) == pytest.approx(float(masked))
    assert held_out_error(network, clips) != held_out_error(network, clips, masked=True)


@pytest.mark.parametrize("rule", [STLLR_FLOW, BPTT_FLOW])
def test_both_rules_reach_every_layer(rule):
    torch.manual_seed(0)
    network, (x, truth) = SpikingUNet((4, 6, 8)), moving_clips(2).batch(torch.arange(2))
    rule(network, x, truth)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    assert predict_flow(network, x).shape == (2, 2, 16, 16)


def test_a_size_that_cannot_be_halved_is_named():
    with pytest.raises(ValueError, match=r"divisible by 4, got \(18, 16\)"):
        predict_flow(SpikingUNet(), torch.zeros(2, 1, 4, 18, 16))
    with pytest.raises(ValueError, match="names no encoder"):
        SpikingUNet(())


def test_it_learns_the_motion_of_other_clips(trained):
    network, test, error = trained
    assert error < 0.8 * zero_error(test)
    x, truth = test.batch(torch.arange(len(test)))
    assert endpoint_error(predict_flow(network, x), truth).mean() == pytest.approx(error)


def test_real_saccades_move_as_the_camera_did(trained, recordings):
    """N-MNIST: (right, down) of the image in each of the three saccades; its bit 1 is darker. Blocks of 2 × 2 pixels
    are put together, as large as the clips that the network knows."""
    with np.load(recordings / "nmnist_small_binned20.npz") as packed:
        shape = tuple(packed["shape"])
        frames = np.unpackbits(packed["frames_packed"])[: np.prod(shape)].reshape(shape)[:300]
    frames = torch.from_numpy(frames).flip(2)[..., 1:33, 1:33].unflatten(-1, (16, 2)).unflatten(-3, (16, 2))
    x = frames.amax((-1, -3)).float().transpose(0, 1)
    motions = {(3.5, 7.0): x[:6], (3.5, -7.0): x[7:13], (-7.0, 0.0): x[14:20]}
    found = [direction_agreement(predict_flow(trained[0], halves(part)), part, m) for m, part in motions.items()]
    assert min(found) > 0.65
    assert sum(found) / 3 > 0.8


def few_clips(rule, seed):
    return flow_setting(rule, seed, Split(moving_clips(20), moving_clips(8, first=500)))


FEW = FLOW._replace(prepare=few_clips)


def test_flow_is_an_ordinary_experiment():
    """The same numbers as a loop by hand: Adam, a cosine, batches of 8 in the order of the epoch."""
    records = list(start(FEW, "bptt", seed=3, epochs=2))
    setting = few_clips(FLOW.rules["bptt"], 3)
    errors = []
    for step in range(6):
        setting.optimizer.param_groups[0]["lr"] = 1e-2 * 0.5 * (1 + math.cos(math.pi * step / 6))
        rows = epoch_order(20, 3, step // 3)[8 * (step % 3) :][:8]
        setting.optimizer.zero_grad()
        errors.append(setting.rule(setting.network, *setting.data.train.batch(rows)).loss)
        setting.optimizer.step()
    assert [record.loss for record in records] == errors
    assert [record.score for record in records] == pytest.approx(errors)
    held_out = held_out_error(setting.network, setting.data.test)
    assert (records[-1].held_out_score, records[-1].held_out_loss) == pytest.approx((held_out, held_out))
    assert FEW.score is setting.score is ENDPOINT_ERROR


@pytest.mark.parametrize("rule", FLOW.rules)
def test_a_resumed_run_has_the_same_numbers(tmp_path, rule):
    def numbers(records):
        return [r._replace(seconds=0.0, samples_per_second=0.0) for r in records]

    def begin(seed, resume=False):
        return train(few_clips(FLOW.rules[rule], seed), Plan(2), tmp_path / "half", resume, checkpoint_every=1)

    whole = numbers(train(few_clips(FLOW.rules[rule], 0), Plan(2)))
    begun = numbers(itertools.islice(begin(0), 5))  # the last one is yielded before it is saved
    assert begun[:-1] + numbers(begin(9, resume=True)) == whole


def test_what_the_last_step_says_is_reported():
    network, (x, truth) = SpikingUNet((4, 6)), moving_clips(3).batch(torch.arange(3))
    said = predict_flow(network, x)
    assert torch.allclose(STLLR_FLOW(network, x, truth).logits, said, atol=1e-6)


def test_the_score_is_told_in_pixels():
    assert ENDPOINT_ERROR.words(1.234) == "1.23 pixels"
    assert not ENDPOINT_ERROR.more_is_better
    truth = torch.zeros(2, 2, 4, 4)
    assert ENDPOINT_ERROR.values(truth + 1.0, truth).tolist() == pytest.approx(2 * [2**0.5])
    assert float(ENDPOINT_ERROR.loss(truth + 1.0, truth)) == pytest.approx(2 * 2**0.5)
    few = vary(FEW, per_class=8).prepare(STLLR_FLOW, 0)
    assert few.data.train.labels.shape == (8, 2, 16, 16)
