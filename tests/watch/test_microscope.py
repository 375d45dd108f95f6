"""One step of LANCE looked at closely: exact with everything kept, and what is lost without."""

import pytest
import torch
import torch.nn.functional as F

from workbench.compression.calibration import Modes
from workbench.experiments.fine_tuning import LabelledImages, inputs_of
from workbench.experiments.new_clothes import BLOCKS, LAYERS, new_clothes
from workbench.watch.microscope import compress_specimen, mosaic, specimens, tradeoff


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


def test_the_photographs_are_what_the_first_input_was_made_of():
    specimen = specimens()[LAYERS[0]]
    shown = LabelledImages(specimen.photographs, torch.zeros(len(specimen.photographs), dtype=torch.long))
    made = inputs_of(new_clothes(every=400).whole, BLOCKS[0], shown)
    assert torch.allclose(made.images, specimen.x, atol=1e-4)


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
