"""Published rules are points of the axes, with the numbers that their own files give."""

import pytest
import torch
from small_networks import CLASSES, inputs, labels, network

from workbench.mixes import AXES, NAMED, Mix, mix_named, prepare
from workbench.rule import Steps
from workbench.rules import rule_named

SPIKING = ["bptt", "stllr", "stllr-dfa", "ottt", "eprop", "tess", "reward"]
BLOCKS = ["bp", "fa", "dfa", "drtp", "lls"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", SPIKING)
@pytest.mark.parametrize("kind", ["dense", "recurrent"])
def test_spiking_rules_are_bit_equal_to_their_files(name, kind, dtype):
    x, y, grads = inputs(kind).to(dtype), labels(kind), []
    n = network(kind).to(dtype)
    for rule in (
        rule_named(name).for_spiking(n, x, CLASSES, Steps(3)).gradients,
        prepare(mix_named(name), n, [x], CLASSES, Steps(3)).gradients,
    ):
        n.zero_grad()
        rule(n, x, y)
        grads.append([p.grad.clone() for p in n.parameters()])
    assert all(map(torch.equal, *grads))


@pytest.mark.parametrize("name", BLOCKS)
def test_block_rules_are_bit_equal_to_their_files(name):
    x, y, grads = inputs("blocks").float(), labels("blocks"), []
    n = network("blocks").float()
    by_mix = prepare(mix_named(name), n, [x], CLASSES).gradients
    for rule in (by_mix, rule_named(name).for_blocks.prepare(n, (1, 6, 6), 0)):
        n.zero_grad()
        rule(n, x, y)
        grads.append([p.grad.clone() for p in n.blocks.parameters()])
    assert all(map(torch.equal, *grads))


def test_words_become_mixes_and_wrong_ones_are_named():
    assert str(mix_named("traces+tess+lance+gpm")) == "traces+tess+lance+gpm"
    assert mix_named("instant") == Mix()
    assert mix_named("code-cl") is NAMED["code-cl"]
    with pytest.raises(ValueError, match=r"the axis space has no answer 'tes'.*tess"):
        mix_named("traces+tes")
    with pytest.raises(ValueError, match=r"there is no mix 'stlr'.*stllr"):
        mix_named("stlr")
    with pytest.raises(ValueError, match=r"a mix has four answers.*got 5"):
        mix_named("a+b+c+d+e")
    assert [axis for axis, _ in AXES] == list(Mix._fields)
