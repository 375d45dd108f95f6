"""S-TLLR: STDP-inspired temporal local learning rule.

Apolinario & Roy, TMLR 2025, arXiv 2306.15220. A three-factor rule: learning signal × eligibility.

    ΔŴ_ij = Σ_{t ≥ T_l} δ_i[t] e_ij[t]                                          eq. 5
    e_ij[t] = α_pre ψ_i[t] q_j[t] + α_post x_j[t] h_i[t]                        eq. 10
    q[t] = λ_pre q[t−1] + x[t]                    trace of the input, with the present
    h[t] = Σ_{k<t} λ_post^{t−k} ψ[k]              trace of ψ = Ψ(u − v_th), without the present
    δ[t] = ∂L(o[t], y) / ∂z[t] for t ≥ T_l, else 0: error of this step's output, by backpropagation within the step
           (eq. 12-13), with ψ as the derivative of the spike; or any other signal of `workbench.credit.signals`
Symbols: x input spikes, u membrane before the reset, z spikes, o outputs, y labels, T_l first step that learns.
All ΔŴ here carry the sign of a gradient (the optimiser subtracts them); the paper prints the opposite sign.

Nothing is kept of the past but u⁺, q and h: memory does not grow with the number of steps. The sequence is cut into
pieces of `chunk` steps so that products are large; the autograd graph spans one piece and only its spatial part.
What a layer does with a piece stands in `workbench.credit.eligibility`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.credit.eligibility import Form, Traces, run_layer
from workbench.credit.signals import BACKPROPAGATION, Loss, Signal, summed_cross_entropy
from workbench.credit.three_factor import Passage, as_leaves, pieces, through_standardisation
from workbench.kernels.plain import TORCH, Kernels
from workbench.networks.layers import Layer, LeakyReadout, SpikingLayer, Weights, running_weights
from workbench.networks.spiking import chunks, layers_with_memory
from workbench.neurons.traces import Factors, check_factors
from workbench.rule import StepReport, check_batch, learning_start

# What happens so long before the first learning step that its traces are below rounding then need not be traced.
FORGOTTEN = Factors(0.0, 0.0, 0.0, 0.0)

LayerFactors = Callable[[SpikingLayer], Factors]


class STLLR(NamedTuple):
    """Parameters of the rule.

    factors: λ_post, λ_pre, α_post, α_pre of all spiking layers, or a function that gives them for each.
    last_steps: K = T − T_l, how many of the last steps learn; None for all.
    released_noncausal: leave out the factor λ_post of the non-causal term, as the released code (and TESS) does.
    traced_bias: treat a bias as the weight of a constant input 1, trace included; False is the released code.
    chunk: steps per piece; changes speed and memory, not the result.
    signal: who tells the layers what was wrong.
    loss: of the outputs `(time, batch, ...)` of learning steps and y, summed over steps and averaged over the batch.
    kernels: the inner loops; `workbench.kernels.compiled.NUMBA` is faster on a CPU and needs the extra `fast`.
    """

    factors: Factors | LayerFactors = Factors()
    last_steps: int | None = None
    released_noncausal: bool = False
    traced_bias: bool = True
    chunk: int = 16
    signal: Signal = BACKPROPAGATION
    loss: Loss = summed_cross_entropy
    kernels: Kernels = TORCH


def gradients(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Shaped[Tensor, "batch *target"],
    params: STLLR = STLLR(),
) -> StepReport:
    """Fill `.grad` of every parameter with the S-TLLR update of one batch.

    The loss of a learning step is the cross-entropy of that step's output, averaged over the batch and summed over
    steps; the report gives its mean over steps. `x` may be stored as integers, it is converted piece by piece.
    """
    start = check_arguments(x, y, params)
    passage = passage_of(network, params)
    for part in pieces(len(x), start, params.chunk):
        passage.advance(x[part], y, part.start >= start, ahead=start - part.stop)
    passage.hand_over()
    return passage.report(len(x), len(x) - start)


def online(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Shaped[Tensor, "batch *target"],
    params: STLLR = STLLR(),
) -> Iterator[StepReport]:
    """Yield after every learning step with the update of that step alone in `.grad`, so that the optimiser can take a
    step before the next one; the following steps use the new weights.

    >>> for report in online(network, x, y, params):
    ...     optimizer.step()
    """
    start = check_arguments(x, y, params)
    passage = passage_of(network, params)
    for part in chunks(start, params.chunk):
        passage.advance(x[part], y, learns=False, ahead=start - part.stop)
    for step in range(start, len(x)):
        network.zero_grad(set_to_none=True)
        passage.advance(x[step : step + 1], y, learns=True)
        passage.hand_over()
        yield passage.report(step + 1, step + 1 - start)
        passage.take_weights()


class Taught(NamedTuple):
    """One layer after a sequence: its output, the signal for the layer below in steps that learn, its traces."""

    output: Float[Tensor, "time batch ..."]
    below: Float[Tensor, "learning batch ..."]
    traces: Traces


def teach_layer(
    layer: Layer,
    x: Float[Tensor, "time batch ..."],
    delta: Float[Tensor, "learning batch ..."],
    params: STLLR = STLLR(),
) -> Taught:
    """Fill `.grad` of one layer for a given learning signal δ = ∂L/∂z of the last steps; earlier steps do not learn."""
    start = check_arguments(x, torch.zeros(x.shape[1], device=x.device), params._replace(last_steps=len(delta)))
    weights, form, traces = as_leaves(running_weights(layer)), layer_form(layer, params), None
    outputs, below = [], []
    for part in pieces(len(x), start, params.chunk):
        learns = part.start >= start
        inputs = x[part].detach().requires_grad_(learns)
        output, traces = run_layer(layer, inputs, weights, traces, form, learns)
        if learns:
            output.backward(delta[part.start - start : part.stop - start])
            below.append(inputs.grad)
        outputs.append(output.detach())
    through_standardisation(layer, weights)
    assert traces is not None
    return Taught(torch.cat(outputs), torch.cat(below), traces)


def check_arguments(x: Tensor, y: Tensor, params: STLLR) -> int:
    """T_l; or ValueError for a batch or parameters that make no sense."""
    check_batch(x, y)
    if isinstance(params.factors, Factors):
        check_factors(params.factors)
    if params.chunk < 1:
        raise ValueError(f"chunk, the steps per piece, must be at least 1, got {params.chunk}")
    return learning_start(len(x), params.last_steps)


def passage_of(network: nn.Module, params: STLLR) -> Passage:
    """One batch on its way through time under this rule."""
    forms = {layer: layer_form(layer, params) for layer in layers_with_memory(network).values()}
    resolution = torch.finfo(next(network.parameters()).dtype).eps

    def run(layer: Layer, x: Tensor, weights: Weights, traces: Traces | None, learns: bool, feedback: Tensor | None):
        form = forms[layer]
        if not learns and max(form.factors[:2]) ** passage.ahead < resolution:
            form = form._replace(factors=FORGOTTEN)
        return run_layer(layer, x, weights, traces, form, learns, feedback)

    passage = Passage(network, run, params.signal, params.loss)
    return passage


def layer_form(layer: Layer, params: STLLR) -> Form:
    """How this layer remembers. A readout has ψ = 1 and remembers its input as it forgets it."""
    factors = params.factors
    if isinstance(layer, LeakyReadout):
        factors = Factors(0.0, layer.trace_decay, 0.0, 1.0)
    elif not isinstance(factors, Factors):
        factors = check_factors(factors(layer))
    return Form(factors, params.released_noncausal, params.traced_bias, kernels=params.kernels)
