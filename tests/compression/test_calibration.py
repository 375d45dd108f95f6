"""Calibration of bases against the plain mean of the correlations of each mode."""

from copy import deepcopy

import pytest
import torch
from few_activations import EXACT, activations, two_convolutions
from torch import nn

from workbench.compression.calibration import Modes, calibrate, first_batch_heavy, leading_bases, plain_mean
from workbench.compression.lance import compress
from workbench.compression.tucker import expand, mode_correlation, relative_error, spectrum, unfold

pytestmark = pytest.mark.usefixtures("in_double_precision")

ALL = Modes(batch=True, space=True, feature=True)


def test_calibration_does_not_depend_on_order_or_batches():
    net, x = two_convolutions(), activations(24, 3, 6, 7)
    net(x)
    layers = ["0", "2", "4"]
    whole = calibrate(net, [x], layers)
    for batches in (x.flip(0).split(7), x[torch.randperm(24)].split(5), x.split(1)):
        for name, calibration in calibrate(net, batches, layers).items():
            EXACT(calibration.correlations, whole[name].correlations)


def test_calibration_is_the_plain_mean_of_the_mode_correlations():
    net, x = nn.Sequential(nn.Conv2d(3, 4, 3)), activations(6, 3, 6, 7)
    batches = x.split(2)
    result = calibrate(net, batches, ["0"], ALL)["0"]
    assert result.sizes == (2, 3, 6, 7)
    for mode, R in enumerate(result.correlations):
        EXACT(R, sum(unfold(b, mode) @ unfold(b, mode).T for b in batches) / 6)


def test_the_released_weighting_is_an_option():
    net, x = nn.Sequential(nn.Conv2d(3, 4, 3)), activations(6, 3, 6, 7)
    first, second, third = x.split(2)
    result = calibrate(net, [first, second, third], ["0"], weighting=first_batch_heavy)["0"]
    plain = calibrate(net, [first, second, third], ["0"], weighting=plain_mean)["0"]
    for mode in (1, 2, 3):
        d = x.shape[mode]
        R1, R2, R3 = (mode_correlation(b, mode) for b in (first, second, third))
        released, R = (d * R1 + R2 + R3) / (3 * d), result.correlations[mode]
        EXACT(R / R.trace(), released / released.trace())
        assert not torch.allclose(R / R.trace(), plain.correlations[mode] / plain.correlations[mode].trace())


def test_calibration_leaves_the_network_as_it_was():
    net, x = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout()), activations(6, 3, 6, 7)
    net[1].eval()
    state = deepcopy(net.state_dict())
    calibrate(net, [x], ["0"])
    assert net.training
    assert not net[1].training
    assert not net[0]._forward_pre_hooks
    torch.testing.assert_close(net.state_dict(), state, rtol=0, atol=0)


def test_error_on_calibration_data_stays_within_the_bound():
    net, x = nn.Sequential(nn.Conv2d(3, 4, 3)), activations(24, 3, 6, 7)
    for energy in (0.5, 0.7, 0.9):
        calibration = calibrate(net, x.split(8), ["0"])["0"]
        bases = leading_bases(calibration, energy)
        lost = 0.0
        for U, R in zip(bases, calibration.correlations, strict=True):
            if U is None or R is None:
                continue
            EXACT(U.T @ U, torch.eye(U.shape[1]))
            lost += float(1 - spectrum(R)[0][: U.shape[1]].sum() / R.trace())
        lance = compress(net, x.split(8), energy)
        core, bases = lance.get_submodule("0.compressor")(x)
        x_hat = expand(core, bases)
        assert float(x.square().sum()) == pytest.approx(float(core.square().sum() + (x - x_hat).square().sum()))
        assert relative_error(x, x_hat) <= lost**0.5 <= (3 * (1 - energy)) ** 0.5
