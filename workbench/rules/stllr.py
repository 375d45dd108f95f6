"""S-TLLR: STDP-inspired temporal local learning rule.

Apolinario & Roy, TMLR 2025, arXiv 2306.15220. A three-factor rule: learning signal × eligibility.

    ΔŴ_ij = Σ_{t ≥ T_l} δ_i[t] e_ij[t]                                          eq. 5
    e_ij[t] = α_pre ψ_i[t] q_j[t] + α_post x_j[t] h_i[t]                        eq. 10
    q[t] = λ_pre q[t−1] + x[t]                    trace of the input, with the present
    h[t] = Σ_{k<t} λ_post^{t−k} ψ[k]              trace of ψ = Ψ(u − v_th), without the present
    δ[t] = ∂L(o[t], y) / ∂z[t] for t ≥ T_l, else 0: error of this step's output, by backpropagation within the step
           (eq. 12-13), with ψ as the derivative of the spike
Symbols: x input spikes, u membrane before the reset, z spikes, o outputs, y labels, T_l first step that learns.
All ΔŴ here carry the sign of a gradient (the optimiser subtracts them); the paper prints the opposite sign.

Nothing is kept of the past but u⁺, q and h: memory does not grow with the number of steps. The sequence is cut into
pieces of `chunk` steps so that products are large; the autograd graph spans one piece and only its spatial part.
Inside a piece starting at step s the causal sum is done on the output side, which is the same number for half the work
(q[t] = λ^{t−s+1} q[s−1] + Σ_{s≤k≤t} λ^{t−k} x[k] put into Σ_t a[t] ⊗ q[t], with a = δψ):

    Σ_t a[t] ⊗ q[t] = Σ_k ã[k] ⊗ x[k] + λ ã[s] ⊗ q[s−1],      ã[k] = Σ_{t≥k} λ^{t−k} a[t]                 (*)
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.layers import Connection, Layer, SpikingLayer, advance, input_gradient, weight_gradient
from workbench.networks import chunks, layers_with_memory
from workbench.rules.report import StepReport, check_batch, check_labels, learning_start
from workbench.traces import Factors, check_factors, run_trace


class STLLR(NamedTuple):
    """Parameters of the rule.

    last_steps: K = T − T_l, how many of the last steps learn; None for all.
    released_noncausal: leave out the factor λ_post of the non-causal term, as the released code (and TESS) does.
    traced_bias: treat a bias as the weight of a constant input 1, trace included; False is the released code.
    chunk: steps per piece; changes speed and memory, not the result.
    """

    factors: Factors = Factors()
    last_steps: int | None = None
    released_noncausal: bool = False
    traced_bias: bool = True
    chunk: int = 16


class Traces(NamedTuple):
    """What a layer carries from one piece to the next: u⁺, q, Σ_k≤t λ_post^{t−k} ψ[k], and the trace of the input 1."""

    rest: Float[Tensor, "batch ..."]
    q: Float[Tensor, "batch ..."]
    h: Float[Tensor, "batch ..."]
    one: float


def gradients(
    network: nn.Module,
    x: Shaped[Tensor, "time batch *features"],
    y: Int[Tensor, "batch"],
    params: STLLR = STLLR(),
) -> StepReport:
    """Fill `.grad` of every parameter with the S-TLLR update of one batch.

    The loss of a learning step is the cross-entropy of that step's output, averaged over the batch and summed over
    steps; the report gives its mean over steps. `x` may be stored as integers, it is converted piece by piece.
    """
    check_batch(x, y)
    check_factors(params.factors)
    start = learning_start(len(x), params.last_steps)
    layers = layers_with_memory(network)
    weights = {layer: layer.effective_weight() for layer in layers.values()}
    leaves = {layer: weight.detach().requires_grad_() for layer, weight in weights.items()}
    memory: dict[Layer, Traces] = {}
    spikes = dict.fromkeys(weights, 0.0)
    learns = False

    def run(layer: Layer, x: Tensor) -> Tensor:
        z, memory[layer] = run_layer(layer, x, leaves[layer], memory.get(layer), params, learns)
        spikes[layer] += float(z.detach().mean()) * len(z) if isinstance(layer, SpikingLayer) else 0.0
        return z

    logits, loss = torch.zeros(()), 0.0
    dtype = next(network.parameters()).dtype
    for part in pieces(len(x), start, params.chunk):
        learns = part.start >= start
        with torch.set_grad_enabled(learns):
            output = network(x[part].to(dtype), run)
            logits = logits + output.detach().sum(0) / len(x)
            if learns:
                step_loss = summed_cross_entropy(output, y)
                step_loss.backward()
                loss += float(step_loss.detach())
    through_standardisation(weights, leaves)
    rates = {name: spikes[layer] / len(x) for name, layer in layers.items() if isinstance(layer, SpikingLayer)}
    return StepReport(loss / (len(x) - start), logits, rates, state_bytes(memory.values()))


def pieces(steps: int, start: int, size: int) -> list[slice]:
    """Pieces of at most `size` steps with a border at T_l, so that a piece learns wholly or not at all."""
    before = chunks(start, size)
    return before + [slice(start + part.start, start + part.stop) for part in chunks(steps - start, size)]


def summed_cross_entropy(output: Float[Tensor, "time batch classes"], y: Int[Tensor, "batch"]) -> Float[Tensor, ""]:
    """Cross-entropy of each step's output: mean over the batch, sum over the steps (eq. 12)."""
    check_labels(y, output.shape[-1])
    return F.cross_entropy(output.flatten(0, 1), y.repeat(len(output)), reduction="sum") / len(y)


def run_layer(
    layer: Layer, x: Tensor, weight: Tensor, traces: Traces | None, params: STLLR, learns: bool
) -> tuple[Tensor, Traces]:
    """One layer over one piece: its output, with the local gradient attached when the piece learns, and its traces."""
    factors = layer_factors(layer, params.factors)
    with torch.no_grad():
        output, u, rest = advance(layer, x, weight, traces.rest if traces else None)
        psi = layer.psi(u - layer.neuron.threshold) if isinstance(layer, SpikingLayer) else torch.ones_like(u)
        if traces is None:
            traces = Traces(torch.zeros_like(rest), torch.zeros_like(x[0]), torch.zeros_like(rest), 0.0)
        after = advance_traces(traces, rest, x, psi, factors)
    if learns:
        h = non_causal_trace(psi, traces.h, factors, params.released_noncausal)
        bias = layer.connection.bias
        piece = _Piece(layer.connection, factors, traces, params.traced_bias)
        output = _Eligibility.apply(x, weight, bias, output, psi, h, piece)
    return output, after  # pyright: ignore[reportReturnType]


def layer_factors(layer: Layer, factors: Factors) -> Factors:
    """The rule's factors for spiking layers; a leaky readout has ψ = 1 and remembers its input with its own decay."""
    return factors if isinstance(layer, SpikingLayer) else Factors(0.0, layer.decay, 0.0, 1.0)


def advance_traces(traces: Traces, rest: Tensor, x: Tensor, psi: Tensor, factors: Factors) -> Traces:
    """Traces at the end of a piece: each in one weighted sum over its steps."""
    one = traces.one
    for _ in range(len(x)):
        one = factors.lambda_pre * one + 1.0
    q = trace_after(x, factors.lambda_pre, traces.q)
    h = trace_after(psi, factors.lambda_post, traces.h) if factors.alpha_post else traces.h
    return Traces(rest, q, h, one)


def trace_after(x: Float[Tensor, "time *shape"], decay: float, start: Float[Tensor, "*shape"]) -> Tensor:
    """The last value of `run_trace(x, decay, start)`: λ^T q[−1] + Σ_k λ^{T−1−k} x[k]."""
    age = torch.arange(len(x) - 1, -1, -1, dtype=x.dtype, device=x.device)
    weights = torch.full_like(age, decay).pow(age)
    return torch.tensordot(weights, x, dims=1).add_(start, alpha=decay ** len(x))


def non_causal_trace(psi: Tensor, start: Tensor, factors: Factors, released: bool) -> Tensor | None:
    """h[t] of every step of a piece; None when α_post = 0 and the term is absent."""
    if not factors.alpha_post:
        return None
    h = torch.cat([start[None], run_trace(psi[:-1], factors.lambda_post, start)]) if len(psi) > 1 else start[None]
    return h if released else h * factors.lambda_post


class _Piece(NamedTuple):
    connection: Connection
    factors: Factors
    before: Traces
    traced_bias: bool


class _Eligibility(torch.autograd.Function):
    """Gives a layer's precomputed output the gradients of the rule: eq. 10 for the weight, δψŴ for the layer below."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        output: Tensor,
        psi: Tensor,
        h: Tensor | None,
        piece: _Piece,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, psi, h)
        ctx.piece, ctx.has_bias = piece, bias is not None
        return output.view_as(output)

    @staticmethod
    def backward(ctx: Any, delta: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        x, weight, psi, h = ctx.saved_tensors
        piece: _Piece = ctx.piece
        a = delta * psi
        grad_x = None
        if ctx.needs_input_grad[0]:
            flat = input_gradient(piece.connection, x.flatten(0, 1).shape, weight, a.flatten(0, 1))
            grad_x = flat.view_as(x)
        grad_weight, grad_bias = local_gradients(delta, a, h, x, piece)
        return grad_x, grad_weight, grad_bias if ctx.has_bias else None, None, None, None, None


def local_gradients(delta: Tensor, a: Tensor, h: Tensor | None, x: Tensor, piece: _Piece) -> tuple[Tensor, Tensor]:
    """Weight and bias gradient of one piece by (*): two products, one over the piece and one for what came before."""
    connection, factors, before, traced_bias = piece
    backwards = run_trace(a.flip(0), factors.lambda_pre).flip(0)  # ã
    earlier = backwards[0] * (factors.alpha_pre * factors.lambda_pre)
    m = factors.alpha_pre * backwards
    if h is not None:
        m.addcmul_(delta, h, value=factors.alpha_post)
    grad_weight = weight_gradient(connection, x.flatten(0, 1), m.flatten(0, 1))
    if before.one:
        grad_weight += weight_gradient(connection, before.q, earlier)
    grad_bias = per_output(m.flatten(0, 1) if traced_bias else a.flatten(0, 1))
    if traced_bias and before.one:
        grad_bias = grad_bias + before.one * per_output(earlier)
    return grad_weight, grad_bias


def per_output(g: Float[Tensor, "n n_out *space"]) -> Float[Tensor, "n_out"]:
    """Sum over samples and positions."""
    return g.transpose(0, 1).flatten(1).sum(1)


def through_standardisation(weights: dict[Layer, Tensor], leaves: dict[Layer, Tensor]) -> None:
    """Carry the gradients of Ŵ to W and the gain, once per batch."""
    learned = [layer for layer, leaf in leaves.items() if leaf.grad is not None]
    torch.autograd.backward([weights[layer] for layer in learned], [leaves[layer].grad for layer in learned])


def state_bytes(states: Any) -> int:
    """Bytes of all tensors in the layers' states."""
    return sum(t.nbytes for state in states for t in state if isinstance(t, Tensor))
