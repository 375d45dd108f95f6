"""Exercises of notebook 16: rules of several kinds keep the laws, each law is broken by an answer that is kept."""

import pytest
import torch
from student_answers import FUNCTIONS, function

from workbench.course.exercises.own_rule import (
    NEW_PART,
    OWN_RULE,
    PROOF_AND_AUDIT,
    batch,
    by_autograd,
    cosine,
    kept_size,
    network,
    new_part,
    of_one_step,
    slow_and_fast,
    updates,
)
from workbench.course.exercises.proved import kept
from workbench.credit import Ran, attach
from workbench.networks import advance
from workbench.rules import bptt

pytestmark = pytest.mark.usefixtures("unchecked")  # the checks of a student's code go through every line of those


def with_traces(*decays, scale=1.0):
    """The rule of a sum of traces, which come in any number."""

    def run_step(step):
        neurons, *traces = step.state or (None, *[(0.0, 0.0)] * len(decays))
        ran = advance(step.layer, step.x, step.weights, neurons)
        x = step.x[0].detach()
        traces = [(decay * q + x, decay * one + 1) for decay, (q, one) in zip(decays, traces, strict=True)]
        p, one = (scale * sum(part) for part in zip(*traces, strict=True))
        return Ran(attach(step, ran, p, one=one), (ran.neurons, *traces))

    return run_step


@pytest.mark.parametrize(
    "rule", [with_traces(0.7, 0.2), with_traces(0.95, scale=0.05)], ids=["two traces", "one slow trace"]
)
def test_rules_of_many_kinds_are_right(rule):
    assert OWN_RULE.judge(rule).words.startswith("Right. In a single step")


def test_the_solution_keeps_all_laws():
    assert kept(OWN_RULE) == [law.mistake for law in OWN_RULE.laws]


def test_every_law_is_broken_by_an_answer_that_is_kept():
    """But the last one: a step that is handed one step at a time cannot know of later ones. It is the audit's."""
    broken = {mistake for mistake, _ in FUNCTIONS["own_rule"]}
    assert {law.mistake for law in OWN_RULE.laws[:-1]} <= broken


def test_wrong_answers_are_refused_and_named():
    assert len(FUNCTIONS["own_rule"]) >= 12
    for mistake, body in FUNCTIONS["own_rule"]:
        verdict = OWN_RULE.judge(function(OWN_RULE, body))
        assert (verdict.right, verdict.mistake) == (False, mistake), f"{body}\n{verdict}"
        assert verdict.words.startswith("Not yet: ")


def test_in_a_single_step_the_reference_is_bptt():
    """The written-out gradient is that of the library's, found another way."""
    x, y = batch(1)
    bptt.gradients(network(), x, y)
    theirs = [torch.as_tensor(layer.connection.weight.grad) for layer in network().hidden]
    network().zero_grad(set_to_none=True)
    for ours, other in zip(by_autograd(x[0], y), theirs, strict=True):
        assert torch.allclose(ours, other, atol=1e-12)
        assert other.norm() > 1e-3
    found = [update[:, :-1] for update in updates(of_one_step, x, y)]
    assert min(cosine(found, theirs)) > 1 - 1e-12


def test_judging_leaves_the_network_and_the_generator_alone():
    before = torch.get_rng_state()
    weights = [weight.clone() for weight in network().parameters()]
    assert OWN_RULE.judge(slow_and_fast).right
    assert torch.equal(before, torch.get_rng_state())
    assert all(map(torch.equal, weights, network().parameters()))
    assert all(weight.grad is None for weight in network().parameters())


def test_what_is_kept_is_counted_in_whatever_it_lies():
    def listing(step):
        ran = slow_and_fast(step._replace(state=step.state[0] if step.state else None))
        past = (step.state[1]["all"] if step.state else []) + [step.x[0].detach()]
        return Ran(ran.spikes, (ran.state, {"all": past}))

    assert kept_size(listing, 4) - kept_size(listing, 2) == 2 * batch()[0][0].numel()
    assert OWN_RULE.judge(listing).mistake == "kept every step"


def test_the_new_part_is_the_double_sum():
    x = torch.rand(6, 2, dtype=torch.float64)
    for t in range(6):
        p = sum((0.7 ** (t - k) - 0.1 * 0.9 ** (t - k)) * x[k] for k in range(t + 1))
        assert torch.allclose(new_part(x, 0.7, 0.9)[t], torch.as_tensor(p), atol=1e-12)


def test_one_bug_is_between_what_the_student_gets_and_the_right_function():
    def given(x, gamma, rho, late=True):
        q = r = torch.zeros_like(x[0])
        p = []
        for now in x:
            q = gamma * q + now
            before = r
            r = rho * r + (1 - rho) * now
            p.append(q - (before if late else r))
        return torch.stack(p)

    assert NEW_PART.judge(given).mistake == "left the bug"
    assert NEW_PART.judge(lambda x, gamma, rho: given(x, gamma, rho, late=False)).right


def test_the_answer_about_proof_and_audit():
    assert PROOF_AND_AUDIT.right == ("c", "1")
