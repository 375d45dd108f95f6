"""What `help` shows of rules and parameters can be read: short, and without addresses in memory."""

import inspect
import re
from functools import partial
from importlib import import_module

import pytest

from workbench.credit import BACKPROPAGATION, READOUT_ONLY, summed_cross_entropy
from workbench.faces import short_repr
from workbench.kernels import NUMBA
from workbench.networks import Cells
from workbench.neurons import Factors, Neuron, hard_reset
from workbench.rules import BPTT, STLLR
from workbench.rules import __all__ as rules

FILES = [name for name in rules if inspect.ismodule(getattr(import_module("workbench.rules"), name))]

PARAMETERS = "neurons compression continual continual.methods credit data networks rules training"
FACES = [f"workbench.{room}" for room in PARAMETERS.split(" ")]


def shown(function) -> str:
    """The signature as it is written in the file: names without their modules."""
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=\w)", "", f"{function.__name__}{inspect.signature(function)}")


@pytest.mark.parametrize("name", FILES)
def test_the_signatures_of_a_rule_can_be_read(name):
    module = import_module(f"workbench.rules.{name}")
    for function in (module.gradients, getattr(module, "online", module.gradients)):
        assert len(shown(function)) < 200, shown(function)
        assert " at 0x" not in str(inspect.signature(function))


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (STLLR(), "STLLR()"),
        (Neuron(0.8), "Neuron(decay=0.8)"),
        (Neuron(0.5, threshold=1), "Neuron(threshold=1)"),
        (STLLR(Factors(alpha_post=0.0), last_steps=5), "STLLR(factors=Factors(alpha_post=0.0), last_steps=5)"),
        (BPTT(loss=max), "BPTT(loss=max)"),
        (STLLR(signal=READOUT_ONLY), "STLLR(signal=Signal(teach=backpropagate, cut=True))"),
        (BPTT(loss=partial(summed_cross_entropy, y=1)), "BPTT(loss=partial(summed_cross_entropy, y=1))"),
        (Cells(Neuron(), reset=hard_reset), "Cells(neuron=Neuron(), reset=hard_reset)"),
    ],
)
def test_parameters_show_what_differs_from_the_defaults(parameters, text):
    assert repr(parameters) == text


def test_parameters_show_no_address():
    assert " at 0x" not in repr((BACKPROPAGATION, NUMBA, STLLR(kernels=NUMBA), Cells()))


def test_every_tuple_that_needs_no_argument_has_the_short_form():
    """It is a tuple of parameters, or says here why it is none."""
    others = {
        "EventCamera": "its text is the name of a file of simulated recordings, so every field stands in it",
        "Locality": "a claim in words",
        "Place": "where a run was when it was saved",
    }
    for name, each in (
        (name, getattr(module, name)) for module in map(import_module, FACES) for name in module.__all__
    ):
        if inspect.isclass(each) and getattr(each, "_fields", ()) and set(each._fields) == set(each._field_defaults):
            assert each.__repr__ is short_repr or name in others, f"write `__repr__ = short_repr` into {name}"
