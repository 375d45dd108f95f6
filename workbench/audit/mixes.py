"""What the answers of a mix mean for locality, in sentences, each held against an audit of the mix.

The rule of the mix is audited as any other, on a small problem: 8 recordings of clothes on a dense spiking network. A
direction is audited by the step that it leaves on a second task: if the weights of a layer above were others all the
time, would the layer have moved in another way?

The cosine is that to backpropagation through the same connections, which keep what the mix says. What memory and
direction ask of layers above cannot be told from what the signal asks: where the signal itself comes from above, their
sentence stays unmeasured.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.audit.audit import Finding, audit
from workbench.audit.by_name import CLASSES, Problem, events_problem
from workbench.audit.locality import put_back, replace_weights, updates_by_step
from workbench.audit.updates import layers_of
from workbench.continual.protected import protected_layers
from workbench.continual.spiking_tasks import SpikingTasks
from workbench.mixes import ANYWHERE, EWC_DIRECTION, Mix, learner, mix_named, prepare, refusal
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.rule import Locality, Steps
from workbench.rules import bptt

QUICK = Steps(at_once=2)
SAMPLES, STEPS, EVERY, NEURONS = 8, 4, 16, 16  # of the small problem; every 16th of 578 inputs


class Said(NamedTuple):
    """A sentence, and what it says an audit finds."""

    text: str
    local: Locality = Locality()


class Held(NamedTuple):
    """A sentence about one answer of a mix, and whether the audit bears it out; None where it does not say."""

    answer: str
    text: str
    holds: bool | None


class MixFinding(NamedTuple):
    """rule: the audit of time, space and memory. later_layers_of_step: largest dependence of a step on a second task on
    a layer above; None without a direction."""

    rule: Finding
    later_layers_of_step: float | None


NO_PAST = Locality(time=True, memory=True)
FROM_ABOVE, BY_ITSELF = Locality(space=False), Locality(space=True)
SAID: Mapping[tuple[str, str], Said] = {
    ("time", "instant"): Said("nothing of the past is kept: memory does not grow with time", NO_PAST),
    ("time", "traces"): Said("traces hold the past alone, and memory does not grow with time", NO_PAST),
    ("time", "eprop"): Said("a number for each synapse holds the past alone, and does not grow with time", NO_PAST),
    ("time", "bptt"): Said(
        "BPTT is not local in time: the error goes back through all steps, whose history is kept and grows with time",
        Locality(time=False, memory=False),
    ),
    ("space", "backprop"): Said("backpropagation needs the weights of all layers above", FROM_ABOVE),
    ("space", "fa"): Said("feedback alignment needs the output's error, which layers above have made", FROM_ABOVE),
    ("space", "dfa"): Said("DFA is not local in the sense of TESS: the output's error reaches every layer", FROM_ABOVE),
    ("space", "sdfa"): Said(
        "sDFA is local in space where classes are learned: softmax(z) − y* has signs that the targets alone decide",
        BY_ITSELF,
    ),
    ("space", "drtp"): Said("DRTP is local in space: targets reach every layer, and errors none", BY_ITSELF),
    ("space", "classifier"): Said(
        "a local classifier is local in space: each layer has an error of its own", BY_ITSELF
    ),
    ("space", "lls"): Said("LLS is local in space: a layer is compared with fixed waves", BY_ITSELF),
    ("space", "lls-m"): Said("LLS-M is local in space: a layer trains its own modulation", BY_ITSELF),
    ("space", "lls-mxm"): Said("LLS-MxM is local in space: a layer trains its own mixing", BY_ITSELF),
    ("space", "tess"): Said("TESS is local in space: a layer is compared with fixed waves", BY_ITSELF),
    ("space", "reward"): Said("a reward is not local in space: one number for all, made of the output", FROM_ABOVE),
    ("memory", "all"): Said("a connection keeps its own input whole", BY_ITSELF),
    ("memory", "checkpoint"): Said("what is computed twice is kept in part, which still grows with time"),
    ("memory", "hosvd"): Said("a core is made of the connection's own input, at every step", BY_ITSELF),
    ("memory", "asi"): Said("bases follow the connection's own input", BY_ITSELF),
    ("memory", "lance"): Said("bases were found once, on the connection's own inputs", BY_ITSELF),
    ("memory", "events"): Said("a list of events is the connection's own input, exactly", BY_ITSELF),
    ("direction", "anywhere"): Said("weights move anywhere: nothing of earlier tasks is kept"),
    ("direction", "gpm"): Said(
        "projecting with GPM is local in space: it needs the layer's own inputs only", BY_ITSELF
    ),
    ("direction", "sgp"): Said(
        "projecting with SGP is local in space: it needs the layer's own inputs only", BY_ITSELF
    ),
    ("direction", "trgp"): Said("TRGP's trust regions compare a task's gradients with a layer's own past inputs"),
    ("direction", "code-cl"): Said(
        "projecting with a conceptor is local in space: it needs the layer's own inputs only", BY_ITSELF
    ),
    ("direction", "subspace"): Said(
        "a subspace of its own is local in space: it needs the layer's old and new inputs only", BY_ITSELF
    ),
    ("direction", "ewc"): Said("a spring holds each weight by itself; how strongly, a gradient of the output says"),
}


OF_ONE_S_OWN = Said("a rule of one's own: its file says what it claims")


def quick_problem(mix: Mix) -> Problem:
    """A small problem for a mix. Raises ValueError with the reason for a mix that cannot train a dense network."""
    reason = refusal(mix, "dense")
    if reason is not None:
        raise ValueError(f"mixes are audited on a dense spiking network, which {mix} cannot train: {reason}")
    found = events_problem()
    x = found.x[:STEPS, :SAMPLES, ::EVERY].contiguous()
    with seeded(0):
        network = SpikingMLP([x.shape[2], NEURONS, NEURONS], CLASSES, Neuron(0.8, 0.6), readout_decay=0.9).double()
    return Problem(network, x, found.y[:SAMPLES], sequence=True)


def from_same_state(network: nn.Module, run: Callable[..., Any]) -> Callable[..., Any]:
    """A rule, or its steps, that finds the buffers of a network at each call as they are now: bases that follow the
    inputs (ASI) would else differ from call to call, whatever was changed."""
    kept = {name: buffer.clone() for name, buffer in network.named_buffers()}

    def again(network: nn.Module, x: Tensor, y: Tensor) -> Any:
        for name, buffer in network.named_buffers():
            buffer.copy_(kept[name])
        return run(network, x, y)

    return again


def audit_mix(words: str) -> MixFinding:
    """Audit a mix by its words, `traces+tess+lance+gpm`. Raises ValueError for words or mixes that there are not."""
    mix = mix_named(words)
    network, x, y, _ = quick_problem(mix)
    later = None if mix.direction == ANYWHERE else step_dependence(mix)
    rule, by_step = prepare(mix, network, [x], CLASSES, QUICK)
    updates = None if by_step is None else updates_by_step(from_same_state(network, by_step))
    found = audit(network, x, y, from_same_state(network, rule), bptt.gradients, updates)
    return MixFinding(found, later)


def second_step(mix: Mix, weights: Mapping[str, Shaped[Tensor, "..."]]) -> dict[str, Float[Tensor, "_ _"]]:
    """How far each protected connection moves in a step on a second task, from these weights on the small problem."""
    network, x, y, _ = quick_problem(mix)
    network.load_state_dict(weights)
    (old, new), (old_y, new_y) = x.transpose(0, 1).chunk(2), y.chunk(2)
    tasks = SpikingTasks(network)
    method = learner(mix, tasks, [old.transpose(0, 1)], CLASSES, QUICK)
    method.before_task(0, old, old_y)
    method.after_task(0, old, old_y)
    method.before_task(1, new, new_y)
    guards: Mapping[str, Any] = protected_layers(network)
    before = {name: guard.weight.detach().clone() for name, guard in guards.items()}
    optimizer = torch.optim.SGD([p for p in tasks.parameters() if p.requires_grad], lr=1.0)
    method.learn(optimizer, new, new_y, 1)
    return {name: guard.weight.detach() - before[name] for name, guard in guards.items()}


def step_dependence(mix: Mix) -> float | None:
    """Largest change of a connection's second step when the weights of a layer above are others, relative to the step;
    None for springs, which guard no connection."""
    if mix.direction == EWC_DIRECTION:
        return None
    network = quick_problem(mix).network
    layers, worst = layers_of(network), 0.0
    before = second_step(mix, network.state_dict())
    for k, layer in enumerate(layers.values()):
        kept = replace_weights(layer)
        after = second_step(mix, network.state_dict())
        put_back(layer, kept)
        below = tuple(f"{name}." for name in list(layers)[:k])
        for name, step in before.items():
            if name.startswith(below) and below:
                worst = max(worst, float((after[name] - step).norm() / step.norm().clamp_min(1e-30)))
    return worst


def sentences(mix: Mix, found: MixFinding) -> list[Held]:
    """What each answer of the mix means for locality, and whether the audit bears it out."""
    held = []
    for axis, answer in zip(Mix._fields, mix, strict=True):
        text, said = SAID.get((axis, answer.name), OF_ONE_S_OWN)
        seen = found.rule.shown
        if axis == "direction":
            seen = Locality(None if found.later_layers_of_step is None else found.later_layers_of_step == 0)
        if axis in ("memory", "direction") and not SAID.get(("space", mix.space.name), OF_ONE_S_OWN).local.space:
            seen = seen._replace(space=None)
        pairs = [(a, b) for a, b in zip(said, seen, strict=True) if a is not None and b is not None]
        held.append(Held(f"{axis} {answer.name}", text, all(a == b for a, b in pairs) if pairs else None))
    return held


def spelled(held: list[Held]) -> str:
    """The sentences, a line each.

    >>> print(spelled([Held("space dfa", "the output's error reaches every layer", True)]))
      space dfa: the output's error reaches every layer (measured: holds)
    """
    verdicts = {True: "measured: holds", False: "measured: BROKEN", None: "not measured"}
    return "\n".join(f"  {answer}: {text} ({verdicts[holds]})" for answer, text, holds in held)
