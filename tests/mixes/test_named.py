"""Published rules are points of the axes, with the numbers that their own files give."""

import pytest
import torch
from small_networks import CLASSES, inputs, labels, network

from workbench.continual.learning import StreamSetting, sgd
from workbench.continual.methods.code_cl import CodeCL
from workbench.continual.methods.ewc import EWC
from workbench.continual.methods.gpm import GPM
from workbench.continual.methods.lance import LanceContinual, LanceContinualParams
from workbench.continual.methods.sgp import SGP
from workbench.continual.methods.subspace import SubspaceParams
from workbench.continual.methods.trgp import TRGP
from workbench.continual.multihead import SharedHead
from workbench.continual.streams import permuted_pixels, small_fashion_mnist
from workbench.mixes import AXES, NAMED, SUBSPACE, Mix, learner, mix_named, prepare
from workbench.networks.block_networks import dense_network
from workbench.rule import Steps
from workbench.rules import rule_named
from workbench.training.loop import train
from workbench.training.setting import Plan

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


def learned(make, dtype=torch.float32) -> torch.Tensor:
    """Answers after two tasks of ten batches, learned by what `make(network, x)` makes for a network of blocks."""
    network = SharedHead(dense_network([784, 20, 20], 10, normalize=False, seed=0).to(dtype))
    few = [
        t._replace(train_x=t.train_x[:640].to(dtype), train_y=t.train_y[:640], test_x=t.test_x.to(dtype))
        for t in permuted_pixels(small_fashion_mnist(), 2)
    ]
    method = make(network, few[0].train_x[:64])
    *_, last = train(StreamSetting(method, few, sgd(0.05)), Plan(1))
    assert len(last.rows) == 2
    return torch.cat([network(task.test_x, number).detach() for number, task in enumerate(few)])


@pytest.mark.parametrize(
    ("named", "mix"), [(GPM, "gpm"), (SGP, "sgp"), (TRGP, "trgp"), (CodeCL, "code-cl"), (EWC, "ewc")]
)
def test_methods_are_bit_equal_to_their_files(named, mix):
    """The method of the file teaches by backpropagation."""
    by_file = learned(lambda network, x: named(network))
    by_mix = learned(lambda network, x: learner(mix_named(mix), network, [x], 10))
    assert torch.equal(by_file, by_mix)


def test_lance_s_subspace_is_that_of_its_file_up_to_rounding():
    """Vectors have no positions to leave out, so that a projected gradient and a gradient of the core are the same."""
    params = LanceContinualParams(samples=SubspaceParams().samples)
    by_file = learned(lambda network, x: LanceContinual(network, params), torch.float64)
    by_mix = learned(lambda network, x: learner(Mix(direction=SUBSPACE), network, [x], 10), torch.float64)
    torch.testing.assert_close(by_file, by_mix, rtol=0, atol=1e-9)
    assert not torch.allclose(by_file, learned(lambda network, x: GPM(network), torch.float64), atol=1e-3)


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
