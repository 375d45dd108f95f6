"""One update of a layer of 2 × 3 weights, stage by stage, for the five rules: numbers for a picture that can be walked.

Six stages, four times: once for each time step of one sample (S-TLLR, TESS), or for each sample of a batch (LLS,
CODE-CL, LANCE). The network is the smallest that can show them all: three inputs, two neurons, two classes. Everything
is float64, and the updates of the four rounds add up to what the rule itself writes, with η = 1: Δw = −∂L/∂w as the
rule estimates it.

    S-TLLR   x  q  ψ  h  δ  Δw = −δ (α_pre ψ q + α_post x h)
    TESS     the same, δ = Bᵀ (softmax(B z) − y*)
    LLS      z  s  p  p − y  ∂L/∂a  Δw = −∂L/∂a xᵀ       four units a, averaged to two latents z
    CODE-CL  x  δ  G  G C  G (I − C)  Δw                 C the conceptor of an old task's inputs
    LANCE    x  S  δ  Ĝ = δ Sᵀ Uᵀ  G = δ xᵀ  Δw = −Ĝ     U a basis found once, S = x U all that is kept of x

Symbols: NOTATION.md. Equations: `workbench.rules.stllr`, `.tess`, `.lls`, `continual.methods.code_cl`,
`compression.lance`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils import skip_init

from workbench.checks import COUNT_OR_ZERO, check_number
from workbench.compression.calibration import Modes, calibrate, leading_bases
from workbench.compression.lance import linear_weight_gradient
from workbench.continual.conceptors import Conceptor
from workbench.continual.methods.code_cl import CodeCLParams, task_conceptor
from workbench.credit.bases import cosine
from workbench.networks.blocks import SLOPE
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import heaviside, psi_gesture
from workbench.neurons.traces import Factors, trace_step
from workbench.rules import tess
from workbench.rules.lls import LLS, local_signal

ROUNDS, INPUTS, NEURONS, CLASSES, UNITS = 4, 3, 2, 2, 4  # UNITS: of LLS, averaged in pairs
NEURON = Neuron(decay=0.5, threshold=0.6)
TARGETS = torch.eye(CLASSES, dtype=torch.float64)  # y of each class, one-hot
ENERGY = 0.9  # share that LANCE keeps
CODE_CL = CodeCLParams(aperture=3.0, free_directions=0)


class Stage(NamedTuple):
    """What was just found: the name of the quantity that acts, its round (a time step or a sample), and by their names
    the numbers that came with it: vectors, or matrices of the weight's shape."""

    name: str
    place: int
    found: Mapping[str, Float64[Tensor, "..."]]


class OneUpdate(NamedTuple):
    """One update of `weight`. given: what stands before it begins; constants: the numbers of the equations."""

    weight: Float64[Tensor, "n_out n_in"]
    given: Mapping[str, Float64[Tensor, "..."]]
    constants: Mapping[str, float]
    stages: tuple[Stage, ...]

    def seen(self, at: int) -> dict[str, list[Float64[Tensor, "..."]]]:
        """The numbers up to stage `at`, by name, one for each round so far."""
        seen: dict[str, list[Tensor]] = {}
        for stage in self.stages[: at + 1]:
            for name, values in stage.found.items():
                seen.setdefault(name, []).append(values)
        return seen

    def total(self, at: int | None = None) -> Float64[Tensor, "n_out n_in"]:
        """Σ Δw up to stage `at`, of all for None."""
        last = len(self.stages) - 1 if at is None else at
        return sum(self.seen(last).get("Δw", []), torch.zeros_like(self.weight))


class Spikes(NamedTuple):
    """A spiking network of one hidden layer, and one sample for it."""

    weight: Float64[Tensor, "neurons inputs"]
    readout: Float64[Tensor, "classes neurons"]
    x: Float64[Tensor, "time inputs"]
    label: int


class Samples(NamedTuple):
    """A layer, a classifier of its units, a batch for it, and inputs of the past."""

    weight: Float64[Tensor, "units inputs"]
    readout: Float64[Tensor, "classes units"]
    x: Float64[Tensor, "batch inputs"]
    labels: Int64[Tensor, " batch"]
    past: Float64[Tensor, "samples inputs"]


def spikes(number: int = 0) -> Spikes:
    """Problem `number`, drawn until every step has an input spike, and both neurons fire, but not at every step."""
    check_number(number, "number", COUNT_OR_ZERO)
    generator = torch.Generator().manual_seed(number)
    normal = partial(torch.randn, generator=generator, dtype=torch.float64)
    while True:
        weight, readout = 0.4 + 0.4 * normal(NEURONS, INPUTS), normal(CLASSES, NEURONS)
        x = (torch.rand(ROUNDS, INPUTS, generator=generator) < 0.5).double()
        fired = torch.stack([z for _, z in membranes(weight, x)])
        lively = all((x.sum(axis) > 0).all() for axis in (0, 1))
        if lively and (fired.sum(0) > 0).all() and (fired.sum(0) < ROUNDS).all():
            return Spikes(weight.round(decimals=2), readout.round(decimals=2), x, number % CLASSES)


def samples(number: int = 0, units: int = NEURONS) -> Samples:
    """Problem `number`, drawn until each unit works for some samples and not for all, and each sample teaches it."""
    check_number(number, "number", COUNT_OR_ZERO)
    generator = torch.Generator().manual_seed(number)
    normal = partial(torch.randn, generator=generator, dtype=torch.float64)
    while True:
        weight, readout = normal(units, INPUTS).round(decimals=1), (0.7 * normal(CLASSES, units)).round(decimals=1)
        # new inputs lie in part along the direction of the old ones, so that a conceptor has something to take
        shared = 1.5 * F.normalize(normal(INPUTS), dim=0)
        x = (0.6 * shared + 0.8 * normal(ROUNDS, INPUTS)).round(decimals=1)
        past = (normal(8, 1) * shared + 0.1 * normal(8, INPUTS)).round(decimals=1)
        problem = Samples(weight, readout, x, torch.arange(ROUNDS) % CLASSES, past)
        u = x @ weight.T
        works = (u > 0).sum(0)
        taught = errors(problem).abs().amax(1)
        if (works > 1).all() and (works < ROUNDS).any() and u.amax(1).min() > 0.5 and taught.min() > 0.03:
            return problem


def membranes(
    weight: Float64[Tensor, "neurons inputs"], x: Float64[Tensor, "time inputs"]
) -> Iterator[tuple[Float64[Tensor, " neurons"], Float64[Tensor, " neurons"]]]:
    """u before the reset and the spikes z of each step."""
    rest = torch.zeros(len(weight), dtype=weight.dtype)
    for now in x:
        u = NEURON.decay * rest + weight @ now
        z = heaviside(u - NEURON.threshold)
        rest = u - NEURON.threshold * z
        yield u, z


def stllr_update(number: int = 0, factors: Factors = Factors()) -> OneUpdate:
    """S-TLLR: the error of each step's output comes down through the readout's weights."""
    problem = spikes(number)
    target = TARGETS[problem.label]

    def signal(z: Tensor) -> dict[str, Tensor]:
        p = (problem.readout @ z).softmax(0)
        return {"p": p, "δ": (p - target) @ problem.readout}

    stages = three_factors(problem, factors, False, signal)
    given = {"W": problem.weight, "V": problem.readout, "y": target}
    return OneUpdate(problem.weight, given, _constants(factors), tuple(stages))


def tess_update(number: int = 0, factors: Factors = tess.FACTORS) -> OneUpdate:
    """TESS: the layer's own spikes are compared with two fixed waves, one for each class."""
    problem, B = spikes(number), waves() / NEURONS**0.5
    target = TARGETS[problem.label]

    def signal(z: Tensor) -> dict[str, Tensor]:
        return {"p": (B @ z).softmax(0), "δ": tess.learning_signal(z, B, torch.tensor(problem.label))}

    stages = three_factors(problem, factors, True, signal)
    given = {"W": problem.weight, "B": B, "y": target}
    return OneUpdate(problem.weight, given, _constants(factors), tuple(stages))


def three_factors(
    problem: Spikes, factors: Factors, released: bool, signal: Callable[[Tensor], Mapping[str, Tensor]]
) -> Iterator[Stage]:
    """The six stages of each time step; released: h without the paper's extra factor λ_post, as TESS has it."""
    lambda_post, lambda_pre, alpha_post, alpha_pre = factors
    q, trace = torch.zeros(INPUTS).double(), torch.zeros(NEURONS).double()
    for t, (x, (u, z)) in enumerate(zip(problem.x, membranes(problem.weight, problem.x), strict=True)):
        q, psi = trace_step(q, x, lambda_pre), psi_gesture(u - NEURON.threshold)
        h = trace if released else lambda_post * trace
        told = signal(z)
        e = alpha_pre * torch.outer(psi, q) + alpha_post * torch.outer(h, x)
        yield Stage("x", t, {"x": x})
        yield Stage("q", t, {"q": q})
        yield Stage("ψ", t, {"u": u, "z": z, "ψ": psi})
        yield Stage("h", t, {"h": h})
        yield Stage("δ", t, told)
        yield Stage("Δw", t, {"e": e, "Δw": -told["δ"][:, None] * e})
        trace = trace_step(trace, psi, lambda_post)


def lls_update(number: int = 0, params: LLS = LLS()) -> OneUpdate:
    """LLS: a block of four units without a bias, its latents, and back through their averaging."""
    problem, B = samples(number, UNITS), waves()
    stages, pool = [], UNITS // B.shape[1]
    for b, (x, label) in enumerate(zip(problem.x, problem.labels, strict=True)):
        u = problem.weight @ x
        a = F.leaky_relu(u, SLOPE)
        z = a.unflatten(0, (-1, pool)).mean(1)
        s = B @ F.normalize(z, dim=0)
        p = (s / params.temperature).softmax(0)
        of_z = local_signal(z[None], B, label[None], params).latents[0] / ROUNDS
        of_a = of_z.repeat_interleave(pool) / pool
        of_u = torch.where(u > 0, of_a, SLOPE * of_a)
        stages += [
            Stage("z", b, {"x": x, "a": a, "z": z}),
            Stage("s", b, {"s": s}),
            Stage("p", b, {"p": p}),
            Stage("p − y", b, {"p − y": p - TARGETS[label]}),
            Stage("∂a", b, {"∂z": of_z, "∂a": of_u}),
            Stage("Δw", b, {"Δw": -torch.outer(of_u, x)}),
        ]
    targets = TARGETS[problem.labels]
    constants = {"τ": params.temperature, "n": float(ROUNDS)}
    return OneUpdate(problem.weight, {"W": problem.weight, "B": B, "y": targets}, constants, tuple(stages))


def code_cl_update(number: int = 0, params: CodeCLParams = CODE_CL) -> OneUpdate:
    """CODE-CL: the gradient of a ReLU layer, less what the conceptor of the old inputs takes."""
    problem = samples(number)
    C, old = as_matrix(task_conceptor(problem.past.T, params)), strongest(problem.past)
    stages, moved = [], torch.zeros_like(problem.weight)
    for b, (x, delta) in enumerate(zip(problem.x, errors(problem), strict=True)):
        G = torch.outer(delta, x)
        moved = moved + G @ C - G
        stages += [
            Stage("x", b, {"x": x}),
            Stage("δ", b, {"δ": delta}),
            Stage("G", b, {"G": G}),
            Stage("GC", b, {"Cx": C @ x, "GC": G @ C}),
            Stage("G(I − C)", b, {"x − Cx": x - C @ x, "G(I − C)": G - G @ C}),
            Stage("Δw", b, {"Δw": G @ C - G, "old": moved @ old}),
        ]
    given = {"W": problem.weight, "V": problem.readout, "C": C, "x_old": old}
    return OneUpdate(problem.weight, given, {"α": params.aperture}, tuple(stages))


def lance_update(number: int = 0, energy: float = ENERGY) -> OneUpdate:
    """LANCE: the gradient of a ReLU layer of which only the core of the input was kept."""
    problem = samples(number)
    U = basis_of(problem.past, energy)
    stages = []
    for b, (x, delta) in enumerate(zip(problem.x, errors(problem), strict=True)):
        core, G = x @ U, torch.outer(delta, x)
        approximate = linear_weight_gradient(core[None], (None, U), delta[None])
        stages += [
            Stage("x", b, {"x": x}),
            Stage("S", b, {"S": core}),
            Stage("δ", b, {"δ": delta}),
            Stage("Ĝ", b, {"x̂": U @ core, "Ĝ": approximate}),
            Stage("G", b, {"G": G}),
            Stage("Δw", b, {"Δw": -approximate}),
        ]
    given = {"W": problem.weight, "V": problem.readout, "U": U}
    return OneUpdate(problem.weight, given, {"ε": energy, "r": float(U.shape[1])}, tuple(stages))


UPDATES: Mapping[str, Callable[[int], OneUpdate]] = {
    "stllr": stllr_update,
    "tess": tess_update,
    "lls": lls_update,
    "code-cl": code_cl_update,
    "lance": lance_update,
}


def waves() -> Float64[Tensor, "classes latents"]:
    """Cosines of two frequencies over two latents, of length 1 and orthogonal. Two square waves over two latents are
    either opposite or alike in one of them, which would learn nothing."""
    return cosine(CLASSES, NEURONS, torch.tensor([0.25, 1.25], dtype=torch.float64) * math.pi, phase=0.5)


def errors(problem: Samples) -> Float64[Tensor, "batch units"]:
    """∂L/∂u of a ReLU layer under a linear classifier; L is the mean cross-entropy of the batch."""
    u = problem.x @ problem.weight.T
    p = (u.relu() @ problem.readout.T).softmax(1)
    return ((p - TARGETS[problem.labels]) / len(p)) @ problem.readout * (u > 0)


def as_matrix(c: Conceptor) -> Float64[Tensor, "d d"]:
    """C written out."""
    return (c.vectors * c.values) @ c.vectors.T


def strongest(past: Float64[Tensor, "samples inputs"]) -> Float64[Tensor, " inputs"]:
    """The longest of the old inputs."""
    return past[past.norm(dim=1).argmax()]


def basis_of(past: Float64[Tensor, "samples inputs"], energy: float) -> Float64[Tensor, "inputs r"]:
    """U of the features from a calibration on inputs of the past, as LANCE's layers find it."""
    linear: Any = skip_init(torch.nn.Linear, INPUTS, NEURONS, bias=False)  # its inputs are looked at, no more
    torch.nn.init.zeros_(linear.weight)
    layer = torch.nn.Sequential(linear).double()
    found: Any = calibrate(layer, [past], ["0"], Modes())["0"]
    U = leading_bases(found, energy)[-1]
    assert U is not None
    return U.double()


def _constants(factors: Factors) -> dict[str, float]:
    named = {"λ_post": factors.lambda_post, "λ_pre": factors.lambda_pre}
    return {
        **named,
        "α_post": factors.alpha_post,
        "α_pre": factors.alpha_pre,
        "γ": NEURON.decay,
        "v_th": NEURON.threshold,
    }
