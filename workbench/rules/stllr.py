"""S-TLLR: STDP-inspired temporal local learning rule.

Apolinario & Roy, TMLR 2025, arXiv 2306.15220. A three-factor rule: learning signal × eligibility.

    u[t] = γ u⁺[t−1] + Ŵ x[t] + b (+ Ŵ_r z[t−1]),   u⁺ = u − v_th z            eq. 1 (recurrent: eq. 14)
    z[t] = 1[u[t] > v_th]                                                      eq. 2
    ΔŴ_ij = Σ_t δ_i[t] e_ij[t]                                                 eq. 9, over t ≥ T_l: eq. 13
    e_ij[t] = α_pre ψ_i[t] q_j[t] + α_post x_j[t] h_i[t]                       eq. 10 (recurrent: eq. 16)
    q[t] = Σ_{k≤t} λ_pre^{t−k} x[k] = λ_pre q[t−1] + x[t]                      trace of x, with the present
    h[t] = Σ_{k<t} λ_post^{t−k} ψ[k] = λ_post (h[t−1] + ψ[t−1])                trace of ψ = Ψ(u − v_th), without
    δ[t] = ∂L(o[t], y) / ∂z[t] for t ≥ T_l, else 0                             eq. 12

δ is the error of this step's output, by backpropagation within the step with ψ as the derivative of the spike, or any
other signal of `workbench.credit.signals`. Eq. 5, w[t+1] = w[t] + Δw[t], is the step that an optimiser takes here.
Symbols: x input spikes, u membrane before the reset, z spikes, o outputs, y labels, T_l first step that learns.
All ΔŴ here carry the sign of a gradient (the optimiser subtracts them); the paper prints the opposite sign.

`by_definition` is the rule as it stands above. `gradients` gives the same numbers faster and for any network: the
sequence is cut into chunks of `chunk` steps so that products are large; the autograd graph spans one chunk and only its
spatial part. What a layer does with a chunk stands in `workbench.credit.eligibility`. Either way nothing is kept of the
past but u⁺, q and h: memory does not grow with the number of steps.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from workbench.checks import COUNT, Array, as_floats, check_batch, check_fields, one_hot
from workbench.credit.eligibility import Form, Traces, run_layer
from workbench.credit.signals import BACKPROPAGATION, Loss, Signal, direct_feedback, summed_cross_entropy
from workbench.credit.three_factor import OnlinePass, as_leaves, learning_chunks, through_standardisation
from workbench.faces import short_repr
from workbench.kernels.plain import Kernels
from workbench.networks.layers import Layer, LeakyReadout, SpikingLayer, Weights, running_weights
from workbench.networks.spans import Learning, Lengths, Spans, learning_steps
from workbench.networks.spiking import MOST_STEPS, check_spiking, chunk_steps, chunks, layers_with_memory
from workbench.neurons.lif import Neuron
from workbench.neurons.surrogate import Psi, heaviside, psi_gesture
from workbench.neurons.traces import Factors, check_factors
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


def by_definition(
    weights: Sequence[Float[Tensor, "_ _"]],
    x: Float[Tensor, "time batch n_in"],
    y: Int[Tensor, "batch"],
    factors: Factors = Factors(),
    last_steps: int | None = None,
    neuron: Neuron = Neuron(),
    psi: Psi = psi_gesture,
    readout_decay: float = 0.0,
) -> list[Float[Tensor, "_ _"]]:
    """ΔŴ of every layer of a dense network for one batch, under the cross-entropy of each step's output.

    weights: [Ŵ, b, Ŵ_r] of the hidden layers, [W, b] of the readout, as `networks.spiking.stacked_weights` gives them.
    readout_decay: κ of o[t] = κ o[t−1] + W z[t] + b; the readout has ψ = 1 and remembers its input as it forgets it.
    """
    (lambda_post, lambda_pre, alpha_post, alpha_pre), (*hidden, readout) = factors, weights
    T_l, one = learning_start(len(x), last_steps), torch.ones_like(x[0, :, :1])
    widths = [x.shape[2], *map(len, hidden)]  # inputs of each layer
    update, o = [torch.zeros_like(W) for W in weights], one.new_zeros(len(one), len(readout))
    rest, z, h, psi_now = ([one.new_zeros(len(one), len(W)) for W in hidden] for _ in range(4))
    q, now = ([one.new_zeros(len(one), W.shape[1]) for W in weights] for _ in range(2))
    for t, s in enumerate(x):
        for layer, W in enumerate(hidden):
            now[layer] = torch.cat([s, one, z[layer]], 1)[:, : W.shape[1]]  # x[t], 1 and, if recurrent, z[t−1]
            u = neuron.decay * rest[layer] + now[layer] @ W.T  # eq. 1, 14
            s = z[layer] = heaviside(u - neuron.threshold)  # eq. 2
            rest[layer], psi_now[layer] = u - neuron.threshold * s, psi(u - neuron.threshold)
            q[layer] = lambda_pre * q[layer] + now[layer]  # in eq. 10: Σ_{k≤t}
        now[-1] = torch.cat([s, one], 1)
        o, q[-1] = readout_decay * o + now[-1] @ readout.T, readout_decay * q[-1] + now[-1]
        if t >= T_l:  # eq. 13
            delta = (o.softmax(1) - one_hot(y, len(readout))) / len(y)  # eq. 12: ∂L/∂o
            update[-1] += delta.T @ q[-1]
            delta = delta @ readout[:, :-1]  # eq. 12: ∂L/∂z of the last hidden layer
            for layer in reversed(range(len(hidden))):
                causal = alpha_pre * psi_now[layer][:, :, None] * q[layer][:, None, :]
                non_causal = alpha_post * h[layer][:, :, None] * now[layer][:, None, :]
                e = causal + non_causal  # eq. 10, 16
                update[layer] += (delta[:, :, None] * e).sum(0)  # eq. 9
                delta = (delta * psi_now[layer]) @ hidden[layer][:, : widths[layer]]  # eq. 12, for the layer below
        h = [lambda_post * (trace + now) for trace, now in zip(h, psi_now, strict=True)]  # in eq. 10: Σ_{k<t}
    return update


LayerFactors = Callable[[SpikingLayer], Factors]


class STLLR(NamedTuple):
    """Parameters of the rule.

    factors: λ_post, λ_pre, α_post, α_pre of all spiking layers, or a function that gives them for each.
    last_steps: K = T − T_l, how many of the last steps learn; None for all.
    released_noncausal: leave out the factor λ_post of the non-causal term, as the released code (and TESS) does.
    traced_bias: treat a bias as the weight of a constant input 1, trace included; False is the released code.
    chunk: steps per chunk, None for `networks.chunk_steps`; changes speed and memory, not the result.
    signal: who tells the layers what was wrong.
    loss: of the outputs `(time, batch, ...)` of learning steps and y, summed over steps and averaged over the batch;
        with lengths it is given what learns as if it were one step of more samples.
    kernels: the inner loops, `TORCH` of `workbench.kernels.plain` or `NUMBA` of `workbench.kernels.compiled`; None
        chooses for each layer, see `workbench.kernels.choice`.
    """

    factors: Factors | LayerFactors = Factors()
    last_steps: int | None = None
    released_noncausal: bool = False
    traced_bias: bool = True
    chunk: int | None = None
    signal: Signal = BACKPROPAGATION
    loss: Loss = summed_cross_entropy
    kernels: Kernels | None = None

    __repr__ = short_repr


def gradients(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: STLLR = STLLR(),
    lengths: Lengths = None,
) -> StepReport:
    """Fill `.grad` of every parameter with the S-TLLR update of one batch.

    The loss of a learning step is the cross-entropy of that step's output, averaged over the batch and summed over
    steps; the report gives its mean over steps. `x` may be stored as integers, it is converted chunk by chunk.
    lengths: how many steps of each sample are its own, where shorter ones are padded at the end; None for all. The
    update is then the mean of those of each sequence alone, and `last_steps` counts from each sample's own end.
    """
    y, (x, start, spans) = check_arguments(x, y, params, lengths)
    ongoing = begin_pass(network, params, spans)
    for chunk in learning_chunks(len(x), start, params.chunk or chunk_steps(network, x)):
        ongoing.advance(x[chunk], y, chunk.start >= start, ahead=start - chunk.stop)
    ongoing.hand_over()
    return ongoing.report()


def online(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: STLLR = STLLR(),
    lengths: Lengths = None,
) -> Iterator[StepReport]:
    """Yield after every learning step with the update of that step alone in `.grad`, so that the optimiser can take a
    step before the next one; the following steps use the new weights.

    >>> from workbench.networks import SpikingMLP
    >>> network, x, y = SpikingMLP([6, 8], classes=2), torch.ones(5, 3, 6), torch.tensor([0, 1, 0])
    >>> optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    >>> for report in online(network, x, y, STLLR(last_steps=2)):
    ...     optimizer.step()
    """
    y, (x, start, spans) = check_arguments(x, y, params, lengths)
    ongoing = begin_pass(network, params, spans)
    for chunk in chunks(start, params.chunk or chunk_steps(network, x)):
        ongoing.advance(x[chunk], y, learns=False, ahead=start - chunk.stop)
    for step in range(start, len(x)):
        network.zero_grad(set_to_none=True)
        if ongoing.advance(x[step : step + 1], y, learns=True):
            ongoing.hand_over()
            yield ongoing.report()
            ongoing.take_weights()


class Taught(NamedTuple):
    """One layer after a sequence: its output, the signal for the layer below in steps that learn, its traces."""

    output: Float[Tensor, "time batch ..."]
    below: Float[Tensor, "learning batch ..."]
    traces: Traces


def teach_layer(
    layer: Layer,
    x: Shaped[Array, "time batch ..."],
    delta: Float[Tensor, "learning batch ..."],
    params: STLLR = STLLR(),
) -> Taught:
    """Fill `.grad` of one layer for a given learning signal δ = ∂L/∂z of the last steps; earlier steps do not learn."""
    x = as_floats(x)
    _, (x, start, _) = check_arguments(x, x.new_zeros(x.shape[1]), params._replace(last_steps=len(delta)))
    weights, form, traces = as_leaves(running_weights(layer)), layer_form(layer, params), None
    outputs, below = [], []
    for chunk in learning_chunks(len(x), start, params.chunk or MOST_STEPS):
        learns = chunk.start >= start
        inputs = x[chunk].detach().requires_grad_(learns)
        output, traces = run_layer(layer, inputs, weights, traces, form, learns)
        if learns:
            output.backward(delta[chunk.start - start : chunk.stop - start])
            below.append(inputs.grad)
        outputs.append(output.detach())
    through_standardisation(layer, weights)
    assert traces is not None
    return Taught(torch.cat(outputs), torch.cat(below), traces)


def check_arguments(
    x: Array, y: Array, params: STLLR, lengths: Lengths = None
) -> tuple[Shaped[Tensor, "batch ..."], Learning]:
    """y, and what is run, T_l and the samples' spans; or ValueError for a batch or parameters that make no sense."""
    check_fields(params, STLLR, chunk=COUNT)
    if not callable(params.factors):
        check_factors(params.factors)
    x, y = check_batch(x, y)
    return y, learning_steps(x, params.last_steps, lengths)


def begin_pass(network: nn.Module, params: STLLR, spans: Spans | None = None) -> OnlinePass:
    """One batch on its way through time under this rule."""
    network = check_spiking(network)
    forms = {layer: layer_form(layer, params) for layer in layers_with_memory(network).values()}
    resolution = torch.finfo(next(network.parameters()).dtype).eps

    def run(layer: Layer, x: Tensor, weights: Weights, traces: Traces | None, learns: bool, feedback: Tensor | None):
        form = forms[layer]
        if not learns:
            form = form._replace(factors=worth_tracing(form.factors, ongoing.ahead, resolution))
        return run_layer(layer, x, weights, traces, form, learns, feedback)

    ongoing = OnlinePass(network, run, params.signal, params.loss, spans)
    return ongoing


def worth_tracing(factors: Factors, ahead: int, resolution: float) -> Factors:
    """The factors without the traces that will be below rounding when, `ahead` steps later, learning begins.

    >>> tuple(worth_tracing(Factors(0.2, 0.75, -1.0, 1.0), 20, 1e-7))
    (0.0, 0.75, 0.0, 1.0)
    """
    if factors.lambda_post**ahead < resolution:
        factors = factors._replace(lambda_post=0.0, alpha_post=0.0)
    return factors._replace(lambda_pre=0.0) if factors.lambda_pre**ahead < resolution else factors


def layer_form(layer: Layer, params: STLLR) -> Form:
    """How this layer remembers. A readout has ψ = 1 and remembers its input as it forgets it."""
    factors = params.factors
    if isinstance(layer, LeakyReadout):
        factors = Factors(0.0, layer.trace_decay, 0.0, 1.0)
    elif not isinstance(factors, Factors):
        factors = check_factors(factors(layer))
    return Form(factors, params.released_noncausal, params.traced_bias, kernels=params.kernels)


def cost(sizes: Sequence[LayerSize], steps: int, learning_steps: int, non_causal: bool = True) -> Cost:
    """3 K Σ M_l MACs and 2 Σ N_l values (eq. 20 and 21).

    Without the non-causal term 2 K Σ M_l and, as there is no trace of ψ to keep, Σ N_l: so TESS (arXiv 2502.01837,
    section III-B) counts, while eq. 20 has 2 in any case.
    """
    products, traces = (3, 2) if non_causal else (2, 1)
    macs, neurons = sum(size.macs for size in sizes), sum(size.neurons for size in sizes)
    return Cost(products * learning_steps * macs, traces * BYTES * neurons)


def prepared(params: STLLR) -> Prepared:
    """Both forms with these parameters."""
    return Prepared(partial(gradients, params=params), partial(online, params=params))


def prepare(
    network: nn.Module,
    x: Shaped[Tensor, "time batch ..."],
    classes: int,
    steps: Steps = Steps(),
    factors: Factors = Factors(),
    signal: Callable[[nn.Module, Tensor], Signal] | None = None,
) -> Prepared:
    """S-TLLR with the learning signal that `signal(network, x)` makes; with None, backpropagation within the step."""
    last, at_once = check_steps(steps)
    made = BACKPROPAGATION if signal is None else signal(network, x)
    return prepared(STLLR(factors, last, chunk=at_once, signal=made))


prepare_direct_feedback = partial(prepare, signal=direct_feedback)  # a fixed random matrix for each layer


PAPER = "Apolinario & Roy, TMLR 2025, arXiv 2306.15220"
TABLE = "Table 1: temporal local, memory n for n neurons, no T in it; backpropagation through the layers (section 4.2)"
RULE = LearningRule(
    name="stllr",
    label="S-TLLR",
    paper=PAPER,
    claim=Claim(Locality(space=False, time=True, memory=True), TABLE),
    cost=cost,
    for_spiking=prepare,
)
CAUSAL = RULE._replace(
    name="stllr-causal",
    label="S-TLLR, causal",
    cost=partial(cost, non_causal=False),
    for_spiking=partial(prepare, factors=Factors(alpha_post=0.0)),
)
WITH_DIRECT_FEEDBACK = RULE._replace(
    name="stllr-dfa",
    label="S-TLLR with DFA",
    claim=Claim(
        Locality(space=True, time=True, memory=True), "Table 1; section 4.2: with direct feedback spatially local, too"
    ),
    cost=None,
    for_spiking=prepare_direct_feedback,
)
