"""Bad input to the spiking rules ends in a ValueError that quotes it; good input never does. Searched by hypothesis."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from searched import QUICK, bad_numbers, refuses

from workbench.checks import check_batch, check_labels
from workbench.networks.architectures import spiking_small_conv
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.traces import Factors
from workbench.rules import bptt, eprop, ottt, stdp, stllr
from workbench.rules.bptt import BPTT
from workbench.rules.stllr import STLLR

INPUTS, CLASSES, BATCH = 6, 3, 2
RULES = [stllr.gradients, bptt.gradients, ottt.gradients, eprop.gradients, stdp.gradients]
labels = torch.zeros(BATCH, dtype=torch.long)


def dense():
    torch.manual_seed(0)
    return SpikingMLP([INPUTS, 4], CLASSES, recurrent=True)


@QUICK
@given(st.sampled_from(RULES), st.integers(1, 5), st.integers(1, 3), st.floats(0.0, 1.0))
def test_good_input_is_taken(rule, steps, batch, rate):
    x = (torch.rand(steps, batch, INPUTS) < rate).float()
    report = rule(dense(), x, torch.zeros(batch, dtype=torch.long))
    assert math.isfinite(report.loss)
    assert bool(report.logits.isfinite().all())


@QUICK
@given(st.lists(st.integers(0, 3), min_size=0, max_size=2))
def test_wrong_rank_is_quoted(shape):
    words = ", ".join(map(str, shape))
    refuses(rf"\(time, batch, \.\.\.\).*got shape \({words}", check_batch, torch.zeros(shape), labels)


@QUICK
@given(st.integers(0, 5).filter(lambda n: n not in (BATCH, 3)))
def test_labels_that_do_not_fit_the_batch_are_quoted(count):
    y = torch.zeros(count, dtype=torch.long)
    refuses(rf"\({BATCH},\), got \({count},\)", check_batch, torch.zeros(3, BATCH, INPUTS), y)


def test_labels_that_are_not_class_numbers_are_quoted():
    refuses("class numbers.*got torch.float32", check_labels, torch.zeros(BATCH), CLASSES)
    refuses(r"class numbers.*shape \(2, 1\)", check_labels, labels[:, None], CLASSES)


@QUICK
@given(st.sampled_from(RULES), st.integers(1, 12).filter(lambda n: n != INPUTS))
def test_wrong_number_of_inputs_is_quoted(rule, inputs):
    refuses(rf"{INPUTS} inputs.*\(\d, {BATCH}, {inputs}\)", rule, dense(), torch.zeros(3, BATCH, inputs), labels)


@QUICK
@given(st.integers(1, 4).filter(lambda n: n != 2), st.sampled_from([stllr.gradients, bptt.gradients]))
def test_wrong_number_of_channels_is_quoted(channels, rule):
    net = spiking_small_conv(CLASSES, (2, 8, 8))
    refuses(rf"2 inputs.*\({BATCH}?.*{channels}, 8, 8\)", rule, net, torch.zeros(3, BATCH, channels, 8, 8), labels)
    refuses(r"\(time, batch, 2, height, width\)", rule, net, torch.zeros(3, BATCH, 8, 8), labels)


@QUICK
@given(st.sampled_from(RULES), bad_numbers, st.integers(0, 3 * BATCH * INPUTS - 1))
def test_numbers_that_are_not_finite_are_refused(rule, number, place):
    x = torch.zeros(3, BATCH, INPUTS)
    x.view(-1)[place] = number
    refuses("NaN or infinite", rule, dense(), x, labels)


@pytest.mark.parametrize("rule", RULES)
def test_no_step_is_refused(rule):
    refuses("at least one step", rule, dense(), torch.zeros(0, BATCH, INPUTS), labels)


@QUICK
@given(st.integers(1, 6), st.integers(-3, 12))
def test_more_learning_steps_than_steps_are_quoted(steps, last_steps):
    x = torch.zeros(steps, BATCH, INPUTS)
    for rule, params in ((stllr.gradients, STLLR(last_steps=last_steps)), (bptt.gradients, BPTT(last_steps))):
        if 1 <= last_steps <= steps:
            rule(dense(), x, labels, params)
        else:
            refuses(rf"1\.\.{steps}.*got {last_steps}", rule, dense(), x, labels, params)


@QUICK
@given(
    st.sampled_from(["lambda_post", "lambda_pre"]),
    st.one_of(bad_numbers, st.floats(1.0001, 5.0), st.floats(-5.0, -1e-9)),
)
def test_decays_outside_zero_and_one_are_quoted(name, value):
    factors = Factors()._replace(**{name: value})
    for given_factors in (factors, lambda layer: factors):
        call = (dense(), torch.zeros(3, BATCH, INPUTS), labels, STLLR(given_factors))
        refuses(rf"{name}.*\[0, 1\].*got", stllr.gradients, *call)


@QUICK
@given(st.sampled_from(RULES), st.integers(-5, 8).filter(lambda y: not 0 <= y < CLASSES))
def test_labels_outside_the_classes_are_quoted(rule, label):
    y = torch.tensor([0, label])
    refuses(rf"labels must lie in 0\.\.{CLASSES - 1}, got", rule, dense(), torch.zeros(3, BATCH, INPUTS), y)


@QUICK
@given(st.integers(-3, 0))
def test_pieces_and_windows_without_a_step_are_quoted(size):
    x = torch.zeros(3, BATCH, INPUTS)
    refuses(f"chunk.*got {size}", stllr.gradients, dense(), x, labels, STLLR(chunk=size))
    refuses(f"window.*window={size}", bptt.gradients, dense(), x, labels, BPTT(window=size))
