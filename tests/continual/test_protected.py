"""Protected layers against autograd in float64: gradients, what stays, what is saved."""

import copy
import pickle

import pytest
import torch
from conceptor_cases import (
    LAYERS,
    OPTIMIZERS,
    basis,
    direct,
    effective,
    layer_with,
    learned,
    random_conceptor,
    small_network,
)
from torch import nn

from workbench.continual.conceptors import Conceptor, dense
from workbench.continual.methods.code_cl import CodeCL, no_mixing
from workbench.continual.multihead import MultiHead, mlp
from workbench.continual.projected_step import descend, layer_inputs
from workbench.continual.protected import Mixing, Protected, freeze_rest, kept_bytes, prepare, protected_layers
from workbench.credit.classifier import learn_from_outputs


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.blocks = nn.Linear(4, 4), nn.ModuleList([nn.Sequential(nn.Linear(4, 4)), nn.Linear(4, 4)])
        self.again = self.first

    def forward(self, x):
        for layer in (self.first, *self.blocks, self.again):
            x = layer(x)
        return x


@pytest.mark.parametrize(("make", "shape"), LAYERS)
@pytest.mark.parametrize("project", [False, True])
def test_forward_and_gradients_are_those_of_the_effective_weights(make, shape, project):
    layer = layer_with(make)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    wanted = [x, layer.layer.weight, *(m.matrix for m in layer.current_mixings())]
    expected = direct(layer, x, effective(layer))
    direction = torch.randn_like(expected)
    gradients = list(torch.autograd.grad((expected * direction).sum(), wanted))
    if project:
        remaining = torch.eye(len(layer.vectors)).double() - dense(layer.conceptor)
        gradients[1] = (gradients[1].flatten(1) @ remaining).view_as(gradients[1])
    layer.projects_gradient = project
    y = layer(x)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)
    for ours, theirs in zip(torch.autograd.grad((y * direction).sum(), wanted), gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)


@pytest.mark.parametrize("project", [False, True])
def test_released_gradient_of_a_linear_layer(project):
    """dL/dW = G (I + U Mᵀ Uᵀ) instead of G (I − U Uᵀ + U Mᵀ Uᵀ)."""
    layer = Protected(nn.Linear(7, 5, bias=False).double(), replaced_detached=True)
    U, M = basis(7, 3), torch.randn(3, 3).double()
    layer.mix(0, [Mixing(U, M)])
    layer.protect(random_conceptor(7, 2))
    layer.projects_gradient = project
    x, direction = torch.randn(6, 7).double(), torch.randn(6, 5).double()
    (layer(x) * direction).sum().backward()
    G, identity = direction.T @ x, torch.eye(7).double()
    expected = G @ (identity + U @ M.T @ U.T)
    expected = expected @ (identity - dense(layer.conceptor)) if project else expected
    torch.testing.assert_close(layer.layer.weight.grad, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(layer(x), direct(layer, x, effective(layer)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("make", "shape"), LAYERS)
def test_printed_form_adds_the_mixing(make, shape, dtype):
    """W + W U M Uᵀ, written out, forward and back; M = 0 changes nothing, and nothing is detached."""
    layer = Protected(make(), replaced_detached=True, added=True).to(dtype)
    d = len(layer.vectors)
    U, M = basis(d, 3).to(dtype), torch.randn(3, 3, dtype=dtype)
    layer.mix(0, [Mixing(U, M)])
    x, matrix = torch.randn(shape, dtype=dtype, requires_grad=True), layer.current_mixings()[0].matrix
    wanted = [x, layer.layer.weight, matrix]
    rows = layer.layer.weight.flatten(1)
    expected = direct(layer, x, (rows + rows @ U @ matrix @ U.T).view_as(layer.layer.weight))
    direction = torch.randn_like(expected)
    gradients = torch.autograd.grad((expected * direction).sum(), wanted)
    close = {"rtol": 0, "atol": 1e-11 if dtype == torch.float64 else 1e-4}
    torch.testing.assert_close(layer(x), expected, **close)
    for ours, theirs in zip(torch.autograd.grad((layer(x) * direction).sum(), wanted), gradients, strict=True):
        torch.testing.assert_close(ours, theirs, **close)
    layer.mix(0, [Mixing(U, no_mixing(3))])
    assert torch.equal(layer(x), direct(layer, x, layer.layer.weight))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_responses_to_protected_inputs_stay_for_any_number_of_steps(optimizer):
    network = prepare(small_network(), free=[])
    layers = protected_layers(network)
    protected = {}
    for name, layer in layers.items():
        protected[name] = basis(len(layer.vectors), 5)
        layer.protect(Conceptor(protected[name], torch.ones(5).double()))
    before = {name: layer.layer.weight.detach().flatten(1) @ protected[name] for name, layer in layers.items()}
    moving = optimizer(network.parameters())
    for _ in range(25):
        x, y = torch.randn(8, 1, 4, 4).double(), torch.randint(3, (8,))
        descend(network, moving, lambda x=x, y=y: learn_from_outputs(network(x, 0), y))
    for name, layer in layers.items():
        after = layer.layer.weight.detach().flatten(1) @ protected[name]
        torch.testing.assert_close(after, before[name], rtol=0, atol=1e-12)
    moved = layers["body.4"].layer.weight.detach().flatten(1) - before["body.4"] @ protected["body.4"].T
    assert float(moved.abs().max()) > 1e-3


def test_prepare_wraps_every_layer_once_and_spares_the_free_ones():
    network = prepare(Nested(), free=[(spared := nn.Linear(4, 4))])
    assert list(protected_layers(network)) == ["first", "blocks.0.0", "blocks.1"]
    assert network.again is network.first
    layers = protected_layers(network)
    assert protected_layers(prepare(network)) == layers
    inputs = layer_inputs(network, lambda: network(torch.randn(5, 4)))
    assert inputs["first"].shape == (4, 10)  # used twice
    body = nn.Sequential(nn.Linear(4, 4), spared)
    assert list(protected_layers(prepare(body, free=[spared]))) == ["0"]
    assert isinstance(prepare(nn.Linear(2, 3)), Protected)


@pytest.mark.parametrize("module", [nn.Embedding(5, 3), nn.Conv1d(2, 3, 2), nn.Bilinear(2, 2, 2), nn.LSTM(3, 3)])
def test_prepare_refuses_weights_that_it_cannot_protect(module):
    with pytest.raises(ValueError, match=f"'1' is a {type(module).__name__} with a weight matrix"):
        prepare(nn.Sequential(nn.Linear(2, 2), module))
    prepare(nn.Sequential(nn.Linear(2, 2), module), free=[module])


def test_conceptors_and_mixings_are_saved_moved_and_restored():
    network, method = learned()
    layers = protected_layers(network)
    assert all(len(layer.values) for layer in layers.values())
    assert any(layer.mixings for layer in layers.values())
    state = network.state_dict()
    fresh = mlp([2] * 4, (20, 12, 9))
    CodeCL(fresh)
    fresh.load_state_dict(state)
    x = torch.randn(7, 20)
    for other in (fresh, pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
        assert other.state_dict().keys() == state.keys()
        for task in range(3):
            assert torch.equal(other(x, task), network(x, task))
        for name, layer in protected_layers(other).items():
            torch.testing.assert_close(
                layer.project()(layer.layer.weight), layers[name].project()(layers[name].layer.weight)
            )
    held = {id(p) for p in fresh.parameters()}
    fresh.load_state_dict(state)  # the same sizes: an optimiser keeps its parameters
    assert {id(p) for p in fresh.parameters()} == held
    fresh.load_state_dict(CodeCL(mlp([2] * 4, (20, 12, 9))).network.state_dict())  # and back to nothing
    assert kept_bytes(fresh) == 0
    network.double()
    assert {layer.vectors.dtype for layer in layers.values()} == {torch.float64}
    assert {layer.project()(layer.layer.weight).dtype for layer in layers.values()} == {torch.float64}
    expected = sum(t.numel() * 8 for layer in layers.values() for t in layer.state_dict().values()) - sum(
        layer.layer.weight.numel() * 8 for layer in layers.values()
    )
    assert method.kept_bytes() == expected


def test_networks_do_not_share_conceptors():
    first, _ = learned()
    second = mlp([2] * 4, (20, 12, 9))
    CodeCL(second)
    assert all(len(layer.values) == 0 for layer in protected_layers(second).values())
    assert all(len(layer.values) > 0 for layer in protected_layers(first).values())


def test_what_no_conceptor_protects_is_frozen():
    deep = MultiHead(nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), 4, [2, 2])
    prepare(deep, deep.free())
    freeze_rest(deep, deep.free())
    assert {n for n, p in deep.named_parameters() if not p.requires_grad} == {
        "body.0.layer.bias",
        "body.1.weight",
        "body.1.bias",
    }
