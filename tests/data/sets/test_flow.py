"""Moving scenes whose flow is known: what moves, which events it sends, and what finds it."""

import numpy as np
import pytest
import torch
from skimage.registration import optical_flow_ilk

from workbench.data.sets.flow import (
    FlowCamera,
    FlowHalves,
    Motion,
    flow_clips,
    flow_field,
    halves,
    picture,
    plane_waves,
    seen,
)
from workbench.experiments.flow import event_images

QUIET = FlowCamera(noise=0.0, mismatch=0.0)


def test_a_clip_depends_on_its_number_only():
    three = flow_clips(3, first=5)
    one = flow_clips(1, first=6)
    assert torch.equal(three.frames[:, 1:2], one.frames)
    assert torch.equal(three.flow[1:2], one.flow)


def test_the_scene_moves_as_the_flow_says():
    """What is seen at p + f(p) at the end is what was at p at the start, up to the curvature of the affine flow."""
    motion = Motion(np.array([2.0, -1.0]), np.zeros((2, 2)))
    look = plane_waves(np.random.default_rng(0))
    start, end = seen(look, motion, 0.0, 20), seen(look, motion, 1.0, 20)
    assert np.allclose(start[1:, :-2], end[:-1, 2:])
    turning = Motion(np.array([0.0, 0.0]), np.array([[0.1, -0.2], [0.2, 0.1]]))
    flow = flow_field(turning, 21)
    axis = np.arange(21) - 10
    right, down = np.meshgrid(axis, axis)
    assert np.allclose(flow, np.stack([0.1 * right - 0.2 * down, 0.2 * right + 0.1 * down]))
    moved = look(right + 0.0, down + 0.0)
    inverse = np.linalg.inv(np.eye(2) + turning.gradient)
    there = np.stack([right + flow[0], down + flow[1]])
    back = np.einsum("ij,jyx->iyx", inverse, there)
    assert np.allclose(look(back[0], back[1]), moved)


def test_an_edge_sends_brighter_on_one_side_only():
    """A bright half-plane that moves right: every event is "brighter", and none comes from a scene at rest."""
    camera = QUIET._replace(speed=0.0, turn=0.0)
    rest = flow_clips(4, camera)
    assert not rest.frames.any()
    assert not rest.flow.any()
    with pytest.raises(ValueError, match="speed of FlowCamera must be a number of at least 0, got -1"):
        flow_clips(1, camera._replace(speed=-1.0))
    with pytest.raises(ValueError, match=r"threshold of FlowCamera must be a number above 0, got 0\.0"):
        flow_clips(1, camera._replace(threshold=0.0))
    with pytest.raises(ValueError, match="clips must be a whole number of at least 1, got 0"):
        flow_clips(0)


def test_a_picture_is_itself_at_its_pixels_and_mirrored_outside():
    light = np.random.default_rng(1).random((9, 7))
    look = picture(light, left=3.0, top=4.0)
    row, column = np.mgrid[:9, :7]
    assert np.allclose(look(column - 3.0, row - 4.0), np.log(light + 0.05))
    assert look(np.array([-4.0]), np.array([0.0])) == pytest.approx(np.log(light[4, 1] + 0.05))


def test_halves_lie_side_by_side():
    x = torch.arange(7.0)[:, None, None, None, None].expand(7, 1, 2, 1, 1)
    assert halves(x)[:, 0, :, 0, 0].tolist() == [[0, 0, 3, 3], [1, 1, 4, 4], [2, 2, 5, 5]]
    with pytest.raises(ValueError, match="a clip of 1 steps has no halves"):
        halves(x[:1])
    clips = flow_clips(3)
    x, flow = FlowHalves(clips).batch(torch.tensor([2]))
    assert x.shape == (5, 1, 4, 16, 16)
    assert torch.equal(flow, clips.flow[2:])


def test_a_classical_method_finds_the_direction_too():
    clips = flow_clips(24, FlowCamera(turn=0.0), first=500)
    x, truth = clips.batch(torch.arange(24))
    right = 0
    for first, last, flow in zip(*event_images(x).numpy(), truth.numpy(), strict=True):
        down, along = optical_flow_ilk(first, last, radius=4)
        right += float(down.mean() * flow[1].mean() + along.mean() * flow[0].mean()) > 0
    assert right >= 16
