"""TESS: traces of S-TLLR × periodic basis vectors of LLS, local in time and in space.

Apolinario, Roy & Frenkel, IJCNN 2025, arXiv 2502.01837. For each spiking layer l, at every step t ≥ t_l:

    u[t] = γ u⁺[t−1] + Ŵ x[t] + b,  u⁺ = u − v_th z                            eq. 1
    z[t] = 1[u[t] > v_th]                                                      eq. 2
    q[t] = λ_pre q[t−1] + x[t]                                                 eq. 5
    h[t] = λ_post h[t−1] + Ψ(u[t−1] − v_th)                                    eq. 7
    m[t] = Bᵀ ( f(B s[t]) − y* )                                               eq. 9, the learning signal
    ΔW[t] = (m ⊙ α_pre Ψ(u[t] − v_th)) ⊗ q[t] + (m ⊙ α_post h[t]) ⊗ x[t]       eq. 10-12

`by_definition` is the rule as it stands above; `gradients` gives the same numbers faster and for any network.
Symbols: x input spikes, u membrane before the reset, s the layer's spikes as its signal sees them (pooled to a few
cells for images), B `(classes, latents)` fixed waves, f softmax, y* one-hot label. Nothing comes from another layer:
each layer's input is detached, and the readout learns from detached spikes at every step.

m is the gradient of a cross-entropy of the layer's own; pooling hands it to the neurons. How large B is matters: at
B/n the logits stay so small that m hardly depends on the activity (cosine to Bᵀ(1/C − y*) 1.0000), at ±1 it saturates.
The default divides by √n. `released_gradients` is what the published script really trains.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.checks import Array, check_integers, check_kind, one_hot
from workbench.credit.bases import Basis, check_rows, dct, judge_rows, square
from workbench.credit.direction import direction
from workbench.credit.signals import (
    BACKPROPAGATION,
    Loss,
    Mask,
    Signal,
    backpropagate,
    layer_shapes,
    masked_loss,
    summed_cross_entropy,
)
from workbench.faces import short_repr
from workbench.kernels.plain import Kernels
from workbench.networks.layers import SpikingLayer
from workbench.networks.spans import Lengths
from workbench.networks.spiking import as_spiking
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import Psi, heaviside, psi_gesture
from workbench.neurons.traces import Factors
from workbench.rule import (
    BYTES,
    Claim,
    Cost,
    LayerSize,
    LearningRule,
    Locality,
    Prepared,
    StepReport,
    Steps,
    check_steps,
    learning_start,
)
from workbench.rules import stllr
from workbench.rules.stllr import STLLR

Normalise = Callable[[Tensor], Tensor]

SILENT = 1e-5  # shorter than one spike pooled over the largest image
FACTORS = Factors(lambda_post=0.2, lambda_pre=0.5, alpha_post=1.0, alpha_pre=1.0)


def by_definition(
    weights: Sequence[Float[Tensor, "_ _"]],
    rows: Sequence[Float[Tensor, "classes _"]],
    x: Float[Tensor, "time batch n_in"],
    y: Int[Tensor, "batch"],
    factors: Factors = FACTORS,
    last_steps: int | None = None,
    neuron: Neuron = Neuron(),
    psi: Psi = psi_gesture,
    readout_decay: float = 0.0,
) -> list[Float[Tensor, "_ _"]]:
    """ΔŴ of every layer of a dense network for one batch: no layer asks another one for anything but its spikes.

    weights: [Ŵ, b, Ŵ_r] of the hidden layers, [W, b] of the readout, as `networks.spiking.stacked_weights` gives them.
    rows: B of each hidden layer `(classes, neurons)` with its scale, square waves / √neurons by default of `gradients`.
    readout_decay: κ of o[t] = κ o[t−1] + W z[t] + b; the readout learns from its own cross-entropy.
    """
    (lambda_post, lambda_pre, alpha_post, alpha_pre), (*hidden, readout) = factors, weights
    T_l, one = learning_start(len(x), last_steps), torch.ones_like(x[0, :, :1])
    update, o = [torch.zeros_like(W) for W in weights], one.new_zeros(len(one), len(readout))
    rest, z, h = ([one.new_zeros(len(one), len(W)) for W in hidden] for _ in range(3))
    q, target = [one.new_zeros(len(one), W.shape[1]) for W in weights], one_hot(y, len(readout))
    for t, s in enumerate(x):
        for layer, (W, B) in enumerate(zip(hidden, rows, strict=True)):
            now = torch.cat([s, one, z[layer]], 1)[:, : W.shape[1]]  # x[t], 1 and, if recurrent, z[t−1]
            u = neuron.decay * rest[layer] + now @ W.T  # eq. 1
            s = z[layer] = heaviside(u - neuron.threshold)  # eq. 2
            rest[layer], psi_now = u - neuron.threshold * s, psi(u - neuron.threshold)
            q[layer] = lambda_pre * q[layer] + now  # eq. 5
            if t >= T_l:
                m = ((s @ B.T).softmax(1) - target) @ B / len(y)  # eq. 9
                causal, non_causal = m * alpha_pre * psi_now, m * alpha_post * h[layer]
                update[layer] += causal.T @ q[layer] + non_causal.T @ now  # eq. 10-12
            h[layer] = lambda_post * h[layer] + psi_now  # eq. 7, for the next step
        now = torch.cat([s, one], 1)
        o, q[-1] = readout_decay * o + now @ readout.T, readout_decay * q[-1] + now
        if t >= T_l:
            update[-1] += ((o.softmax(1) - target) / len(y)).T @ q[-1]
    return update


def over_root_n(s: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """Logits B s / √n: of the size of one when half of the latents agree with the wave."""
    return s / s.shape[-1] ** 0.5


def unit_length(s: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """Logits B s / ‖s‖, as in LLS: only the direction of the activity is taught. A silent layer is taught nothing."""
    return direction(s, SILENT)


def over_n(s: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """Logits B s / n, the released code."""
    return s / s.shape[-1]


def as_printed(s: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """Logits B s, eq. 9 as it stands."""
    return s


class Head(NamedTuple):
    """How one layer is taught: fixed waves `rows` `(classes, latents)` of spikes pooled to the latents.

    before: applied to the layer's spikes first, usually the max-pooling that follows the layer.
    """

    rows: Float[Tensor, "classes latents"]
    cells: int | None = None
    before: Callable[[Tensor], Tensor] = nn.Identity()


class TESS(NamedTuple):
    """Parameters of the rule; `heads` from `make_heads`. Other fields as in `workbench.rules.stllr.STLLR`."""

    heads: Mapping[SpikingLayer, Head]
    factors: Factors = FACTORS
    last_steps: int | None = None
    scale: Normalise = over_root_n
    loss: Loss = summed_cross_entropy
    chunk: int | None = None
    kernels: Kernels | None = None

    __repr__ = short_repr


def gradients(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: TESS,
    lengths: Lengths = None,
) -> StepReport:
    """Fill `.grad` of every parameter with the TESS update of one batch: S-TLLR's eligibility, each layer's own signal.

    The report's loss is the readout's; lengths as in `stllr.gradients`. Raises ValueError for a spiking layer without a
    head.
    """
    return stllr.gradients(network, x, y, local_stllr(network, params), lengths)


def online(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: TESS,
    lengths: Lengths = None,
) -> Iterator[StepReport]:
    """Yield after every learning step with the update of that step alone in `.grad`, see `stllr.online`."""
    return stllr.online(network, x, y, local_stllr(network, params), lengths)


def local_stllr(network: nn.Module, params: TESS) -> STLLR:
    """TESS in S-TLLR's words: its traces, each layer taught by its own head; ValueError for a layer without one."""
    check_kind(params, TESS)
    network = as_spiking(network)
    missing = [name for name, m in network.named_modules() if isinstance(m, SpikingLayer) and m not in params.heads]
    if missing:
        raise ValueError(f"no head for {', '.join(missing)}; make all with make_heads(network, x, classes)")
    return as_stllr(params, Signal(backpropagate, cut=True, local=partial(teach, params)))


def released_gradients(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: TESS,
    lengths: Lengths = None,
) -> StepReport:
    """What the published training script does: it never hands the target to a layer, so that the readout's error goes
    back through all layers. That is S-TLLR with backpropagation, and not local in space."""
    return stllr.gradients(network, x, y, as_stllr(params, BACKPROPAGATION), lengths)


def as_stllr(params: TESS, signal: Signal) -> STLLR:
    """The same traces in S-TLLR's words: eq. 7 is the released form of the non-causal term."""
    return STLLR(
        params.factors,
        params.last_steps,
        released_noncausal=True,
        chunk=params.chunk,
        signal=signal,
        kernels=params.kernels,
    )


def teach(
    params: TESS,
    layer: SpikingLayer,
    z: Float[Tensor, "time batch ..."],
    y: Int[Tensor, "batch"],
    learning: Mask = None,
) -> None:
    """Send the layer its signal: the backward pass of its own loss, which ends at the layer's detached input."""
    masked_loss(params.loss, head_logits(z, params.heads[layer], params.scale), y, learning).backward()


def head_logits(
    z: Float[Tensor, "time batch *shape"], head: Head, scale: Normalise = over_root_n
) -> Float[Tensor, "time batch classes"]:
    """B s of eq. 9: how much each step's spikes look like each class's wave."""
    return scale(latents(z, head)) @ head.rows.T


def latents(z: Float[Tensor, "time batch *shape"], head: Head) -> Float[Tensor, "time batch latents"]:
    """s: the spikes, images pooled to `cells` × `cells` means per channel, in one row."""
    s = head.before(z.flatten(0, 1))
    s = s if head.cells is None else F.adaptive_avg_pool2d(s, head.cells)
    return s.flatten(1).unflatten(0, z.shape[:2])


def learning_signal(
    s: Float[Tensor, "*batch latents"], rows: Float[Tensor, "classes latents"], y: Int[Tensor, "*batch"]
) -> Float[Tensor, "*batch latents"]:
    """m of eq. 9 in closed form, for one basis that carries its scale: Bᵀ (softmax(B s) − y*)."""
    return (torch.softmax(s @ rows.T, -1) - F.one_hot(check_integers(y), len(rows))) @ rows


def make_heads(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    classes: int,
    cells: Iterable[int] | int = 2,
    before: Mapping[SpikingLayer, Callable[[Tensor], Tensor]] | None = None,
    basis: Basis = square,
) -> dict[SpikingLayer, Head]:
    """A head for every spiking layer. `x` is any input, for the layers' shapes; `cells` is the pooled side of image
    layers, one for all or one each; `before` names what is applied to a layer's spikes first."""
    shapes, heads, like = layer_shapes(network, x), {}, next(network.parameters())
    sides = [cells] * len(shapes) if isinstance(cells, int) else list(cells)
    for (layer, shape), side in zip(shapes.items(), sides, strict=True):
        image = len(shape) == 3
        n = shape[0] * side**2 if image else shape.numel()
        rows = check_rows(basis(classes, n)).to(like)
        heads[layer] = Head(rows, side if image else None, (before or {}).get(layer, nn.Identity()))
    return heads


def hard_sigmoid_squares(logits: Float[Tensor, "time batch classes"], y: Int[Tensor, "batch"]) -> Float[Tensor, ""]:
    """A loss for hardware, in place of the cross-entropy: ½ (σ̂ − y*)² with σ̂(a) = clip(a/4 + ½, 0, 1),
    whose gradient is taken as that of the identity. Mean over the batch, sum over steps and classes."""
    clipped = (0.25 * logits + 0.5).clamp(0.0, 1.0)
    through = logits + (clipped - logits).detach()
    return 0.5 * (through - one_hot(y, logits.shape[-1])).square().sum() / len(y)


def distinct(classes: int, latents: int) -> Float[Tensor, "classes latents"]:
    """The paper's square waves; cosines (`bases.dct`) where two square waves would be too much alike."""
    waves = square(classes, latents)
    return dct(classes, latents) if judge_rows(waves).words else waves


def cost(sizes: Sequence[LayerSize], steps: int, learning_steps: int) -> Cost:
    """2 K Σ M_l + 2 K C Σ N_l MACs and 2 Σ N_l values: instead of sending errors down, hidden layers project to C
    classes and back. The paper (section III-B) counts that last term alone."""
    macs, neurons = sum(size.macs for size in sizes), sum(size.neurons for size in sizes)
    classes, hidden = sizes[-1].neurons, sum(size.neurons for size in sizes[1:-1])
    return Cost(2 * learning_steps * (macs + classes * hidden), 2 * BYTES * neurons)


def prepare(
    network: nn.Module,
    x: Shaped[Tensor, "time batch ..."],
    classes: int,
    steps: Steps = Steps(),
    factors: Factors = FACTORS,
) -> Prepared:
    """TESS with a head of `distinct` waves for every spiking layer."""
    last, at_once = check_steps(steps)
    params = TESS(make_heads(network, x, classes, basis=distinct), factors, last, chunk=at_once)
    return Prepared(partial(gradients, params=params), partial(online, params=params))


def prepare_released(
    network: nn.Module, x: Shaped[Tensor, "time batch ..."], classes: int, steps: Steps = Steps()
) -> Prepared:
    """What the published script trains."""
    last, at_once = check_steps(steps)
    params = TESS(make_heads(network, x, classes, basis=distinct), last_steps=last, chunk=at_once)
    by_step = partial(stllr.online, params=as_stllr(params, BACKPROPAGATION))
    return Prepared(partial(released_gradients, params=params), by_step)


RULE = LearningRule(
    name="tess",
    label="TESS",
    paper="Apolinario, Roy & Frenkel, IJCNN 2025, arXiv 2502.01837",
    claim=Claim(
        Locality(space=True, time=True, memory=True),
        "title and abstract: temporally and spatially local, linear in the neurons whatever the number of steps",
    ),
    cost=cost,
    for_spiking=prepare,
)
RELEASED = RULE._replace(name="tess-released", label="TESS as released", cost=None, for_spiking=prepare_released)
