"""Every legal cell of time, space and memory against the update written out, and directions against it projected."""

import itertools

import pytest
import torch
from explicit_updates import block_updates, updates
from small_networks import CLASSES, FACTORS, inputs, labels, network

from workbench.mixes import KINDS, MEMORIES, SPACES, TIMES, Mix, kind_of, prepare, refusal
from workbench.networks.spiking import layers_with_memory

pytestmark = pytest.mark.usefixtures("in_double_precision", "unchecked")
LEGAL = {
    kind: [m for m in (Mix(*a) for a in itertools.product(TIMES, SPACES, MEMORIES)) if refusal(m, kind) is None]
    for kind in KINDS
}


def learned(mix, kind):
    """A prepared network with its gradients, and the update written out."""
    n, other = network(kind), inputs(kind, 1)
    assert kind_of(n) == kind
    rule = prepare(mix, n, [other], CLASSES)
    x, y = inputs(kind), labels(kind)
    bases = {name: buffer.clone() for name, buffer in n.named_buffers()}
    rule.gradients(n, x, y)
    for name, buffer in n.named_buffers():  # those of ASI have moved
        if "compressor" in name:
            buffer.copy_(bases[name])
    return n, rule, x, y


@pytest.mark.parametrize(
    ("kind", "mix"), [(kind, mix) for kind in KINDS[:3] for mix in LEGAL[kind]], ids=lambda v: str(v)
)
def test_every_legal_cell_of_spiking_networks_is_its_definition(kind, mix):
    n, rule, x, y = learned(mix, kind)
    params = next(iter(rule.gradients.keywords.values()))
    signal = params.params.signal if hasattr(params, "params") else params.signal
    expected = updates(mix, n, signal, x, y, FACTORS[mix.time.name])
    assert len(expected) >= 6
    for name, layer in layers_with_memory(n).items():
        torch.testing.assert_close(layer.connection.weight.grad, expected[name], rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(layer.connection.bias.grad, expected[f"{name}.bias"], rtol=1e-9, atol=1e-12)
        if layer.recurrent is not None:
            wanted = expected[f"{name}.recurrent"]
            torch.testing.assert_close(layer.recurrent.weight.grad, wanted, rtol=1e-9, atol=1e-12)
        assert float(layer.connection.weight.grad.abs().max()) > 1e-6


@pytest.mark.parametrize("mix", LEGAL["blocks"], ids=str)
def test_every_legal_cell_of_blocks_is_its_definition(mix):
    n, rule, x, y = learned(mix, "blocks")
    expected = block_updates(mix, n, rule.gradients, x, y)
    for number, block in enumerate(n.blocks):
        grad = block.body[0].weight.grad
        torch.testing.assert_close(grad, expected[str(number)], rtol=1e-8, atol=1e-11)
        assert float(grad.abs().max()) > 1e-6
    torch.testing.assert_close(n.classifier.weight.grad, expected["classifier"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_cells_are_silently_equal(kind):
    """Checkpointing and lists of events are exact, and equal to keeping all; no others are."""
    seen = {}
    for mix in LEGAL[kind]:
        if mix.memory.name in ("checkpoint", "events"):
            continue
        n, *_ = learned(mix, kind)
        first = n.blocks[0].body[0] if kind == "blocks" else next(iter(layers_with_memory(n).values())).connection
        direction = first.weight.grad.flatten() / first.weight.grad.norm()
        for other, grad in seen.items():
            assert float(direction @ grad) < 1 - 1e-6, f"{mix} moves as {other} does"
        seen[str(mix)] = direction
    assert len(seen) > 40
