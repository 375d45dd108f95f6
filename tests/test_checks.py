"""The checks at the doors: each message quotes what came, says what was expected and what to do."""

import math
import re
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from workbench import checks
from workbench.compression.lance import compress
from workbench.continual.learning import Plateau, StreamSetting, sgd
from workbench.continual.methods.code_cl import CodeCL, CodeCLParams
from workbench.continual.methods.ewc import EWC
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.methods.gpm import GPM, GPMParams
from workbench.continual.methods.lance import LanceContinual, LanceContinualParams
from workbench.continual.methods.replay import Replay
from workbench.continual.methods.sgp import SGP, SGPParams
from workbench.continual.methods.trgp import TRGP, TRGPParams
from workbench.continual.multihead import mlp
from workbench.data.senses.camera import EventCamera, event_frames
from workbench.data.senses.hearing import Ear, spikes_of_sound
from workbench.data.sets.flow import FlowCamera, flow_clips
from workbench.kernels.connections import check_connection
from workbench.networks.block_networks import dense_network, small_conv
from workbench.networks.blocks import block_logits
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import SpikingMLP, SpikingSequential, spiking_logits
from workbench.neurons.lif import Neuron, run_lif
from workbench.neurons.traces import Factors, run_trace
from workbench.neurons.windows import PairRule, stdp_by_traces
from workbench.rule import Steps
from workbench.rules import (
    RULES,
    backprop,
    bptt,
    direct_feedback,
    drtp,
    eprop,
    feedback_alignment,
    forward_forward,
    lls,
    local_classifier,
    ottt,
    stdp,
    stllr,
    tess,
)
from workbench.training.setting import Plan

STEPS, BATCH, INPUTS, CLASSES = 5, 4, 6, 3
SPIKING = (bptt, stllr, ottt, eprop, stdp, tess)
BLOCKS = (backprop, lls, local_classifier, direct_feedback, drtp, feedback_alignment, forward_forward)
each_rule = pytest.mark.parametrize("rule", [*SPIKING, *BLOCKS], ids=lambda rule: rule.RULE.name)
each_spiking = pytest.mark.parametrize("rule", SPIKING, ids=lambda rule: rule.RULE.name)
labels = torch.tensor([0, 1, 2, 1])


def refuses(words, call, *args, **options):
    with pytest.raises(ValueError, match=words):
        call(*args, **options)


def spikes():
    return (torch.rand(STEPS, BATCH, INPUTS, generator=torch.Generator().manual_seed(1)) < 0.4).float()


def pictures():
    return torch.rand(BATCH, INPUTS, generator=torch.Generator().manual_seed(1))


def prepared(rule, hidden=(5, 5)):
    """A network, a batch for it, and the rule as a function of network, x and y."""
    torch.manual_seed(0)
    if rule in SPIKING:
        network, x = SpikingMLP([INPUTS, *hidden], CLASSES), spikes()
        params = [tess.TESS(tess.make_heads(network, x, CLASSES))] if rule is tess else []
    else:
        form = rule.RULE.for_blocks
        network, x = dense_network([INPUTS, *hidden], CLASSES, form.head(CLASSES), form.normalized), pictures()
        given = {direct_feedback, drtp, feedback_alignment}
        params = [form.prepare(network, (INPUTS,), 0).keywords["params"]] if rule in given else []
    return network, x, lambda network, x, y: rule.gradients(network, x, y, *params)


def learned(network):
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def same(one, other):
    assert one.keys() == other.keys()
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


# --- tensors, batches, labels ---------------------------------------------------------------------------------------


def test_arrays_of_every_kind_become_tensors():
    for kind in ("?", "u1", "<u2", ">i4", "f2", ">f8"):
        array = np.array([[1, 0], [0, 1]], kind)[::-1]
        array.flags.writeable = False
        assert checks.as_tensor(array).tolist() == array.tolist()
    refuses("x must be a tensor or a NumPy array of real numbers, got a list; write torch", checks.as_tensor, [1])
    refuses("got a ndarray of complex128", checks.as_tensor, np.zeros(2, complex))
    loader = torch.utils.data.DataLoader([1, 2])
    refuses("got a DataLoader; take batches from it, for x, y in loader", checks.as_tensor, loader)


def test_batch_first_is_recognised():
    words = re.escape("time comes first: got (batch 32, time 80, inputs 700); use x.transpose(0, 1)")
    refuses(words, checks.check_batch, torch.zeros(32, 80, 700), torch.zeros(32, dtype=torch.long))


def test_an_empty_batch_is_refused():
    refuses(r"batch is empty: x has shape \(3, 0, 6\)", checks.check_batch, torch.zeros(3, 0, 6), labels[:0])
    refuses("at least one sample", checks.check_inputs, torch.zeros(0, 6), torch.zeros(1))


def test_the_first_place_that_is_not_finite_is_named():
    x = spikes()
    x[3, 1, 5], x[4, 0, 0] = math.nan, math.inf
    refuses("the first is nan, at step 3, sample 1, axis 2 5", checks.check_batch, x, labels)
    x = pictures()
    x[2, 4] = -math.inf
    refuses("the first is -inf, at sample 2, axis 1 4", checks.check_inputs, x, x)


def test_labels_of_any_width_and_kind():
    for kind in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
        assert checks.check_labels(labels.to(kind), CLASSES).dtype is torch.int64
    assert checks.check_labels(torch.tensor([True, False]), 2).tolist() == [1, 0]
    refuses("y.argmax", checks.check_labels, torch.eye(3), 3)
    refuses(r"0\.\.2, got 1\.\.3; count classes from 0", checks.check_labels, labels + 1, 3)
    refuses(r"shape \(5,\), got \(4,\)", checks.check_labels, labels, 3, 5)


@each_rule
def test_arrays_and_narrow_labels_teach_the_same(rule):
    network, x, learn = prepared(rule)
    learn(network, x, labels)
    wanted = learned(network)
    for y in (labels.to(torch.uint8), labels.int(), labels.numpy()):
        network, _, learn = prepared(rule)
        learn(network, x.numpy(), y)
        same(learned(network), wanted)


@each_rule
def test_every_rule_refuses_what_is_not_finite(rule):
    network, x, learn = prepared(rule)
    broken = x.clone()
    broken[-1, -1] = math.nan
    refuses("x holds NaN or infinite values", learn, network, broken, labels)
    with torch.no_grad():
        next(iter(network.parameters())).fill_(math.nan)
    first = next(iter(dict(network.named_parameters())))
    with pytest.raises(FloatingPointError, match=f"weights of '{first}' hold NaN"):
        learn(network, x, labels)


def test_spikes_of_any_kind():
    train = torch.tensor([1, 0, 1])
    for kind in (torch.bool, torch.uint8, torch.int64):
        assert torch.equal(run_trace(train.to(kind), 0.5), run_trace(train.float(), 0.5))
        assert torch.equal(run_lif(train.to(kind), Neuron()).spikes, run_lif(train.float(), Neuron()).spikes)
        both = (stdp_by_traces(t, t.flip(0), PairRule()) for t in (train.to(kind), train.float()))
        assert torch.equal(*both)
    assert run_trace(train.numpy(), 0.5).tolist() == [1.0, 0.5, 1.25]
    refuses("at least one step", run_trace, torch.zeros(0), 0.5)


# --- networks -------------------------------------------------------------------------------------------------------


@each_rule
@pytest.mark.parametrize("part", ["first", "last", "all"])
def test_frozen_layers_stay_and_the_rest_learns(rule, part):
    network, x, learn = prepared(rule)
    learn(network, x, labels)
    wanted = learned(network)
    network, x, learn = prepared(rule)
    names = [name for name, _ in network.named_parameters()]
    prefix = {"first": (names[0].rsplit(".", 2)[0],), "last": ("readout", "classifier"), "all": ("",)}[part]
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(prefix))
    learn(network, x, labels)
    same(learned(network), {name: grad for name, grad in wanted.items() if not name.startswith(prefix)})


def test_a_step_of_bptt_leaves_frozen_layers_alone():
    network, x, _ = prepared(bptt)
    network.hidden[0].requires_grad_(False)
    for _ in bptt.by_step(network, x, labels):
        assert not any(name.startswith("hidden.0") for name in learned(network))


@each_rule
def test_a_network_of_another_kind_is_named(rule):
    _, x, learn = prepared(rule)
    other = dense_network([INPUTS, 5], CLASSES) if rule in SPIKING else SpikingMLP([INPUTS, 5], CLASSES)
    advice = "networks of blocks are trained by" if rule in SPIKING else "rules for spiking networks"
    refuses(f"needs a .*got {type(other).__name__}.*{advice}", learn, other, x, labels)
    refuses("needs a .*got Linear", learn, nn.Linear(INPUTS, CLASSES), x, labels)


def test_a_network_that_nobody_runs_says_who_can():
    network, x = SpikingMLP([INPUTS, 5], CLASSES), spikes()
    for made in (network, SpikingSequential(*network.hidden, network.readout)):
        refuses(r"run by a rule, or by spiking_logits", made, x)


@each_spiking
def test_a_layer_at_two_places_is_refused(rule):
    torch.manual_seed(0)
    layer = SpikingLayer(nn.Linear(INPUTS, INPUTS))
    network, x = SpikingSequential(layer, layer, LeakyReadout(INPUTS, CLASSES)), spikes()
    if rule is not tess:
        refuses("layer '0' stands at two places", rule.gradients, network, x, labels)
    refuses("layer '0' stands at two places", spiking_logits, network, x)


@pytest.mark.parametrize("mode", ["circular", "reflect", "replicate"])
def test_paddings_of_other_values_are_refused(mode):
    refuses(f"padding_mode='{mode}'.*layer of its own", SpikingLayer, nn.Conv2d(2, 4, 3, padding=1, padding_mode=mode))


def test_padding_same_is_obeyed():
    x, grads = (torch.rand(STEPS, 2, 2, 8, 8) < 0.3).float(), []
    for padding in ("same", 1):
        torch.manual_seed(0)
        layer = SpikingLayer(nn.Conv2d(2, 4, 3, padding=padding))
        network = SpikingSequential(layer, nn.Flatten(), LeakyReadout(256, CLASSES))
        stllr.gradients(network, x, labels[:2])
        grads.append(learned(network))
    same(*grads)
    refuses("pads unevenly; take an odd kernel", SpikingLayer, nn.Conv2d(2, 4, 2, padding="same"))
    refuses("must be nn.Linear or nn.Conv2d, got Conv1d", check_connection, nn.Conv1d(2, 4, 2))


def test_feedback_alignment_obeys_padding_same():
    grads = []
    for padding in ("same", 1):
        network = small_conv(CLASSES)
        network.blocks[0].body[0].padding = (1, 1) if padding == 1 else "same"
        params = feedback_alignment.feedback_weights(network)
        feedback_alignment.gradients(network, torch.rand(BATCH, 1, 8, 8, generator=torch.Generator()), labels, params)
        grads.append(learned(network))
    same(*grads)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("compile_", [torch.compile, lambda n, **options: n.compile(**options) or n])
@pytest.mark.parametrize("rule", [bptt, stllr, lls], ids=lambda rule: rule.RULE.name)
def test_compiled_networks_learn_the_same(rule, compile_):
    network, x, learn = prepared(rule, (5,))
    report = learn(network, x, labels)
    wanted = learned(network)
    network, x, learn = prepared(rule, (5,))
    assert learn(compile_(network, backend="eager"), x, labels).spike_rates == report.spike_rates
    same(learned(network), wanted)


@each_spiking
def test_autocast_changes_nothing(rule):
    network, x, learn = prepared(rule)
    learn(network, x, labels)
    wanted, logits = learned(network), spiking_logits(network, x)
    network, x, learn = prepared(rule)
    with torch.autocast("cpu", torch.bfloat16):
        learn(network, x, labels)
        assert torch.equal(spiking_logits(network, x), logits)
    if rule is not bptt:  # which works in the precision that it is given
        same(learned(network), wanted)


@pytest.mark.parametrize("rule", BLOCKS, ids=lambda rule: rule.RULE.name)
def test_autocast_changes_no_rule_for_blocks(rule):
    network, x, learn = prepared(rule)
    learn(network, x, labels)
    wanted = learned(network)
    network, x, learn = prepared(rule)
    with torch.autocast("cpu", torch.bfloat16):
        learn(network, x, labels)
    if rule is not backprop:  # which works in the precision that it is given
        same(learned(network), wanted)


def test_a_single_sample_is_refused_where_batches_are_normalised():
    for rule in (backprop, lls, direct_feedback):
        network, x, learn = prepared(rule)
        refuses("batch of one sample.*normalize=False", learn, network, x[:1], labels[:1])
    assert block_logits(network, pictures()[:1].numpy()).shape == (1, CLASSES)


# --- parameters -----------------------------------------------------------------------------------------------------


def test_spans():
    nan, inf = math.nan, math.inf
    for span, good, bad in (
        (checks.POSITIVE, (1e-9, 3), (0, -1, nan, inf, None, "1", True)),
        (checks.SHARE, (0, 1, 0.5), (-1e-9, 1.1, nan)),
        (checks.COUNT, (1, 2.0), (0, 1.5, nan)),
        (checks.COUNT.or_none(), (None, 1), (0,)),
        (checks.FINITE, (-3, 0.0), (nan, inf, -inf)),
        (checks.NOT_NEGATIVE, (0.0, 2), (-1e-300, nan)),
    ):
        assert all(span.holds(value) for value in good), span
        assert not any(span.holds(value) for value in bad), span


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_factors_that_are_not_finite_are_named(value):
    network, x = SpikingMLP([INPUTS, 5], CLASSES), spikes()
    for name in Factors._fields:
        params = stllr.STLLR(Factors()._replace(**{name: value}))
        refuses(f"{name}.*must.*got {value}", stllr.gradients, network, x, labels, params)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_fields_of_every_rule_are_named(value):
    network, x, _ = prepared(lls)
    refuses(f"temperature of LLS must be .*got {value}", lls.gradients, network, x, labels, lls.LLS(value))
    bad = lls.LLS(label_smoothing=1.5)
    refuses("label_smoothing of LLS must be .*got 1.5", lls.gradients, network, x, labels, bad)
    network, x, _ = prepared(forward_forward)
    for params in (forward_forward.ForwardForward(math.nan), forward_forward.ForwardForward(brightness=value)):
        refuses("of ForwardForward must be", forward_forward.gradients, network, x, labels, params)
        refuses("of ForwardForward must be", forward_forward.goodness_logits, network, x, params)
    network, x, _ = prepared(stdp)
    for name in ("tau_plus", "tau_minus"):
        params = stdp.STDP(PairRule(**{name: value}))
        refuses(f"{name} of PairRule must be .*got {value}", stdp.gradients, network, x, labels, params)
    refuses("dt, ms per step, must be", stdp.gradients, network, x, labels, stdp.STDP(dt=value))
    refuses("a_plus of PairRule", stdp.gradients, network, x, labels, stdp.STDP(PairRule(math.nan)))


def begun(plateau=None, plan=Plan()):
    network = mlp([2], (10, 6))
    return StreamSetting(FineTuning(network), [], sgd(0.1), plateau=plateau).begin(plan)


DOORS = {
    "Plateau": (Plateau(), begun),
    "Plan": (Plan(), lambda plan: begun(plan=plan)),
    "Ear": (Ear(), lambda ear: spikes_of_sound(np.zeros(500), 8000, ear)),
    "EventCamera": (EventCamera(), lambda camera: event_frames(np.zeros((1, 8, 8), np.uint8), camera)),
    "FlowCamera": (FlowCamera(), lambda camera: flow_clips(1, camera)),
    **{
        params.__name__: (params(), lambda given, method=method: method(mlp([2], (10, 6)), given))
        for method, params in (
            (GPM, GPMParams),
            (SGP, SGPParams),
            (TRGP, TRGPParams),
            (CodeCL, CodeCLParams),
            (LanceContinual, LanceContinualParams),
        )
    },
}
NUMBERS = [
    (name, field)
    for name, (params, _) in DOORS.items()
    for field, value in params._asdict().items()
    if isinstance(value, int | float) and not isinstance(value, bool)
]


@pytest.mark.parametrize(("name", "field"), NUMBERS)
def test_what_is_no_number_is_refused_in_every_field(name, field):
    params, door = DOORS[name]
    for value in (math.nan, math.inf, "1", True, [], 2**70):
        with pytest.raises(ValueError, match=rf"{field} of {name} must be .*got {re.escape(repr(value))}"):
            door(params._replace(**{field: value}))


@each_spiking
def test_steps_of_every_rule_are_named(rule):
    network = SpikingMLP([INPUTS, 5], CLASSES)
    for field in Steps._fields:
        for value in (math.nan, 0, -1, 1.5, "1"):
            with pytest.raises(ValueError, match=f"{field} of Steps must be a whole number of at least 1, or None"):
                rule.prepare(network, spikes(), CLASSES, Steps()._replace(**{field: value}))


def test_a_gain_is_a_number():
    refuses("gain must be a finite number, got nan", SpikingLayer, nn.Linear(2, 2), gain=math.nan)


def test_arguments_of_methods_are_named():
    network = mlp([2], (10, 6))
    for value in (math.nan, math.inf, -1.0):
        refuses(rf"strength.* must be .* got {value}", EWC, network, value)
    for method, argument in ((EWC, "batches"), (EWC, "batch_size"), (Replay, "per_task")):
        refuses(rf"({argument}|memory).* got 0", method, network, **{argument: 0})


def test_a_tuple_is_no_parameters():
    refuses(r"expected Factors\(lambda_post, .*\), got \(0.2, .*; write Factors\(\*\(0.2", checks.check_kind,
            (0.2, 0.75, -1.0, 1.0), Factors)  # fmt: skip
    refuses("expected Neuron", checks.check_kind, Factors(), Neuron)


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        (CodeCL, CodeCLParams(aperture=0.0), "aperture of CodeCLParams must be a number above 0, got 0.0"),
        (CodeCL, CodeCLParams(growth=1.0), "growth of CodeCLParams must be a number above 1, got 1.0"),
        (CodeCL, CodeCLParams(kept=math.nan), "kept of CodeCLParams"),
        (CodeCL, CodeCLParams(samples=0), "samples of CodeCLParams"),
        (GPM, GPMParams(threshold=1.5), r"threshold of GPMParams must be a number in \[0, 1\], got 1.5"),
        (SGP, SGPParams(scale=-1.0), "scale of SGPParams"),
        (TRGP, TRGPParams(relation=math.nan), "relation of TRGPParams"),
        (LanceContinual, LanceContinualParams(space=2.0), "space of LanceContinualParams must be .*or None, got 2.0"),
        (GPM, (0.97, 0.003, 125), "threshold|expected"),
    ],
)
def test_fields_of_methods_are_named(method, params, words):
    if isinstance(params, tuple) and not hasattr(params, "_fields"):
        refuses(words, checks.check_kind, params, GPMParams)
    else:
        refuses(words, method, mlp([2, 2], (10, 6)), params)


@pytest.mark.parametrize("method", [CodeCL, GPM, SGP, TRGP, LanceContinual])
def test_frozen_layers_stay_under_every_method(method):
    torch.manual_seed(0)
    network = mlp([2, 2], (10, 6, 6))
    network.body[1].weight.requires_grad_(False)
    first = network.body[1].weight
    before = first.clone()
    learner, x, y = method(network), torch.rand(16, 10), torch.arange(16) % 2
    for task in range(2):
        learner.before_task(task, x, y)
        optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
        learner.learn(optimizer, x, y, task)
        learner.after_task(task, x, y)
    assert torch.equal(first, before)
    assert not first.requires_grad


def test_compressing_names_its_share():
    refuses("energy, the share that is kept, must be", compress, mlp([2]), [], 1.5)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.for_spiking is not None], ids=lambda rule: rule.name)
def test_numbers_that_a_network_cannot_hold_are_refused(rule):
    """1e39 is finite in float64 and infinite in float32: the gradients would be NaN, without a word."""
    x, y = torch.ones(2, 1, 3, dtype=torch.float64), torch.tensor([0])
    network = SpikingMLP([3, 4], classes=2)
    gradients = rule.for_spiking(network, torch.zeros(2, 1, 3), 2, Steps()).gradients
    for read in (lambda x: gradients(network, x, y), partial(spiking_logits, network)):
        with pytest.raises(ValueError, match=r"^x holds -1e\+39, which the network's float32 does not hold; scale all"):
            read(-1e39 * x)
    assert all(p.grad is None or not bool(p.grad.any()) for p in network.parameters())


def test_pictures_that_a_network_cannot_hold_are_refused():
    x = torch.tensor([[1.0, 1e39]], dtype=torch.float64)
    with pytest.raises(ValueError, match=r"^x holds 1e\+39, which the network's float32 does not hold"):
        checks.check_inputs(x, torch.ones(1))
    assert bool(torch.equal(checks.check_inputs(x, x), x))
