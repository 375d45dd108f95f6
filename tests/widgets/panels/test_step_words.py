"""The equations and sentences of `StepByStep`, with the very numbers of the stage."""

import pytest

from widgets.panels.step import RULES, StepByStep
from widgets.panels.step_pictures import MATRICES, STRIPS
from widgets.panels.step_words import EQUATIONS, SENTENCES, number
from workbench.watch.one_update import UPDATES

pytestmark = pytest.mark.usefixtures("unchecked")


@pytest.mark.parametrize("rule", RULES)
def test_each_stage_of_a_rule_has_a_term_a_sentence_and_a_tile(rule):
    name = RULES[rule]
    terms = {stage.name for stage in UPDATES[name](0).stages}
    assert set(SENTENCES[name]) == terms
    assert all(any(f"[[{term}|" in line for line in EQUATIONS[name]) for term in terms)
    shown = {strip.name for strip in STRIPS[name]} | {term for matrix in MATRICES[name] for term in matrix.acts}
    assert terms <= shown


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "Step 2: the pre trace of synapse 1 is 1.00, ψ is 0.27 (and −0.04 for a spike behind the neuron’s own"),
        ({}, "the signal −0.72: the weight grows by 0.166 (0.166 so far)."),
        ({"at": 7}, "the trace of input 1 keeps 0.75 of its 0.00 + 1 for the spike: q = 1.00."),
        ({"at": 8}, "neuron 1 fires, its membrane 0.69 is 0.09 over the threshold: ψ = 0.27"),
        ({"at": 3}, "neuron 1 has no past yet, its trace is h = 0."),
        (
            {"at": 10, "rule": "TESS"},
            "with p = 0.63; its row of B tells neuron 1 δ = −0.34, that is: fire more. No other",
        ),
        ({"at": 6, "rule": "LLS"}, "units 1 and 2 give 0.81 and 2.55; latent 1 is their mean, 1.68."),
        ({"at": 10, "rule": "LLS"}, "half of it goes to each of its two units: unit 1 gets 0.032. Nothing comes from"),
        ({"at": 9, "rule": "CODE-CL"}, "the old task claims 69% of this input’s length"),
        ({"rule": "CODE-CL"}, "An old input’s answer in neuron 1 has moved by 0.012; without C it would be 0.349."),
        ({"at": 7, "rule": "LANCE"}, "of three numbers, 1 is kept, 1.14; x itself is let go."),
        ({"at": 10, "rule": "LANCE"}, "The cosine of both gradients so far is 0.75."),
    ],
)
def test_the_sentence(state, words):
    assert words in StepByStep(**state).text


def test_the_equation_with_numbers_fills_up_as_they_are_found():
    panel = StepByStep(at=6)
    assert panel.formula.plain[1] == "Δw_11 = − … · (1 · … · … + (−1) · 1.00 · …) = …"
    panel.state = {"at": 11}
    assert panel.formula.plain[1] == "Δw_11 = − (−0.72) · (1 · 0.27 · 1.00 + (−1) · 1.00 · 0.04) = 0.166"


def test_numbers_are_written_with_a_minus_and_without_minus_zero():
    assert [number(-0.251), number(-0.001), number(0.0612, 3), number(1, 0)] == ["−0.25", "0.00", "0.061", "1"]
