"""Exercises of notebooks 03 and 05: the right answers against autograd and loops, the truth of the prediction."""

import math

import torch
from torch.nn import functional as F

from workbench.course.exercises.events import ENDPOINT_ERROR, EVENTS_ONLY, LATE_TRACE, MEMORY_GROWTH, READOUT_SIGNAL
from workbench.meters import KeptBytes
from workbench.networks import SpikingMLP
from workbench.rules import stllr


def test_the_signal_is_the_derivative_of_the_loss():
    for logits, labels in READOUT_SIGNAL.trials():
        o = logits.clone().requires_grad_()
        F.cross_entropy(o, labels).backward()
        torch.testing.assert_close(READOUT_SIGNAL.right(logits, labels), o.grad)


def test_the_update_as_a_sum_over_pairs():
    for x, psi, delta, decay in LATE_TRACE.trials():
        pairs = [delta[t] * psi[t] * decay ** (t - k) * x[k] for t in range(len(x)) for k in range(t + 1)]
        torch.testing.assert_close(LATE_TRACE.right(x, psi, delta, decay), sum(pairs))


def test_errors_pixel_by_pixel():
    for flow, truth in ENDPOINT_ERROR.trials():
        pixels = [math.hypot(*difference) for difference in (flow - truth).flatten(1).T.tolist()]
        assert math.isclose(ENDPOINT_ERROR.right(flow, truth), sum(pixels) / len(pixels), rel_tol=1e-5)
    for flow, truth, events in EVENTS_ONLY.trials():
        pairs = zip((flow - truth).flatten(1).T.tolist(), events.flatten().tolist(), strict=True)
        pixels = [math.hypot(*difference) for difference, count in pairs if count]
        expected = sum(pixels) / len(pixels) if pixels else 0.0
        assert math.isclose(EVENTS_ONLY.right(flow, truth, events), expected, rel_tol=1e-5)


def test_twice_as_long_takes_as_many_bytes():
    network, peaks, once = SpikingMLP([30, 20], classes=3), [], (torch.rand(20, 4, 30) < 0.3).float()
    for x in (once, once.repeat(2, 1, 1)):
        with KeptBytes(*network.parameters(), x) as counter:
            stllr.gradients(network, x, torch.tensor([0, 1, 2, 0]), stllr.STLLR(chunk=4))
        peaks.append(counter.peak)
    assert peaks[1] < 1.1 * peaks[0]  # some spikes more or less
    assert MEMORY_GROWTH.lettered[MEMORY_GROWTH.right[0]].text == "as many as before"
