"""The words of `StepByStep`: the equations of the five rules, and a sentence for each of their stages."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from workbench.language import say
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
    where = f"{say(ROUND[rule])} {look.stage.place + 1}: "
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
        told = say("the weight hardly moves ({total} so far).") if change else say("the weight stays ({total} so far).")
    elif change > 0:
        told = say("the weight grows by {change} ({total} so far).")
    else:
        told = say("the weight shrinks by {change} ({total} so far).")
    return told.format(change=number(abs(change), 3), total=number(total, 3))


def _x(look: Look) -> str:
    if look.of("x", look.j):
        return say("input {j} spikes.", j=look.j + 1)
    return say("input {j} stays silent.", j=look.j + 1)


def _q(look: Look) -> str:
    decay, before, now = look.update.constants["λ_pre"], look.before("q", look.j), look.of("q", look.j)
    return say(
        "the trace of input {j} keeps {decay} of its {before}{spike}: q = {now}. A spike of the past still counts.",
        j=look.j + 1,
        decay=number(decay),
        before=number(before),
        spike=say(" + 1 for the spike") if look.of("x", look.j) else "",
        now=number(now),
    )


def _psi(look: Look) -> str:
    u, fires = look.of("u", look.i), look.of("z", look.i)
    away = abs(u - NEURON.threshold)
    fired = say("neuron {i} fires", i=look.i + 1) if fires else say("neuron {i} is silent", i=look.i + 1)
    if u > NEURON.threshold:
        told = say(", its membrane {u} is {away} over the threshold: ψ = {psi}, the more the nearer.")
    else:
        told = say(", its membrane {u} is {away} below the threshold: ψ = {psi}, the more the nearer.")
    return fired + told.format(u=number(u), away=number(away), psi=number(look.of("ψ", look.i)))


def _h(look: Look) -> str:
    h = look.of("h", look.i)
    if not look.stage.place:
        return say("neuron {i} has no past yet, its trace is h = 0.", i=look.i + 1)
    return say("the trace of neuron {i}’s own past, without the present, is h = {h}.", i=look.i + 1, h=number(h))


def _told(look: Look) -> str:
    """What the signal asks for."""
    delta = look.of("δ", look.i)
    asks = say("nothing") if abs(delta) < 5e-3 else say("fire more") if delta < 0 else say("fire less")
    return say("δ = {delta}, that is: {asks}", delta=number(delta), asks=asks)


def _asked(look: Look) -> dict[str, Any]:
    """The right class, how probable it is, and what that asks of the neuron."""
    right = int(look.update.given["y"].argmax())
    return {"right": right + 1, "p": number(look.of("p", right)), "i": look.i + 1, "told": _told(look)}


def _delta_stllr(look: Look) -> str:
    return say(
        "the readout gives class {right}, the right one, a probability of {p}; back through its weight to neuron {i}, "
        "{told}.",
        **_asked(look),
    )


def _delta_tess(look: Look) -> str:
    return say(
        "the layer’s own spikes look like the wave of class {right}, the right one, with p = {p}; its row of B tells "
        "neuron {i} {told}. No other layer is asked.",
        **_asked(look),
    )


def _change_traces(look: Look) -> str:
    i, j = look.i, look.j
    q, psi, delta = look.of("q", j), look.of("ψ", i), look.of("δ", i)
    past = look.update.constants["α_post"] * look.of("x", j) * look.of("h", i)
    more = say(" (and {past} for a spike behind the neuron’s own activity)", past=number(past))
    return say(
        "the pre trace of synapse {j} is {q}, ψ is {psi}{more}, the signal {delta}: {grows}",
        j=j + 1,
        q=number(q),
        psi=number(psi),
        more=more if abs(past) >= 5e-3 else "",
        delta=number(delta),
        grows=_grows(look),
    )


def _z(look: Look) -> str:
    latent = look.i // 2
    pair = (2 * latent, 2 * latent + 1)
    return say(
        "units {first} and {second} give {a} and {b}; latent {latent} is their mean, {mean}.",
        first=pair[0] + 1,
        second=pair[1] + 1,
        a=number(look.of("a", pair[0])),
        b=number(look.of("a", pair[1])),
        latent=latent + 1,
        mean=number(look.of("z", latent)),
    )


def _s(look: Look) -> str:
    first, second = (number(look.of("s", c)) for c in (0, 1))
    return say(
        "the latents point along the wave of class 1 with a cosine of {first}, along that of class 2 with {second}.",
        first=first,
        second=second,
    )


def _label(look: Look) -> int:
    return int(look.update.given["y"][look.stage.place].argmax())


def _p(look: Look) -> str:
    right = _label(look)
    p = number(look.of("p", right))
    return say("the softmax of s / τ gives class {right}, the right one, {p}.", right=right + 1, p=p)


def _difference(look: Look) -> str:
    right = _label(look)
    missing = abs(look.of("p − y", right))
    return say(
        "class {right} should have 1, so {missing} is missing: p − y = {difference}.",
        right=right + 1,
        missing=number(missing),
        difference=number(look.of("p − y", right)),
    )


def _back(look: Look) -> str:
    latent, off = look.i // 2, look.of("a", look.i) <= 0
    return say(
        "latent {latent} is told {dz}; half of it goes to each of its two units{slope}: unit {unit} gets {da}. Nothing "
        "comes from a later block.",
        latent=latent + 1,
        dz=number(look.of("∂z", latent), 3),
        slope=say(", times the slope 0.01, because the unit is below 0") if off else "",
        unit=look.i + 1,
        da=number(look.of("∂a", look.i), 3),
    )


def _change_lls(look: Look) -> str:
    g, x = look.of("∂a", look.i), look.of("x", look.j)
    return say(
        "unit {unit} is told {g} and input {j} is {x}: {grows}",
        unit=look.i + 1,
        g=number(g, 3),
        j=look.j + 1,
        x=number(x, 1),
        grows=_grows(look),
    )


def _x_plain(look: Look) -> str:
    return say("input {j} of the new sample is {x}.", j=look.j + 1, x=number(look.of("x", look.j), 1))


def _x_lance(look: Look) -> str:
    return f"{_x_plain(look)} {say('Backpropagation would keep all three until the error comes.')}"


def _delta_plain(look: Look) -> str:
    delta = look.of("δ", look.i)
    off = say(" (it is off, so that it learns nothing)") if not delta else ""
    delta = number(delta, 3)
    return say("the error comes down to neuron {i}: δ = {delta}{off}.", i=look.i + 1, delta=delta, off=off)


def _gradient(look: Look) -> str:
    G, delta, x = look.of("G", look.i, look.j), look.of("δ", look.i), look.of("x", look.j)
    product = f"{number(delta, 3)} · {number(x, 1)} = {number(G, 3)}"
    return say("the gradient of the weight is {product}.", product=product)


def _taken(look: Look) -> str:
    x, held = look.seen["x"][-1], look.seen["Cx"][-1]
    share = float(held.norm() / x.norm())
    return say(
        "the old task claims {share:.0%} of this input’s length; of the gradient of this weight, {taken} would disturb "
        "it and is taken away.",
        share=share,
        taken=number(look.of("GC", look.i, look.j), 3),
    )


def _left(look: Look) -> str:
    left, G = look.of("G(I − C)", look.i, look.j), look.of("G", look.i, look.j)
    return say(
        "of {whole}, {left} is left: the part that the old inputs do not see.", whole=number(G, 3), left=number(left, 3)
    )


def _change_code_cl(look: Look) -> str:
    old, i = look.update.given["x_old"], look.i
    without = -float((look.sum("G") @ old)[i])
    return say(
        "{grows} An old input’s answer in neuron {i} has moved by {moved}; without C it would be {without}.",
        grows=_grows(look),
        i=i + 1,
        moved=number(look.of("old", i), 3),
        without=number(without, 3),
    )


def _core(look: Look) -> str:
    core = look.seen["S"][-1]
    told = say(" and ").join(number(value) for value in core.tolist())
    if len(core) == 1:
        return say("of three numbers, 1 is kept, {told}; x itself is let go.", told=told)
    return say("of three numbers, {count} are kept, {told}; x itself is let go.", count=len(core), told=told)


def _approximate(look: Look) -> str:
    return say(
        "from S alone the gradient of the weight is {gradient}, as if input {j} had been {near} and not {x}.",
        gradient=number(look.of("Ĝ", look.i, look.j), 3),
        j=look.j + 1,
        near=number(look.of("x̂", look.j)),
        x=number(look.of("x", look.j)),
    )


def _beside(look: Look) -> str:
    cosine = float(cosine_similarity(look.sum("G").flatten(), look.sum("Ĝ").flatten(), 0))
    return say(
        "backpropagation, which kept x, would have {gradient}. The cosine of both gradients so far is {cosine}.",
        gradient=number(look.of("G", look.i, look.j), 3),
        cosine=number(cosine),
    )


def _change_lance(look: Look) -> str:
    kept = say("Of x, {count} of 3 numbers had been kept.", count=len(look.seen["S"][-1]))
    return f"{_grows(look)} {kept}"


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
