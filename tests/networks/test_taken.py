"""Somebody's own network as blocks: the same layers, the same numbers, every rule for blocks, and plain refusals."""

import jaxtyping
import own_networks
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from workbench.credit import block_pass
from workbench.networks.block_networks import small_conv
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.resnet import ResNet
from workbench.networks.taken import take_blocks
from workbench.rules import RULES, backprop, lls
from workbench.rules.lls import mixing, per_class, random_head
from workbench.training.network_file import load_network, save_network

NAMES = list(own_networks.PLAIN)
SHAPE = (1, 12, 12)
FOR_BLOCKS = {rule.name: rule for rule in RULES if rule.for_blocks is not None}


def gradients(module):
    return {name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.double, 1e-12), (torch.float, 2e-5)])
@pytest.mark.parametrize("name", [*NAMES, *range(12)])
def test_backpropagation_is_that_of_the_module(name, dtype, tolerance):
    module, x, y = own_networks.plain(name, dtype)
    network = take_blocks(module, SHAPE)
    assert module.training
    loss = F.cross_entropy(module(x.clone()), y)
    loss.backward()
    expected = gradients(module)
    module.zero_grad()
    report = backprop.gradients(network, x.clone(), y)
    assert report.loss == pytest.approx(loss.item(), abs=tolerance)
    found = gradients(module)
    assert found.keys() == expected.keys() == dict(module.named_parameters()).keys()
    for key, value in expected.items():
        assert torch.allclose(found[key], value, atol=tolerance), key


def by_hand(network, x, y, temperature=0.5):
    """LLS by autograd, block by block."""
    for block, head in zip(network.blocks, network.heads, strict=True):
        x = x.detach()
        for part in block.body:
            x = part(x)
        a = x
        z = (F.adaptive_avg_pool2d(a, block.cells) if a.ndim == 4 else a).flatten(1)
        F.cross_entropy(F.normalize(z, dim=1) @ head.basis.T / temperature, y).backward()
        for part in block.between:
            x = part(x)
    F.cross_entropy(network.classifier(x.detach()), y).backward()


@pytest.mark.parametrize("name", [*NAMES, *range(12)])
def test_lls_is_that_of_each_block_alone(name, monkeypatch):
    monkeypatch.setattr(block_pass, "PIECE_BYTES", 2 * 5 * 144 * 8)  # two samples at a time
    module, x, y = own_networks.plain(name)
    network = take_blocks(module, SHAPE, make_head=random_head(10), cells=2)
    by_hand(network, x, y)
    expected = gradients(module)
    module.zero_grad()
    lls.gradients(network, x, y)
    for key, value in gradients(module).items():
        assert torch.allclose(value, expected[key], atol=1e-12), key


def test_what_hands_on_its_input_is_handed_a_copy(monkeypatch):
    """A block that runs in pieces writes each piece into the same memory."""
    monkeypatch.setattr(block_pass, "PIECE_BYTES", 2 * 4 * 144 * 8)
    torch.manual_seed(0)
    first = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.LeakyReLU(), nn.Identity()]
    module = nn.Sequential(*first, nn.Conv2d(4, 3, 3), nn.Flatten(), nn.Linear(300, 10)).double()
    network = take_blocks(module, SHAPE, make_head=random_head(10))
    _, x, y = own_networks.plain("chain")
    by_hand(network, x, y)
    expected = gradients(module)
    module.zero_grad()
    lls.gradients(network, x, y)
    assert all(torch.allclose(value, expected[key], atol=1e-12) for key, value in gradients(module).items())


@pytest.mark.parametrize("rule", FOR_BLOCKS)
@pytest.mark.parametrize("name", NAMES)
def test_every_rule_for_blocks_teaches_every_layer(name, rule):
    form = FOR_BLOCKS[rule].for_blocks
    module, x, y = own_networks.plain(name)
    head = random_head(10) if rule == "lls" else form.head(10)
    network = take_blocks(module, SHAPE, make_head=head)
    form.prepare(network, SHAPE, 0)(network, x, y)
    silent = [key for key, p in module.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not silent


@pytest.mark.parametrize("modulation", [per_class, mixing])
def test_heads_that_learn_are_part_of_the_network(modulation):
    module, x, y = own_networks.plain("handmade")
    network = take_blocks(module, SHAPE, make_head=random_head(10, modulation))
    lls.gradients(network, x, y)
    assert all(head.modulation.grad.dtype == x.dtype for head in network.heads)


def test_an_optimiser_of_the_module_trains_it():
    module, x, y = own_networks.plain("residual", torch.float)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    network, before = take_blocks(module, SHAPE), F.cross_entropy(module(x), y)
    for _ in range(5):
        optimizer.zero_grad()
        backprop.gradients(network, x, y)
        optimizer.step()
    assert F.cross_entropy(module(x), y) < 0.85 * before
    assert {id(p) for p in network.parameters()} == {id(p) for p in module.parameters()}


def test_where_it_is_cut():
    blocks = {name: take_blocks(own_networks.plain(name)[0], SHAPE) for name in NAMES}
    assert {name: network.describe() for name, network in blocks.items()} == {
        "handmade": "4–8–12–10",
        "residual": "4–4–4–8–10",  # a unit with its shortcut is one block
        "dense": "3–2–4–10",
        "chain": "5–9–10",
    }
    assert [block.n_latents() for block in blocks["dense"].blocks] == [3 * 64, 5 * 64, 4 * 64]


def test_a_published_residual_network(monkeypatch):
    """Its units decide by numbers whether to pad their shortcuts."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # stand-ins have no shape
    network = ResNet(1)
    taken, x = take_blocks(network, (3, 16, 16)), torch.randn(2, 3, 16, 16)
    assert taken.describe() == "16–16–32–64–10"
    network.eval(), taken.eval()
    assert torch.allclose(taken(x), network(x), atol=1e-5)


def test_the_library_s_own_layers_are_cut_as_it_cuts_them():
    ours = small_conv()
    layers = [part for block in ours.blocks for part in (*block.body, *block.between)]
    taken = take_blocks(nn.Sequential(*layers, ours.classifier), (1, 28, 28))
    assert [block.n_latents() for block in taken.blocks] == [block.n_latents() for block in ours.blocks]
    assert [list(block.body) for block in taken.blocks] == [list(block.body) for block in ours.blocks]
    with pytest.raises(ValueError, match="a BlockNetwork already"):
        take_blocks(ours, (1, 28, 28))


def test_blocks_that_are_given():
    module, x, _ = own_networks.plain("residual")
    network = take_blocks(module, SHAPE, ["stem", "units.1", "down"], cells=[3, 2, 1])
    assert network.describe() == "4–4–8–10"
    assert [block.n_latents() for block in network.blocks] == [36, 16, 8]
    module.eval(), network.eval()
    assert torch.allclose(network(x), module(x), atol=1e-12)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["stem", "nowhere"], r"belongs to a module 'nowhere'; its linear maps are 'stem' \(Conv2d\), 'units.0.conv'"),
        (["stem", "units.0.conv"], "no block can begin with 'units.0.conv', which has a shortcut around it"),
        (["units.0", "stem"], "in the order in which they run, each once"),
        (["units.1"], r"'stem' \(Conv2d\) runs before the first block, 'units.1'; name it too"),
        (["stem", "head"], "no block can begin with 'head', which is the classifier"),
        ([], "in the order in which they run"),
    ],
)
def test_blocks_that_cannot_be(names, words):
    with pytest.raises(ValueError, match=words):
        take_blocks(own_networks.plain("residual")[0], SHAPE, names)


@pytest.mark.parametrize(
    ("layers", "shape", "words"),
    [
        ([nn.Linear(4, 3)], (4,), "a classifier and nothing before it that learns"),
        ([nn.Linear(4, 3), nn.Softmax(1)], (4,), r"ends with '1' \(Softmax\), and it is no nn.Linear"),
        ([nn.Conv2d(1, 3, 3), nn.Flatten()], (1, 3, 3), "the last step must be the classifier"),
        ([nn.Linear(4, 4), nn.Linear(4, 3)], (5, 4), r"gives \(2, 5, 4\); latents are taken|must be the classifier"),
        ([nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(4, 3)], (1, 4), r"'0' \(Conv1d\) is no nn.Conv2d"),
        ([nn.Embedding(3, 3)], (4,), r"'0' \(Embedding\) "),
        ([nn.ReLU(), nn.Flatten()], (4,), "has no weights to train"),
        ([SpikingLayer(nn.Linear(4, 4)), LeakyReadout(4, 3)], (4,), "spikes; spiking networks are trained by other"),
        ([nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3)], (4, 4, 4), "must be the classifier"),
    ],
)
def test_what_cannot_be_taken_is_named(layers, shape, words):
    with pytest.raises(ValueError, match=words):
        take_blocks(nn.Sequential(*layers), shape)


def test_cells_for_every_block():
    with pytest.raises(ValueError, match="one number for each of the 3 blocks"):
        take_blocks(own_networks.plain("handmade")[0], SHAPE, cells=[2, 2])


@pytest.mark.parametrize("name", NAMES)
def test_a_taken_network_is_kept_and_found_again(name, tmp_path):
    module, x, _ = own_networks.plain(name)
    network = take_blocks(module, SHAPE, make_head=random_head(10)).eval()
    save_network(tmp_path / "own.safetensors", network)
    again = load_network(tmp_path / "own.safetensors")
    assert torch.equal(again(x), network(x))
    assert again.describe() == network.describe()
