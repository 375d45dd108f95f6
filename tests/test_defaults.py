"""Defaults are the papers': one table, value by value, with the place it comes from.

Where a paper's text could not be had, the place is the authors' published code or its script.
"""

import contextlib
import importlib
import inspect
import pkgutil

import pytest
import torch

from workbench.compression.calibration import Modes
from workbench.compression.lance import compress
from workbench.continual import clouds
from workbench.continual.folder_streams import split_mini_imagenet
from workbench.continual.learning import Clock, Plateau, StreamPlace
from workbench.continual.methods.a_gem import AGEM
from workbench.continual.methods.code_cl import CodeCLParams, identity_mixing
from workbench.continual.methods.ewc import EWC
from workbench.continual.methods.gpm import GPMParams
from workbench.continual.methods.lance import LanceContinualParams
from workbench.continual.methods.replay import Replay
from workbench.continual.methods.sgp import SGPParams
from workbench.continual.methods.trgp import TRGPParams
from workbench.continual.multihead import mlp
from workbench.continual.package_tasks import package_tasks
from workbench.continual.streams import permuted_pixels, split_cifar100
from workbench.cost.mixes import mix_cost
from workbench.credit import bases
from workbench.credit.signals import direct_feedback_through
from workbench.experiments import fine_tuning
from workbench.experiments.flow import FLOW_CELLS, FLOW_FACTORS
from workbench.networks.architectures import PAPER_IMAGES, PAPER_SOUND, RELEASED_IMAGES, RELEASED_SOUND
from workbench.networks.layers import TimeDropout
from workbench.neurons import traces, windows
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import logistic, psi_flow, psi_gesture, psi_images, psi_images_printed, psi_speech
from workbench.neurons.traces import Factors
from workbench.rules import bptt, eprop, lls, local_classifier, ottt, stdp, stllr, tess
from workbench.rules.forward_forward import ForwardForward
from workbench.rules.lls import LLS
from workbench.rules.stllr import STLLR
from workbench.training.setting import Place


def default(function, name):
    return inspect.signature(function).parameters[name].default


STLLR_TABLE, STLLR_APPENDIX = "S-TLLR, arXiv 2306.15220, Table 2", "S-TLLR, arXiv 2306.15220, Appendix A"
TESS_SETTINGS = "TESS, arXiv 2502.01837, training settings"
LLS_SCRIPT = "LLS, released script for all tables (arXiv 2405.15868)"
CODE_CL_SCRIPT = "CODE-CL, released script, Split CIFAR-100 (arXiv 2411.15235)"
LANCE_README, LANCE_CL = "LANCE, arXiv 2509.21617, README", "LANCE, released script, Split CIFAR-100"

TABLE = [
    ("S-TLLR: λ_post, λ_pre, α_post, α_pre, DVS Gesture", Factors(), (0.2, 0.75, -1.0, 1.0), STLLR_TABLE),
    ("… the same, by its name", traces.GESTURE, (0.2, 0.75, -1.0, 1.0), STLLR_TABLE),
    ("… DVS CIFAR10", traces.FILMED_IMAGES, (0.2, 0.5, -1.0, 1.0), STLLR_TABLE),
    ("… N-Caltech101", traces.SACCADES, (0.2, 0.5, -1.0, 1.0), STLLR_TABLE),
    ("… SHD", traces.SPOKEN_DIGITS, (0.5, 1.0, 1.0, 1.0), STLLR_TABLE),
    ("… MVSEC", traces.MOTION, (0.5, 0.8, -0.2, 1.0), STLLR_TABLE),
    ("… MVSEC, as the experiment takes it", FLOW_FACTORS, (0.5, 0.8, -0.2, 1.0), STLLR_TABLE),
    ("S-TLLR: factors of the rule", STLLR().factors, Factors(), STLLR_TABLE),
    ("S-TLLR: λ_post of the non-causal term left out", STLLR().released_noncausal, False, "S-TLLR, eq. 10"),
    ("S-TLLR: γ, v_th, images", PAPER_IMAGES, (0.5, 0.8), STLLR_APPENDIX),
    ("S-TLLR: γ, v_th, SHD", PAPER_SOUND, (0.99, 0.8), STLLR_APPENDIX),
    ("S-TLLR: γ, v_th, MVSEC", FLOW_CELLS.neuron, (0.88, 0.6), STLLR_APPENDIX),
    ("S-TLLR as released: γ, v_th, images", RELEASED_IMAGES, (0.5, 0.6), "S-TLLR, released code"),
    ("S-TLLR as released: v_th, SHD", RELEASED_SOUND.threshold, 0.6, "S-TLLR, released code"),
    ("S-TLLR as released: dropout", TimeDropout().p, 0.1, "S-TLLR, released code, DVS CIFAR10"),
    ("TESS: λ_post, λ_pre, α_post (CIFAR), α_pre", tess.FACTORS, (0.2, 0.5, 1.0, 1.0), TESS_SETTINGS),
    ("TESS: γ, v_th", Neuron(), (0.5, 0.6), TESS_SETTINGS),
    ("TESS: t_l = 0, every step learns", default(tess.TESS, "last_steps"), None, TESS_SETTINGS),
    ("TESS: basis", default(tess.make_heads, "basis"), bases.square, "TESS, eq. 9: square waves of ±1"),
    ("OTTT: every step learns", ottt.OTTT().last_steps, None, "OTTT, arXiv 2210.04195, eq. 4 and 5"),
    ("e-prop: every step learns", eprop.EProp().last_steps, None, "e-prop, doi 10.1038/s41467-020-17236-y"),
    ("BPTT: every step has a loss", bptt.BPTT()[:3], (None, False, None), "S-TLLR, eq. 12, T_l = 0"),
    ("LLS: τ, label smoothing, ẑ", LLS(), (0.5, 0.0, True), LLS_SCRIPT),
    ("LLS: basis", default(lls.local_head, "basis"), bases.square, "LLS, Tables 2 and 3"),
    ("LLS: first and last frequency", bases.released_frequencies(10)[[0, -1]].tolist(), [50.0, 512.0], "LLS code"),
    ("LLS-Random: standard deviation of B", default(bases.random, "scale"), 0.1, "LLS, released code"),
    ("local classifier: τ, smoothing, ẑ", local_classifier.PLAIN, (1.0, 0.0, False), "LLS, released code: LocalLosses"),
    ("Forward-Forward: θ", ForwardForward().threshold, 2.0, "arXiv 2212.13345, author's code"),
    ("CODE-CL: aperture α", CodeCLParams().aperture, 6.0, CODE_CL_SCRIPT),
    ("CODE-CL: kept share θ", CodeCLParams().kept, 0.95, CODE_CL_SCRIPT),
    ("CODE-CL: smallest value", CodeCLParams().floor, 0.2, CODE_CL_SCRIPT),
    ("CODE-CL: least overlap ρ", CodeCLParams().overlap, 0.5, "CODE-CL, released code"),
    ("CODE-CL: free directions K", CodeCLParams().free_directions, 80, CODE_CL_SCRIPT),
    ("CODE-CL: samples of a task", CodeCLParams().samples, 125, CODE_CL_SCRIPT),
    ("CODE-CL: growth of the aperture", CodeCLParams().growth, 1.1, "CODE-CL, released code"),
    (
        "CODE-CL: a task starts from the old function",
        CodeCLParams().initial_mixing,
        identity_mixing,
        "ours: see code_cl",
    ),
    ("CODE-CL: schedule", Plateau(), (0.05, 6, 0.5, 1e-5), CODE_CL_SCRIPT),
    ("GPM: ε, increase, samples", GPMParams(), (0.97, 0.003, 125), "GPM, arXiv 2103.09762, Split CIFAR-100"),
    ("SGP: α, ε, increase, samples", SGPParams(), (10.0, 0.97, 0.003, 125), "SGP, arXiv 2302.01386, Split CIFAR-100"),
    ("TRGP: relation ε, tasks", TRGPParams()[:2], (0.5, 2), "TRGP, arXiv 2202.02931, experiments"),
    ("TRGP: ε, increase, samples", TRGPParams()[2:], (0.97, 0.003, 125), "as GPM"),
    ("LANCE: energy ε", default(compress, "energy"), 0.7, LANCE_README),
    ("LANCE: space and feature modes cut, batch mode ours", Modes(), (False, True, True), "LANCE code cuts all three"),
    ("LANCE: gradient norm", default(fine_tuning.gradients, "max_norm"), 2.0, LANCE_README),
    ("LANCE-CL: ε, increase, ε of positions, samples", LanceContinualParams()[:4], (0.97, 0.003, 0.98, 704), LANCE_CL),
]


@pytest.mark.parametrize(("what", "found", "paper", "place"), TABLE, ids=[row[0] for row in TABLE])
def test_defaults_are_the_papers(what, found, paper, place):
    assert found == paper, f"{what}: {place} has {paper}"


def test_every_row_says_where_its_value_comes_from():
    assert all(len(place) > 5 for *_, place in TABLE)
    assert len({what for what, *_ in TABLE}) == len(TABLE)


def test_first_values_of_the_trained_modulations():
    """LLS-M and LLS-MxM: 0.01 · N(0, 1); the trained classifier 0.1 · N(0, 1), as in the released code."""
    torch.manual_seed(0)
    m, M = lls.per_class(2000, 2000), lls.mixing(200, 50)
    for values, deviation in ((m, 0.01), (M, 0.01), (local_classifier.TrainedHead(2000, 10).weight, 0.1)):
        values = values.detach()
        assert float(values.std()) == pytest.approx(deviation, rel=0.05)
        assert float(values.mean().abs()) < 0.1 * deviation
    assert M.shape == (200, 50)


def test_secondary_activations_of_the_appendix():
    """Appendix A.3, at v = 0, at v = 0.1 and at v = 0.5."""
    v = torch.tensor([0.0, 0.1, 0.5, -0.5], dtype=torch.float64)
    s, printed = torch.sigmoid(4 * v), torch.sigmoid(v)
    for psi, expected in (
        (psi_speech, 1 / (100 * v.abs() + 1) ** 2),
        (psi_gesture, 0.3 * (1 - v.abs()).clamp(min=0)),
        (psi_images, 4 * s * (1 - s)),
        (psi_images_printed, 4 * printed * (1 - printed)),
        (psi_flow, 1 / (1 + (10 * v) ** 2)),
    ):
        torch.testing.assert_close(psi(v), expected)


def test_default_signal_of_the_rules_is_backpropagation_within_the_step():
    assert stllr.STLLR().signal is ottt.OTTT().signal is eprop.EProp().signal is stllr.BACKPROPAGATION


def functions(package):
    """Every function and every class's constructor that a room defines."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if callable(value) and getattr(value, "__module__", None) == found.name:
                yield value


@pytest.mark.parametrize("room", ["neurons", "credit", "rules", "continual", "compression", "networks"])
def test_every_seed_is_0(room):
    """Two that draw with their defaults draw the same, wherever they stand."""
    wrong = {}
    for function in functions(importlib.import_module(f"workbench.{room}")):
        parameters = {}
        with contextlib.suppress(ValueError, TypeError):
            parameters = inspect.signature(function).parameters
        if "seed" in parameters and parameters["seed"].default not in (0, inspect.Parameter.empty):
            wrong[function.__qualname__] = parameters["seed"].default
    assert not wrong


OURS = [
    (permuted_pixels, {"n_tasks": 10}),
    (split_cifar100, {"n_tasks": 10, "order": None}),
    (split_mini_imagenet, {"n_tasks": 20, "side": 84, "train_part": 5 / 6}),
    (package_tasks, {"per_class": 100, "test_per_class": 20}),
    (mlp, {"sizes": (784, 100, 100)}),
    (Replay, {"per_task": 100}),
    (AGEM, {"per_task": 100}),
    (EWC, {"strength": 10.0, "batches": 100, "batch_size": 4}),
    (clouds.pair, {"d": 2}),
    (windows.PairRule, {"a_plus": 1.0, "a_minus": 1.0, "tau_plus": 20.0, "tau_minus": 20.0}),
    (windows.stdp_window, {"potentiation": True, "depression": True}),
    (windows.stllr_window, {"released": False}),
    (lls.by_definition, {"temperature": LLS().temperature}),
    (stllr.by_definition, {"readout_decay": 0.0, "last_steps": None}),
    (stdp.by_definition, {"readout_decay": 0.0, "last_steps": None}),
    (logistic, {"slope": 4.0, "height": None}),
    (direct_feedback_through, {"mean": True}),
    (mix_cost, {"learning_steps": None, "at_once": 4}),
]


@pytest.mark.parametrize(("function", "values"), OURS, ids=lambda each: getattr(each, "__qualname__", ""))
def test_defaults_of_our_own_streams_and_pictures(function, values):
    assert {name: default(function, name) for name in values} == values


def test_a_run_begins_at_nothing():
    assert not any(StreamPlace())
    assert Place()[:3] == (0, 0.0, 0)
    assert Clock().seconds == 0.0
