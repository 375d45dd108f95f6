"""The words of `StepByStep`: the equations of the five rules, and a sentence for each of their stages."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from workbench.watch.one_update import NEURON, OneUpdate, Stage

THREE_FACTORS = (
    "[[Δw|Δ<i>w<sub>ij</sub></i>]] = − [[δ|<i>δ<sub>i</sub></i>]] (α<sub>pre</sub> [[ψ|<i>ψ<sub>i</sub></i>]] "
    "[[q|<i>q<sub>j</sub></i>]] + α<sub>post</sub> [[x|<i>x<sub>j</sub></i>]] [[h|<i>h<sub>i</sub></i>]])",
    "[[q|<i>q<sub>j</sub></i>[<i>t</i>] = λ<sub>pre</sub> <i>q<sub>j</sub></i>[<i>t</i>−1] + "
    "<i>x<sub>j</sub></i>[<i>t</i>]]],&ensp;"
    "[[ψ|<i>ψ<sub>i</sub></i> = 0.3 max(1 − |<i>u<sub>i</sub></i> − <i>v</i><sub>th</sub>|, 0)]]",
)
EQUATIONS: Mapping[str, tuple[str, ...]] = {
    "stllr": (
        *THREE_FACTORS,
        "[[h|<i>h<sub>i</sub></i>[<i>t</i>] = λ<sub>post</sub> (<i>h<sub>i</sub></i>[<i>t</i>−1] + "
        "<i>ψ<sub>i</sub></i>[<i>t</i>−1])]],&ensp;"
        "[[δ|<i>δ<sub>i</sub></i> = Σ<sub><i>c</i></sub> (<i>p<sub>c</sub></i> − <i>y<sub>c</sub></i>) "
        "<i>V<sub>ci</sub></i>, <i>p</i> = softmax(<i>V z</i>)]]",
    ),
    "tess": (
        *THREE_FACTORS,
        "[[h|<i>h<sub>i</sub></i>[<i>t</i>] = λ<sub>post</sub> <i>h<sub>i</sub></i>[<i>t</i>−1] + "
        "<i>ψ<sub>i</sub></i>[<i>t</i>−1]]],&ensp;"
        "[[δ|<i>δ<sub>i</sub></i> = Σ<sub><i>c</i></sub> (<i>p<sub>c</sub></i> − <i>y<sub>c</sub></i>) "
        "<i>B<sub>ci</sub></i>, <i>p</i> = softmax(<i>B z</i>)]]",
    ),
    "lls": (
        "[[Δw|Δ<i>w<sub>ij</sub></i>]] = − [[∂a|<i>g<sub>i</sub></i>]] <i>x<sub>j</sub></i>,&ensp;"
        "[[z|<i>z</i> = means of two units <i>a</i>, <i>ẑ</i> = <i>z</i> / ‖<i>z</i>‖]]",
        "[[s|<i>s</i> = <i>B ẑ</i>]],&ensp;[[p|<i>p</i> = softmax(<i>s</i> / τ)]],&ensp;"
        "[[p − y|<i>d</i> = (<i>p</i> − <i>y</i>) / (τ <i>n</i>)]]",
        "[[∂a|<i>g</i> = ½ (<i>d B</i> − (<i>d</i> · <i>s</i>) <i>ẑ</i>) / ‖<i>z</i>‖ × slope]]",
    ),
    "code-cl": (
        "[[Δw|Δ<i>W</i>]] = − ([[G|<i>G</i>]] − [[GC|<i>G C</i>]]) = − [[G(I − C)|<i>G</i> (<i>I</i> − <i>C</i>)]]",
        "<i>G</i> = Σ [[δ|<i>δ</i>]] [[x|<i>x</i>]]<sup>T</sup>, the gradient of the new task",
        "<i>C</i> = <i>R</i> (<i>R</i> + <i>a</i><sup>−2</sup> <i>I</i>)<sup>−1</sup>, <i>R</i> of the old inputs",
    ),
    "lance": (
        "[[Δw|Δ<i>W</i>]] = − [[Ĝ|<i>Ĝ</i>]],&ensp;[[Ĝ|<i>Ĝ</i> = Σ <i>δ S</i><sup>T</sup> <i>U</i><sup>T</sup>]]",
        "[[S|<i>S</i> = <i>U</i><sup>T</sup> <i>x</i>]], all that is kept of [[x|<i>x</i>]] until [[δ|<i>δ</i>]] comes",
        "[[G|<i>G</i> = Σ <i>δ x</i><sup>T</sup>]], what backpropagation finds, which keeps <i>x</i>",
    ),
}
ROUND = {"stllr": "Step", "tess": "Step", "lls": "Sample", "code-cl": "Sample", "lance": "Sample"}


class Look(NamedTuple):
    """A stage of an update, all that was found up to it, and the weight w_ij that is looked at."""

    update: OneUpdate
    stage: Stage
    seen: Mapping[str, list[Tensor]]
    i: int
    j: int

    def of(self, name: str, *place: int) -> float:
        """The newest number of a quantity at this place."""
        return float(self.seen[name][-1][place])

    def sum(self, name: str) -> Tensor:
        """A quantity of all rounds so far, added up."""
        return torch.stack(self.seen[name]).sum(0)

    def before(self, name: str, *place: int) -> float:
        """The number of the round before; 0 in the first."""
        earlier = self.seen[name][:-1]
        return float(earlier[-1][place]) if earlier else 0.0


def number(value: float, digits: int = 2) -> str:
    """A number as it is printed, with a minus and no minus before zero.

    >>> number(-0.251), number(-0.001), number(0.0612, 3)
    ('−0.25', '0.00', '0.061')
    """
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def sentence(rule: str, look: Look) -> str:
    """What happens in this stage, with its numbers."""
    where = f"{ROUND[rule]} {look.stage.place + 1}: "
    return where + SENTENCES[rule][look.stage.name](look)


def with_numbers(rule: str, look: Look) -> str:
    """The first equation with the numbers of w_ij, as far as they are known in this round."""
    i, j, known = look.i, look.j, _known(look)

    def term(name: str, *place: int, digits: int = 2) -> str:
        told = number(look.of(name, *place), digits) if name in known else "…"
        told = f"({told})" if told.startswith("−") else told
        return f"[[{name}|{told}]]"

    if rule in ("stllr", "tess"):
        pre, post = (number(look.update.constants[name], 0) for name in ("α_pre", "α_post"))
        post = f"({post})" if post.startswith("−") else post
        bracket = f"{pre} · {term('ψ', i)} · {term('q', j)} + {post} · {term('x', j)} · {term('h', i)}"
        right = f"− {term('δ', i)} · ({bracket})"
    elif rule == "lls":
        right = f"− {term('∂a', i, digits=3)} · {term('x', j)}"
    elif rule == "code-cl":
        right = f"− ({term('G', i, j, digits=3)} − {term('GC', i, j, digits=3)})"
    else:
        right = f"− {term('Ĝ', i, j, digits=3)}"
    change = number(look.of("Δw", i, j), 3) if "Δw" in known else "…"
    return f"<small>Δ<i>w</i><sub>{i + 1}{j + 1}</sub> = {right} = [[Δw|{change}]]</small>"


def _known(look: Look) -> set[str]:
    """What this round has found so far."""
    stages, place = look.update.stages, look.stage.place
    so_far = stages[: stages.index(look.stage) + 1]
    return {name for stage in so_far if stage.place == place for name in stage.found}


def _grows(look: Look) -> str:
    change = look.of("Δw", look.i, look.j)
    total = float(look.sum("Δw")[look.i, look.j])
    if abs(change) < 5e-4:
        moved = "the weight hardly moves" if change else "the weight stays"
    else:
        moved = f"the weight {'grows' if change > 0 else 'shrinks'} by {number(abs(change), 3)}"
    return f"{moved} ({number(total, 3)} so far)."


def _x(look: Look) -> str:
    spikes = look.of("x", look.j)
    return f"input {look.j + 1} {'spikes' if spikes else 'stays silent'}."


def _q(look: Look) -> str:
    decay, before, now = look.update.constants["λ_pre"], look.before("q", look.j), look.of("q", look.j)
    spike = " + 1 for the spike" if look.of("x", look.j) else ""
    return (
        f"the trace of input {look.j + 1} keeps {number(decay)} of its {number(before)}{spike}: q = {number(now)}. "
        "A spike of the past still counts."
    )


def _psi(look: Look) -> str:
    u, fires = look.of("u", look.i), look.of("z", look.i)
    away = abs(u - NEURON.threshold)
    side = "over" if u > NEURON.threshold else "below"
    return (
        f"neuron {look.i + 1} {'fires' if fires else 'is silent'}, its membrane {number(u)} is {number(away)} {side} "
        f"the threshold: ψ = {number(look.of('ψ', look.i))}, the more the nearer."
    )


def _h(look: Look) -> str:
    h = look.of("h", look.i)
    if not look.stage.place:
        return f"neuron {look.i + 1} has no past yet, its trace is h = 0."
    return f"the trace of neuron {look.i + 1}’s own past, without the present, is h = {number(h)}."


def _told(look: Look) -> str:
    """What the signal asks for."""
    delta = look.of("δ", look.i)
    asks = "nothing" if abs(delta) < 5e-3 else "fire more" if delta < 0 else "fire less"
    return f"δ = {number(delta)}, that is: {asks}"


def _delta_stllr(look: Look) -> str:
    right = int(look.update.given["y"].argmax())
    return (
        f"the readout gives class {right + 1}, the right one, a probability of {number(look.of('p', right))}; back "
        f"through its weight to neuron {look.i + 1}, {_told(look)}."
    )


def _delta_tess(look: Look) -> str:
    right = int(look.update.given["y"].argmax())
    return (
        f"the layer’s own spikes look like the wave of class {right + 1}, the right one, with p = "
        f"{number(look.of('p', right))}; its row of B tells neuron {look.i + 1} {_told(look)}. No other layer is asked."
    )


def _change_traces(look: Look) -> str:
    i, j = look.i, look.j
    q, psi, delta = look.of("q", j), look.of("ψ", i), look.of("δ", i)
    past = look.update.constants["α_post"] * look.of("x", j) * look.of("h", i)
    more = f" (and {number(past)} for a spike behind the neuron’s own activity)" if abs(past) >= 5e-3 else ""
    return (
        f"the pre trace of synapse {j + 1} is {number(q)}, ψ is {number(psi)}{more}, the signal {number(delta)}: "
        f"{_grows(look)}"
    )


def _z(look: Look) -> str:
    latent = look.i // 2
    pair = (2 * latent, 2 * latent + 1)
    a = " and ".join(number(look.of("a", unit)) for unit in pair)
    mean = number(look.of("z", latent))
    return f"units {pair[0] + 1} and {pair[1] + 1} give {a}; latent {latent + 1} is their mean, {mean}."


def _s(look: Look) -> str:
    first, second = (number(look.of("s", c)) for c in (0, 1))
    return f"the latents point along the wave of class 1 with a cosine of {first}, along that of class 2 with {second}."


def _label(look: Look) -> int:
    return int(look.update.given["y"][look.stage.place].argmax())


def _p(look: Look) -> str:
    right = _label(look)
    return f"the softmax of s / τ gives class {right + 1}, the right one, {number(look.of('p', right))}."


def _difference(look: Look) -> str:
    right = _label(look)
    missing = abs(look.of("p − y", right))
    return (
        f"class {right + 1} should have 1, so {number(missing)} is missing: p − y = {number(look.of('p − y', right))}."
    )


def _back(look: Look) -> str:
    latent, off = look.i // 2, look.of("a", look.i) <= 0
    slope = ", times the slope 0.01, because the unit is below 0" if off else ""
    return (
        f"latent {latent + 1} is told {number(look.of('∂z', latent), 3)}; half of it goes to each of its two "
        f"units{slope}: unit {look.i + 1} gets {number(look.of('∂a', look.i), 3)}. Nothing comes from a later block."
    )


def _change_lls(look: Look) -> str:
    g, x = look.of("∂a", look.i), look.of("x", look.j)
    return f"unit {look.i + 1} is told {number(g, 3)} and input {look.j + 1} is {number(x, 1)}: {_grows(look)}"


def _x_plain(look: Look) -> str:
    return f"input {look.j + 1} of the new sample is {number(look.of('x', look.j), 1)}."


def _x_lance(look: Look) -> str:
    return f"{_x_plain(look)} Backpropagation would keep all three until the error comes."


def _delta_plain(look: Look) -> str:
    delta = look.of("δ", look.i)
    off = " (it is off, so that it learns nothing)" if not delta else ""
    return f"the error comes down to neuron {look.i + 1}: δ = {number(delta, 3)}{off}."


def _gradient(look: Look) -> str:
    G, delta, x = look.of("G", look.i, look.j), look.of("δ", look.i), look.of("x", look.j)
    return f"the gradient of the weight is {number(delta, 3)} · {number(x, 1)} = {number(G, 3)}."


def _taken(look: Look) -> str:
    x, held = look.seen["x"][-1], look.seen["Cx"][-1]
    share = float(held.norm() / x.norm())
    return (
        f"the old task claims {share:.0%} of this input’s length; of the gradient of this weight, "
        f"{number(look.of('GC', look.i, look.j), 3)} would disturb it and is taken away."
    )


def _left(look: Look) -> str:
    left, G = look.of("G(I − C)", look.i, look.j), look.of("G", look.i, look.j)
    return f"of {number(G, 3)}, {number(left, 3)} is left: the part that the old inputs do not see."


def _change_code_cl(look: Look) -> str:
    old, i = look.update.given["x_old"], look.i
    without = -float((look.sum("G") @ old)[i])
    return (
        f"{_grows(look)} An old input’s answer in neuron {i + 1} has moved by "
        f"{number(look.of('old', i), 3)}; without C it would be {number(without, 3)}."
    )


def _core(look: Look) -> str:
    core = look.seen["S"][-1]
    told = " and ".join(number(value) for value in core.tolist())
    return f"of three numbers, {len(core)} {'is' if len(core) == 1 else 'are'} kept, {told}; x itself is let go."


def _approximate(look: Look) -> str:
    return (
        f"from S alone the gradient of the weight is {number(look.of('Ĝ', look.i, look.j), 3)}, as if input "
        f"{look.j + 1} had been {number(look.of('x̂', look.j))} and not {number(look.of('x', look.j))}."
    )


def _beside(look: Look) -> str:
    cosine = float(cosine_similarity(look.sum("G").flatten(), look.sum("Ĝ").flatten(), 0))
    return (
        f"backpropagation, which kept x, would have {number(look.of('G', look.i, look.j), 3)}. The cosine of both "
        f"gradients so far is {number(cosine)}."
    )


def _change_lance(look: Look) -> str:
    return f"{_grows(look)} Of x, {len(look.seen['S'][-1])} of 3 numbers had been kept."


Sentences = Mapping[str, Callable[[Look], str]]
_TRACED: Sentences = {"x": _x, "q": _q, "ψ": _psi, "h": _h, "Δw": _change_traces}
SENTENCES: Mapping[str, Sentences] = {
    "stllr": {**_TRACED, "δ": _delta_stllr},
    "tess": {**_TRACED, "δ": _delta_tess},
    "lls": {"z": _z, "s": _s, "p": _p, "p − y": _difference, "∂a": _back, "Δw": _change_lls},
    "code-cl": {
        "x": _x_plain,
        "δ": _delta_plain,
        "G": _gradient,
        "GC": _taken,
        "G(I − C)": _left,
        "Δw": _change_code_cl,
    },
    "lance": {
        "x": _x_lance,
        "S": _core,
        "δ": _delta_plain,
        "Ĝ": _approximate,
        "G": _beside,
        "Δw": _change_lance,
    },
}
