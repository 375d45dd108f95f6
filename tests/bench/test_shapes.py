"""The networks of other shapes that LANCE is measured on: what learns, and what each method makes of the gradient."""

import pytest
import torch

from bench import shapes

pytestmark = pytest.mark.usefixtures("unchecked")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(shapes, "BATCH", 4)


@pytest.mark.parametrize("name", shapes.SHAPES)
def test_the_last_layers_learn_and_nothing_else(name):
    net, shape = shapes.network(name, "backpropagation"), shapes.SHAPES[name]
    (x, *_), y = shapes.pictures()
    shapes.step(net, x, y)
    assert net(x).shape == (4, 10)
    learning = {path.rpartition(".")[0] for path, p in net.named_parameters() if p.grad is not None}
    assert learning == {*shape.layers, shape.readout}


def test_linear_layers_of_the_transformer_see_tokens_and_one_vector():
    seen = {}
    net, shape = shapes.network("transformer", "backpropagation"), shapes.SHAPES["transformer"]
    for layer in shape.layers:
        hook = lambda module, inputs, layer=layer: seen.update({layer: inputs[0].ndim})  # noqa: E731
        net.get_submodule(layer).register_forward_pre_hook(hook)
    net(shapes.pictures()[0][0])
    assert sorted(seen.values()) == [2, 3, 3, 3, 3]


@pytest.mark.parametrize("name", ["transformer", "mobilenet_v2"])
def test_checkpointing_is_exact_and_the_others_are_near(name):
    (x, *_), y = shapes.pictures()
    found = {}
    for method in shapes.METHODS:
        net = shapes.network(name, method)
        shapes.step(net, x, y)
        found[method] = shapes.gradient(net)
    exact = found.pop("backpropagation")
    torch.testing.assert_close(found.pop("checkpointing"), exact, rtol=1e-4, atol=1e-6)
    for method, other in found.items():
        cosine = float(torch.cosine_similarity(other, exact, dim=0))
        assert 0.7 < cosine < 1.0 - 1e-9, method
