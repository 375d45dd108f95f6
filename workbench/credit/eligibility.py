"""Local gradients of one layer over one chunk of time: eligibility traces that a learning signal δ is multiplied with.

    ΔŴ_ij = Σ_t δ_i[t] (α_pre ψ_i[t] q_j[t] + α_post x_j[t] h_i[t])
    q[t] = λ_pre q[t−1] + x[t]                    trace of the input, with the present
    h[t] = Σ_{k<t} λ_post^{t−k} ψ[k]              trace of ψ = Ψ(u − v_th), without the present
    and to the layer below, at the same step:  (δ[t] ψ[t]) Ŵ

S-TLLR (arXiv 2306.15220), eq. 9 and 10; TESS and OTTT are the same with another δ or other factors. A recurrent weight
has the same ψ and h, and z[t−1] in the place of x[t]; nothing flows back into z[t−1].

Nothing is kept of the past but u⁺, q and h. A chunk starts at step s; inside it the causal sum is done on the output
side, which is the same number for half the work and needs x, which is sparse, instead of q, which is not:

    Σ_t a[t] ⊗ q[t] = Σ_k ã[k] ⊗ x[k] + λ ã[s] ⊗ q[s−1],      a = δψ,   ã[k] = Σ_{t≥k} λ^{t−k} a[t]             (*)
"""

import itertools
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.faces import short_repr
from workbench.kernels.connections import Connection, Inputs, add_weight_gradient, input_gradient, inputs_of, kept_of
from workbench.kernels.frugal import Frugal, trained_weight
from workbench.kernels.plain import Kernels, Weighing
from workbench.kernels.sparse import SpikeList
from workbench.networks.layers import Advance, Layer, LeakyReadout, Neurons, Weights, advance, layer_kernels
from workbench.neurons.surrogate import Psi
from workbench.neurons.traces import Factors


class Form(NamedTuple):
    """How a layer remembers.

    released_noncausal: leave out the factor λ_post of the non-causal term, as the released code (and TESS) does.
    traced_bias: treat a bias as the weight of a constant input 1, trace included; False is the released code.
    psi: Ψ of the eligibility; None for the layer's own.
    kernels: the inner loops; None chooses for each layer, see `kernels.choice`.
    """

    factors: Factors = Factors()
    released_noncausal: bool = False
    traced_bias: bool = True
    psi: Psi | None = None
    kernels: Kernels | None = None

    __repr__ = short_repr


class Traces(NamedTuple):
    """What a layer carries from one chunk to the next: u⁺ (and z), q, Σ_{k≤t} λ_post^{t−k} ψ[k], the trace of the
    input 1, and of a recurrent layer the trace of its own past spikes. h is None where nothing asks for it: while
    α_post = 0, and in a readout."""

    neurons: Neurons
    q: Float[Tensor, "batch ..."]
    h: Float[Tensor, "batch ..."] | None
    one: float = 0.0
    q_recurrent: Float[Tensor, "batch ..."] | None = None


def run_layer(
    layer: Layer,
    x: Float[Tensor, "time batch ..."],
    weights: Weights,
    traces: Traces | None,
    form: Form,
    learns: bool,
    feedback: Float[Tensor, "..."] | None = None,
) -> tuple[Float[Tensor, "time batch ..."], Traces]:
    """One layer over one chunk: its output, with the local gradient attached when the chunk learns, and its traces.

    `feedback` takes the place of Ŵ on the way down (feedback alignment). Gradients reach `weights` and the bias.
    """
    kernels = form.kernels or layer_kernels(layer, x)
    with torch.no_grad():
        ran = advance(layer, x, weights, traces.neurons if traces else None, kernels)
        traces = start_traces(ran, x, layer) if traces is None else traces
        psi = activation(layer, ran.potential, form.psi) if learns or form.factors.alpha_post else None
        if psi is not None and form.factors.alpha_post and traces.h is None:
            traces = traces._replace(h=torch.zeros_like(ran.neurons.rest))
        h = None
        if learns and psi is not None and traces.h is not None and form.factors.alpha_post:
            h = kernels.run_h(psi, traces.h, form.factors.lambda_post)
        after = advance_traces(traces, ran, x, psi, h, form.factors)
    if not learns:
        return ran.output, after
    connections, inputs, before = layer_synapses(layer, x.detach(), ran, traces, kernels)
    chunk = Chunk(form, kernels, traces.one, x.shape, connections, before, weights)
    down = weights.forward.detach() if feedback is None else feedback
    packed = list(map(pack, inputs))
    chunk = chunk._replace(sizes=tuple(map(len, packed)))
    bias, tensors = layer.connection.bias, itertools.chain(*packed)
    output = _Eligibility.apply(x, *weights, bias, ran.output, psi, h, down, chunk, *tensors)
    return output, after  # pyright: ignore[reportReturnType]


def activation(
    layer: Layer, u: Float[Tensor, "time batch ..."], psi: Psi | None = None
) -> Float[Tensor, "time batch ..."] | None:
    """ψ of a spiking layer; None for a readout, whose ψ is 1."""
    if isinstance(layer, LeakyReadout):
        return None
    return (psi or layer.psi)(u - layer.neuron.threshold)


def start_traces(ran: Advance, x: Float[Tensor, "time batch ..."], layer: Layer) -> Traces:
    """Zeros, at the start of a sequence."""
    nothing = torch.zeros_like(ran.neurons.rest)
    if layer.recurrent is None:
        return Traces(Neurons(nothing), torch.zeros_like(x[0]), None)
    return Traces(Neurons(nothing, nothing), torch.zeros_like(x[0]), None, 0.0, nothing)


def past_spikes(output: Float[Tensor, "time batch n"], before: Neurons) -> Float[Tensor, "time batch n"]:
    """z[t−1] of every step of a chunk."""
    assert before.spikes is not None
    return torch.cat([before.spikes[None], output[:-1]])


def layer_synapses(
    layer: Layer, x: Float[Tensor, "time batch ..."], ran: Advance, traces: Traces, kernels: Kernels
) -> tuple[tuple[Connection, ...], tuple[Inputs, ...], tuple[Float[Tensor, "batch ..."], ...]]:
    """The connections of a layer with what is kept of what drives each in this chunk, and the traces of what drove it
    before: one, or two of a recurrent layer."""
    forward = kept_of(layer.connection, x.flatten(0, 1), ran.inputs)
    if not isinstance(layer.recurrent, nn.Linear) or traces.q_recurrent is None:
        return (layer.connection,), (forward,), (traces.q,)
    past = Inputs(None, ran.past)
    if ran.past is None or isinstance(layer.recurrent, Frugal):
        spikes = past_spikes(ran.output, traces.neurons).flatten(0, 1)
        past = inputs_of(layer.recurrent, spikes, kernels) if ran.past is None else past
        past = kept_of(layer.recurrent, spikes, past)
    return (layer.connection, layer.recurrent), (forward, past), (traces.q, traces.q_recurrent)


def advance_traces(
    traces: Traces,
    ran: Advance,
    x: Float[Tensor, "time batch ..."],
    psi: Float[Tensor, "time batch ..."] | None,
    h: Float[Tensor, "time+1 batch ..."] | None,
    factors: Factors,
) -> Traces:
    """Traces at the end of a chunk: each in one weighted sum over its steps."""
    one = traces.one
    for _ in range(len(x)):
        one = factors.lambda_pre * one + 1.0
    after = traces.h
    if h is not None:
        after = h[-1].clone()
    elif psi is not None and factors.alpha_post and traces.h is not None:
        after = trace_after(psi, factors.lambda_post, traces.h)
    q = trace_after(x, factors.lambda_pre, traces.q)
    q_recurrent = None
    if traces.q_recurrent is not None and traces.neurons.spikes is not None:  # its input is z one step later
        q_recurrent = torch.add(traces.neurons.spikes, traces.q_recurrent, alpha=factors.lambda_pre)
        q_recurrent = trace_after(ran.output[:-1], factors.lambda_pre, q_recurrent) if len(x) > 1 else q_recurrent
    return Traces(ran.neurons, q, after, one, q_recurrent)


def trace_after(
    x: Float[Tensor, "time *shape"], decay: float, start: Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """The last value of `run_trace(x, decay, start)`: λ^T q[−1] + Σ_k λ^{T−1−k} x[k]."""
    if not decay:
        return x[-1].clone()
    age = torch.arange(len(x) - 1, -1, -1, dtype=x.dtype, device=x.device)
    weights = torch.full_like(age, decay).pow(age)
    return torch.tensordot(weights, x, dims=1).add_(start, alpha=decay ** len(x))


class Chunk(NamedTuple):
    """What the backward pass of one layer and chunk needs besides the tensors that autograd keeps."""

    form: Form
    kernels: Kernels
    one: float
    shape: torch.Size
    connections: tuple[Connection, ...]
    before: tuple[Float[Tensor, "batch ..."], ...]
    weights: Weights
    sizes: tuple[int, ...] = ()  # how many of the tensors that autograd keeps are each connection's input


class _Eligibility(torch.autograd.Function):
    """Gives a layer's precomputed output the gradients of the rule: eq. 10 for the weights, which are added to their
    `.grad` right here, and δψŴ for the layer below."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        recurrent: Tensor | None,
        bias: Tensor | None,
        output: Tensor,
        psi: Tensor | None,
        h: Tensor | None,
        down: Tensor,
        chunk: Chunk,
        *inputs: Tensor | None,
    ) -> Tensor:
        ctx.save_for_backward(down, psi, h, *inputs)
        ctx.chunk, ctx.has_bias = chunk, bias is not None
        return output.view_as(output)

    @staticmethod
    def backward(ctx: Any, delta: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        down, psi, h, *flat = ctx.saved_tensors
        chunk: Chunk = ctx.chunk
        delta = delta.contiguous()
        grad_x = down_to(chunk, delta, psi, down) if ctx.needs_input_grad[0] else None
        m, earlier = chunk.kernels.output_side(delta, psi, None if h is None else h[:-1], weighing(chunk.form))
        grad_bias = None
        if ctx.has_bias and chunk.form.traced_bias:
            grad_bias = per_output(m) + chunk.one * per_output(earlier[None])
        elif ctx.has_bias:
            grad_bias = per_output(delta if psi is None else delta * psi)
        kept = iter(flat)
        for place, (connection, size) in enumerate(zip(chunk.connections, chunk.sizes, strict=True)):
            inputs = unpack(connection, list(itertools.islice(kept, size)))
            add_to_weight(chunk, place, inputs, m, earlier)
        return grad_x, None, None, grad_bias, None, None, None, None, None, *[None] * len(flat)


def down_to(
    chunk: Chunk,
    delta: Float[Tensor, "time batch ..."],
    psi: Float[Tensor, "time batch ..."] | None,
    down: Float[Tensor, "..."],
) -> Float[Tensor, "time batch ..."]:
    """(δψ)Ŵ, the signal for the layer below."""
    shape = torch.Size((chunk.shape[0] * chunk.shape[1], *chunk.shape[2:]))
    a = delta if psi is None else delta * psi
    return input_gradient(chunk.connections[0], shape, down, a.flatten(0, 1)).view(chunk.shape)


def weighing(form: Form) -> Weighing:
    """The factors as the output side needs them."""
    lambda_post, lambda_pre, alpha_post, alpha_pre = form.factors
    return Weighing(lambda_pre, alpha_pre, alpha_post * (1.0 if form.released_noncausal else lambda_post))


def add_to_weight(
    chunk: Chunk, place: int, inputs: Inputs, m: Float[Tensor, "time batch ..."], earlier: Float[Tensor, "batch ..."]
) -> None:
    """Add (*) to `.grad` of one effective weight, without the copies that autograd would make of it."""
    connection, weight, kernels = chunk.connections[place], chunk.weights[place], chunk.kernels
    assert weight is not None
    if weight.grad is None:
        weight.grad = torch.zeros_like(weight)
    add_weight_gradient(connection, weight.grad, inputs, m.flatten(0, 1), kernels)
    if chunk.one and chunk.form.factors.lambda_pre:
        before = chunk.before[place]
        add_weight_gradient(connection, weight.grad, kept_of(connection, before, Inputs(before), again=True), earlier)


def per_output(g: Float[Tensor, "time batch n_out *space"]) -> Float[Tensor, "n_out"]:
    """Sum over steps, samples and positions."""
    return g.flatten(0, 1).flatten(2).sum((0, 2)) if g.ndim > 3 else g.sum((0, 1))


def pack(inputs: Inputs) -> tuple[Shaped[Tensor, "..."] | None, ...]:
    """Inputs as tensors, for autograd to keep (and to count)."""
    if inputs.kept is not None:
        return inputs.kept
    return (inputs.x, None, None, None) if inputs.events is None else (None, *inputs.events[:3])


def unpack(connection: Connection, tensors: list[Shaped[Tensor, "..."] | None]) -> Inputs:
    """The reverse of `pack`."""
    if isinstance(connection, Frugal):
        return Inputs(None, None, tuple(tensors))
    x, columns, starts, values = tensors
    if columns is None or starts is None or values is None:
        return Inputs(x)
    return Inputs(None, SpikeList(columns, starts, values, trained_weight(connection).shape[1]))
