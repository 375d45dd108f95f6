"""Directions with every rule: the step is the one written out, carried through the mixing, and projected.

By default each pair of time and space meets one direction and one memory, so that all meet all of them somewhere;
`WORKBENCH_MATRIX=all` goes through every cell.
"""

import inspect
import itertools
import os

import pytest
import torch
from explicit_updates import block_updates, updates
from small_networks import CLASSES, FACTORS, inputs, labels, network

from workbench.continual.methods.ewc import EWC
from workbench.continual.multihead import SharedHead
from workbench.continual.protected import protected_layers
from workbench.continual.spiking_tasks import SpikingTasks
from workbench.mixes import DIRECTIONS, KINDS, MEMORIES, SPACES, TIMES, Mix, learner, refusal
from workbench.networks.layers import trained_weight
from workbench.networks.spiking import layers_with_memory, spiking_logits

pytestmark = pytest.mark.usefixtures("in_double_precision", "unchecked")
RATE = 0.05


def chosen():
    """The cells that are tried."""
    for kind in KINDS:
        pairs = [Mix(t, s) for t, s in itertools.product(TIMES, SPACES) if refusal(Mix(t, s), kind) is None]
        for number, mix in enumerate(pairs):
            memories = [m for m in MEMORIES if refusal(mix._replace(memory=m), kind) is None]
            every = list(itertools.product(memories, DIRECTIONS))
            if os.environ.get("WORKBENCH_MATRIX") != "all":
                every = [(memories[number % len(memories)], DIRECTIONS[number % len(DIRECTIONS)])]
            yield from ((kind, mix._replace(memory=m, direction=d)) for m, d in every)


def rule_of(method, kind):
    """The rule inside, as `prepare` made it."""
    return method.rule if kind == "blocks" else inspect.getclosurevars(inspect.unwrap(method.rule)).nonlocals["rule"]


def effective_updates(mix, kind, n, rule, x, y):
    """ΔŴ by the connection; the bases of compressed connections are left as they are."""
    before = {name: buffer.clone() for name, buffer in n.named_buffers()}
    if kind == "blocks":
        found = block_updates(mix, n, rule, x, y)
        found = {block.body[0]: found[str(number)] for number, block in enumerate(n.blocks)}
    else:
        params = next(iter(rule.keywords.values()))
        signal = params.params.signal if hasattr(params, "params") else params.signal
        named = updates(mix, n, signal, x, y, FACTORS[mix.time.name])
        found = {layer.connection: named[name] for name, layer in layers_with_memory(n).items()}
        found |= {
            layer.recurrent: named[f"{name}.recurrent"]
            for name, layer in layers_with_memory(n).items()
            if layer.recurrent is not None
        }
    for name, buffer in n.named_buffers():
        buffer.copy_(before[name])
    return found


@pytest.mark.parametrize(("kind", "mix"), list(chosen()), ids=str)
def test_step_is_projected(kind, mix):
    n = network(kind)
    tasks = SharedHead(n) if kind == "blocks" else SpikingTasks(n)
    method = learner(mix, tasks, [inputs(kind, 1)], CLASSES)
    method.batches = 2  # of EWC, whose information is another matter
    rule, y = rule_of(method, kind), labels(kind)
    for task in (0, 1):
        x = inputs(kind, 2 + task)
        seen = x if kind == "blocks" else x.transpose(0, 1)
        method.before_task(task, seen, y)
        optimizer = torch.optim.SGD([p for p in tasks.parameters() if p.requires_grad], lr=RATE)
        tasks.seen(task)
        expected = effective_updates(mix, kind, n, rule, x, y)
        guards = {guard.connection: guard for guard in protected_layers(n).values()}
        before = {c: trained_weight(c).detach().clone() for c in expected}
        carried = {c: through(method, guards.get(c), trained_weight(c), G) for c, G in expected.items()}
        method.learn(optimizer, seen, y, task)
        for connection, G in carried.items():
            moved = trained_weight(connection).detach() - before[connection]
            torch.testing.assert_close(moved, -RATE * G, rtol=1e-8, atol=1e-12)
        if task == 0:
            method.after_task(task, seen, y)


def through(method, guard, weight, G):
    """The gradient of W from that of Ŵ, and what is left of it."""
    rows = G.flatten(1)
    if isinstance(method, EWC):
        stiff, pull = method.stiffness.get(weight), method.pull.get(weight)
        return G if stiff is None else G + method.strength * (stiff * weight.detach() - pull)
    if guard is None:
        return G
    eye = torch.eye(rows.shape[1], dtype=rows.dtype)
    carry = eye.clone()
    for mixing in guard.current_mixings():
        U, M = mixing.directions, mixing.matrix.detach()
        carry += U @ (M - torch.eye(len(M), dtype=M.dtype)).T @ U.T
    left = eye - guard.vectors @ torch.diag(guard.values) @ guard.vectors.T
    if guard.allowed is not None:
        left = guard.allowed @ guard.allowed.T
        torch.testing.assert_close(guard.vectors.T @ left, torch.zeros_like(guard.vectors.T), rtol=0, atol=1e-9)
    return (rows @ carry @ left).view_as(G)


@pytest.mark.parametrize("kind", ["dense", "recurrent", "convolutional"])
@pytest.mark.parametrize("direction", ["gpm", "subspace", "trgp"])
def test_answers_to_old_inputs_stay_with_standardised_weights(kind, direction):
    """Exactly, after standardisation has been folded into the weights: Ŵ = (g / s) W P₁ would turn a projected step."""
    n = network(kind, standardize=True)
    gains = [layer.gain for layer in n.modules() if getattr(layer, "gain", None) is not None]
    assert gains
    tasks = SpikingTasks(n)
    (where,) = (d for d in DIRECTIONS if d.name == direction)
    method = learner(Mix(TIMES[1], direction=where), tasks, [inputs(kind)], CLASSES)
    method.params = method.params._replace(threshold=1.0)
    old, new, y = inputs(kind, 2).transpose(0, 1), inputs(kind, 3).transpose(0, 1), labels(kind)
    answers = None
    for task, x in enumerate((old, new)):
        method.before_task(task, x, y)
        if task == 1:
            assert all(getattr(layer, "gain", None) is None for layer in n.modules())
        optimizer = torch.optim.Adam([p for p in tasks.parameters() if p.requires_grad], lr=0.01)
        for _ in range(3):
            method.learn(optimizer, x, y, task)
        if task == 0:
            before = spiking_logits(n, old.transpose(0, 1))
            method.after_task(0, x, y)
            answers = spiking_logits(n, old.transpose(0, 1))
            torch.testing.assert_close(answers, before, rtol=1e-9, atol=1e-12)
    tasks.seen(0)
    torch.testing.assert_close(spiking_logits(n, old.transpose(0, 1)), answers, rtol=1e-7, atol=1e-9)
