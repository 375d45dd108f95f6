"""The map holds what `workbench.audit.locality` measures, and says what is known of the rules."""

import pytest
import torch

from workbench.audit.by_name import prepared
from workbench.audit.locality import space_dependence, time_dependence, updates_by_step
from workbench.rules import rule_named, tess
from workbench.watch.dependence import LAYERS, LEAST, MOST, STEPS, dependence, mapped_rules, shade, small_problem

pytestmark = pytest.mark.usefixtures("unchecked")

RULES = [rule.name for rule in mapped_rules()]


@pytest.mark.parametrize("rule", RULES)
def test_local_where_the_paper_says_so_and_nowhere_else(rule):
    found, claim = dependence(rule), rule_named(rule).claim
    broken = {
        "tess-released": "the released script hands no target to a layer",
        "stllr-dfa": "direct feedback brings the error of the readout, and with it the weights of the readout",
    }
    unclaimed = {"stdp": (True, True), "reward": (False, True)}  # reward is read at the output
    local = unclaimed[rule] if claim is None else (claim.local.space and rule not in broken, claim.local.time)
    assert ((found.space.later == 0), (found.time.later == 0)) == local


@pytest.mark.parametrize("rule", RULES)
def test_every_update_depends_on_all_that_lies_before_it(rule):
    found = dependence(rule)
    assert len(found.space.layers) == len(LAYERS)
    for layer in range(len(LAYERS)):
        assert (found.of_layers(layer)[: layer + 1] > 0).all()
        changes = found.of_steps(layer)
        assert changes.shape == (STEPS, STEPS)
        silent = 2 if rule == "tp" and LAYERS[layer] != "readout" else 0  # steps before the label's own path fires
        assert (changes[silent:][torch.ones(STEPS, STEPS).tril()[silent:] > 0] > 0).all()
        assert not changes[:silent].any()
    if rule == "bptt":
        assert all((found.of_steps(layer) > 0).all() for layer in range(len(LAYERS)))


def test_it_is_measured_on_the_small_problem():
    problem = small_problem()
    gradients, by_step = prepared(tess.RULE, problem)
    assert by_step is not None
    found = dependence("tess")
    space = space_dependence(problem.network, problem.x, problem.y, gradients)
    time = time_dependence(problem.network, problem.x, problem.y, updates_by_step(by_step))
    assert torch.equal(found.space.change, space.change)
    assert all(torch.equal(found.of_steps(k), time.change[name]) for k, name in enumerate(space.layers))


def test_it_is_kept_and_draws_no_random_numbers_of_others():
    before = torch.random.get_rng_state()
    small_problem()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert dependence("eprop") is dependence("eprop")


def test_a_rule_that_is_not_there():
    with pytest.raises(ValueError, match="no map of rule 'lls'; there are bptt, stllr, stllr-causal"):
        dependence("lls")


def test_only_zero_has_the_shade_zero():
    change = torch.tensor([0.0, 1e-30, LEAST, 0.1, MOST, 9.0])
    found = shade(change)
    assert found[0] == 0
    assert (found[1:] >= 0.1 - 1e-6).all()
    assert found.diff().min() >= 0
    assert found[-1] == found[-2] == pytest.approx(1.0)
    middle = shade(torch.tensor([(LEAST * MOST) ** 0.5]))
    assert float(middle) == pytest.approx(0.55)
