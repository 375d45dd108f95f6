"""Rules of one's own as mixes: any direction, the same numbers, and what is refused."""

import pytest
import torch
from small_networks import CLASSES, inputs, labels, network

from workbench.continual.spiking_tasks import SpikingTasks
from workbench.mixes import GPM_DIRECTION, LANCE, learner, mix_named, of_rule, prepare, refusal
from workbench.rule import Steps
from workbench.rules import rule_named


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["dense", "recurrent"])
def test_a_rule_moves_as_it_does_alone(kind, dtype):
    x, y, grads = inputs(kind).to(dtype), labels(kind), []
    n, rule = network(kind).to(dtype), rule_named("ndot")
    for gradients in (
        rule.for_spiking(n, x, CLASSES, Steps(3)).gradients,
        prepare(of_rule(rule), n, [x], CLASSES, Steps(3)).gradients,
    ):
        n.zero_grad()
        gradients(n, x, y)
        grads.append([p.grad.clone() for p in n.parameters() if p.grad is not None])
    assert grads[0]
    assert all(map(torch.equal, *grads))


def test_its_steps_stay_outside_what_gpm_protects():
    """The first task shows the first three inputs only: afterwards their weights stay, and the others learn."""
    n, x, y = network("dense"), inputs("dense"), labels("dense")
    method = learner(of_rule(rule_named("ndot"), direction=GPM_DIRECTION), SpikingTasks(n), [x], CLASSES)
    new, first = x.transpose(0, 1), n.hidden[0].connection
    old = new * (torch.arange(new.shape[2]) < 3)
    method.before_task(0, old, y)
    method.after_task(0, old, y)
    method.before_task(1, new, y)
    before = first.weight.detach().clone()
    method.learn(torch.optim.Adam([p for p in n.parameters() if p.requires_grad], 1e-2), new, y, 1)
    step = first.weight.detach() - before
    assert step[:, 3:].abs().max() > 1e-3
    assert step[:, :3].abs().max() < 1e-6


def test_what_a_rule_cannot_train_and_keep_is_refused_with_the_reason():
    ndot, fa = (rule_named(name) for name in ("ndot", "drtp"))
    assert "'ndot' does not say for_blocks" in refusal(of_rule(ndot), "blocks")
    assert refusal(of_rule(ndot), "dense") is None
    assert refusal(of_rule(fa), "blocks") is None
    with pytest.raises(ValueError, match=r"'ndot' fills .grad itself .* 'lance' would change nothing; take 'all'"):
        of_rule(ndot, LANCE)


def test_words():
    assert str(mix_named("workbench.rules.ndot:RULE+gpm")) == "ndot+ndot+all+gpm"
    assert str(mix_named("workbench.rules.ndot:RULE+all+ewc")) == "ndot+ndot+all+ewc"
    assert str(mix_named("workbench.rules.ndot:RULE")) == "ndot+ndot+all+anywhere"
    with pytest.raises(ValueError, match=r"the axis direction has no answer 'gmp'.*gpm"):
        mix_named("workbench.rules.ndot:RULE+gmp")
    with pytest.raises(ValueError, match=r"come memory and direction, got 3: 'all\+gpm\+ewc'"):
        mix_named("workbench.rules.ndot:RULE+all+gpm+ewc")
