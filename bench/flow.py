"""Optical flow from simulated events: a spiking U-Net trained with S-TLLR in the last step of each clip.

Average end-point error on clips that were not trained on, against saying that nothing moves, against the same network
trained with backpropagation through time, and against the iterative Lucas–Kanade method of scikit-image (where it is
installed) on images of the events. Then the network, which never saw a recording, is asked which way the digits of
real N-MNIST saccades move.
"""

import importlib.util
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from bench.measure import one_thread
from workbench.data import FlowCamera, FlowHalves, FlowSet, Split, flow_clips, halves
from workbench.experiments import (
    BPTT_FLOW,
    FLOW_FACTORS,
    by_last_step,
    direction_agreement,
    endpoint_error,
    event_images,
    flow_setting,
    predict_flow,
    zero_error,
)
from workbench.rule import Rule
from workbench.rules import STLLR, stllr
from workbench.training import Plan, train

CAMERA, TRAIN, TEST, EPOCHS = FlowCamera(), 400, 96, 8
RECORDINGS = Path(__file__).parents[2] / "shared" / "data" / "nmnist_small_binned20.npz"
MOVES = ((3.5, 7.0), (3.5, -7.0), (-7.0, 0.0))  # of N-MNIST's saccades, (right, down) in its pixels per 105 ms


def trained(rule: Rule, data: Split[FlowHalves]) -> tuple[nn.Module, float, float]:
    """A network after training, its error on the test clips, and seconds of the processor."""
    setting, started = flow_setting(rule, seed=0, data=data), time.process_time()
    *_, last = train(setting, Plan(EPOCHS))
    assert last.held_out_score is not None
    return setting.network, last.held_out_score, time.process_time() - started


def classical_error(test: FlowSet) -> float | None:
    """Iterative Lucas–Kanade on the events of the first and of the last third; None without scikit-image."""
    if importlib.util.find_spec("skimage") is None:
        return None
    from skimage.registration import optical_flow_ilk  # pyright: ignore

    x, truth = test.batch(torch.arange(len(test)))
    images = event_images(x, smoothing=5).numpy()
    found = []
    images = images / images.std((1, 2, 3), keepdims=True)  # over all clips: the method knows one scale of light
    for first, last in zip(*images, strict=True):
        down, right = optical_flow_ilk(first, last, radius=4)
        found.append(np.stack([right, down]))
    flow = torch.from_numpy(np.stack(found)).float() * len(x) / (len(x) - max(len(x) // 3, 1))
    return float(endpoint_error(flow, truth).mean())


def saccades() -> list[Tensor] | None:
    """Real recordings of the three saccades `(time, clip, 2, 16, 16)`: 15 ms per step, 2 × 2 pixels put together.

    None where they are missing.
    """
    if not RECORDINGS.is_file():
        return None
    with np.load(RECORDINGS) as packed:
        shape = tuple(packed["shape"])
        frames = np.unpackbits(packed["frames_packed"])[: np.prod(shape)].reshape(shape)[:300]
    frames = torch.from_numpy(frames).flip(2)[..., 1:33, 1:33]  # N-MNIST's 1 is darker
    x = frames.unflatten(-1, (16, 2)).unflatten(-3, (16, 2)).amax((-1, -3)).float().transpose(0, 1)
    return [x[:7], x[7:14], x[14:20]]


def right_directions(net: nn.Module) -> list[float] | None:
    """For each saccade, the fraction of recordings whose mean flow, where there are events, points less than 90° away
    from the true one."""
    recordings = saccades()
    if recordings is None:
        return None
    fractions = []
    for x, move in zip(recordings, MOVES, strict=True):
        fractions.append(direction_agreement(predict_flow(net, halves(x)), x, move))
    return fractions


def flow() -> dict[str, object]:
    """Train twice and compare."""
    one_thread()
    clips = flow_clips(TEST, CAMERA, first=1_000_000)
    data = Split(FlowHalves(flow_clips(TRAIN, CAMERA)), FlowHalves(clips))
    local = by_last_step(stllr.gradients, STLLR(FLOW_FACTORS))
    net, ours, seconds = trained(local, data)
    _, through_time, peer_seconds = trained(BPTT_FLOW, data)
    return {
        "name": "flow",
        "peer": "zero flow",
        "ratio": zero_error(data.test) / ours,
        "error": ours,
        "zero_error": zero_error(data.test),
        "bptt_error": through_time,
        "lucas_kanade_error": classical_error(clips),
        "seconds": seconds,
        "bptt_seconds": peer_seconds,
        "right_direction_on_nmnist": right_directions(net),
    }


BENCHMARKS = {"flow": flow}
