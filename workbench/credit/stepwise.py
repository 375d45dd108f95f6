"""A local rule of one's own from a single function: what one layer does in one time step.

A rule says in `run_step(Step)` which spikes a layer gives, what it carries to the next step, and by `attach` what its
weights learn from. Everything else is here: time, learning signals, lengths, standardised weights, the readout, the
report. With δ = ∂L / ∂z of this step's output (or what else a `Signal` says) and ψ = Ψ(u − v_th),

    ΔŴ_ij = Σ_t δ_i[t] ψ_i[t] p_j[t]      p what the weight learns from: a trace, or x itself
    and to the layer below, at the same step:  (δ[t] ψ[t]) Ŵ

A readout learns exactly: the trace of its input forgets as it does. `workbench.credit.eligibility` does the same for
traces of one fixed decay, in chunks of many steps, and faster.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.checks import Array, check_batch
from workbench.credit.eligibility import Form, activation, run_layer
from workbench.credit.signals import BACKPROPAGATION, Loss, Signal, summed_cross_entropy
from workbench.credit.three_factor import OnlinePass
from workbench.faces import short_repr
from workbench.kernels.connections import Inputs, linear_map
from workbench.networks.layers import Advance, Layer, LeakyReadout, SpikingLayer, Weights
from workbench.networks.spans import Lengths, learning_steps
from workbench.networks.spiking import check_spiking
from workbench.neurons.traces import Factors
from workbench.rule import Prepared, StepReport

Sequences = Shaped[Array, "time batch *features"]
Targets = Shaped[Array, "batch *target"]


class Step(NamedTuple):
    """One layer in one step: its input, its effective weights, the state that it left behind (None at the start),
    whether the step learns, the weights of the way down where they are not its own.

    beside: what the layer below sent beside its spikes, after what stands between the two (pooling, sums) was done to
    it as well; None for a layer that sees the network's input.
    """

    layer: SpikingLayer
    x: Float[Tensor, "1 batch ..."]
    weights: Weights
    state: Any
    learns: bool
    feedback: Float[Tensor, "..."] | None = None
    beside: Float[Tensor, "1 batch ..."] | None = None


class Ran(NamedTuple):
    """What a layer gives: spikes, with the gradient attached where the step learns; a tuple of tensors and numbers for
    its next step; and what goes beside the spikes, of their shape."""

    spikes: Float[Tensor, "1 batch ..."]
    state: Any
    beside: Float[Tensor, "1 batch ..."] | None = None


class Stepwise(NamedTuple):
    """A rule: what a layer does in a step, and who tells it what was wrong, as in `workbench.rules.stllr.STLLR`."""

    run_step: Callable[[Step], Ran]
    last_steps: int | None = None
    signal: Signal = BACKPROPAGATION
    loss: Loss = summed_cross_entropy

    __repr__ = short_repr


def online(
    network: nn.Module,
    x: Sequences,
    y: Targets,
    rule: Stepwise,
    lengths: Lengths = None,
) -> Iterator[StepReport]:
    """Yield after every learning step with the update of that step alone in `.grad`; the next uses the new weights."""
    return _steps(network, x, y, rule, lengths, each=True)


def gradients(
    network: nn.Module,
    x: Sequences,
    y: Targets,
    rule: Stepwise,
    lengths: Lengths = None,
) -> StepReport:
    """Fill `.grad` of every parameter with the sum of the updates of all learning steps."""
    (report,) = _steps(network, x, y, rule, lengths, each=False)
    return report


def prepared(rule: Stepwise) -> Prepared:
    """Both forms of a rule."""
    return Prepared(partial(gradients, rule=rule), partial(online, rule=rule))


def _steps(
    network: nn.Module, x: Array, y: Array, rule: Stepwise, lengths: Lengths, each: bool
) -> Iterator[StepReport]:
    network, (x, y) = check_spiking(network), check_batch(x, y)
    x, start, spans = learning_steps(x, rule.last_steps, lengths)
    ongoing = OnlinePass(network, partial(_run, rule.run_step), rule.signal, rule.loss, spans)
    for step in range(len(x)):
        if each:
            network.zero_grad(set_to_none=True)
        learned = ongoing.advance(x[step : step + 1], y, step >= start)
        if each and learned:
            ongoing.hand_over()
            yield ongoing.report()
            ongoing.take_weights()
    if not each:
        ongoing.hand_over()
        yield ongoing.report()


def _run(
    run_step: Callable[[Step], Ran],
    layer: Layer,
    x: Tensor,
    weights: Weights,
    state: Any,
    learns: bool,
    feedback: Tensor | None,
) -> tuple[Tensor, Any]:
    """A layer in a step, for `OnlinePass`."""
    x, beside = x.as_subclass(Tensor), x.beside if isinstance(x, _Accompanied) else None
    if isinstance(layer, LeakyReadout):
        form = Form(Factors(0.0, layer.trace_decay, 0.0, 1.0))
        return run_layer(layer, x, weights, state, form, learns, feedback)
    ran = Ran(*run_step(Step(layer, x, weights, state, learns, feedback, beside)))
    return ran.spikes if ran.beside is None else _accompanied(ran.spikes, ran.beside), ran.state


class _Accompanied(Tensor):
    """Spikes with something beside them: whatever is done to the spikes between two layers is done to both."""

    beside: Tensor

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = super().__torch_function__(func, types, args, kwargs)
        if not isinstance(made, Tensor):
            return made
        both = [each.beside if isinstance(each, cls) else each for each in args]
        return _accompanied(made.as_subclass(Tensor), func(*both, **(kwargs or {})))


def _accompanied(spikes: Tensor, beside: Tensor) -> Tensor:
    both = spikes.as_subclass(_Accompanied)
    both.beside = beside.detach()
    return both


def attach(
    step: Step,
    ran: Advance,
    learned_from: Float[Tensor, "batch ..."],
    past: Float[Tensor, "batch ..."] | None = None,
    one: float = 1.0,
) -> Float[Tensor, "1 batch ..."]:
    """The spikes of a layer with the gradients of the rule where the step learns; the numbers stay as they are.

    learned_from: p, in the place of x. past: the same in the place of z[t−1], of a recurrent layer. one: in the place
    of the constant input 1 of the bias.
    """
    layer, weights = step.layer, step.weights
    psi = activation(layer, ran.potential)
    if not step.learns or psi is None:
        return ran.output
    down = weights.forward.detach() if step.feedback is None else step.feedback
    current = _mapped(layer, learned_from, weights.forward) + _mapped(layer, step.x[0], down)
    if weights.recurrent is not None:
        if past is None:
            raise ValueError("this layer is recurrent, and its rule does not say what its recurrent weights learn from")
        current = current + past @ weights.recurrent.T
    if layer.connection.bias is not None:
        current = current + one * layer.connection.bias.view(-1, *[1] * (current.ndim - 2))
    return ran.output + psi * (current - current.detach())


def _mapped(layer: Layer, x: Tensor, weight: Tensor) -> Tensor:
    return linear_map(layer.connection, Inputs(x), weight, None)
