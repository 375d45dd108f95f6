"""Backpropagation through time that keeps the neurons between pieces of time, and runs each piece a second time.

Chen, Xu, Zhang & Guestrin 2016 (arXiv 1604.06174) for a chain; Gruslys et al. 2016 (arXiv 1606.03401) through time.
With √T pieces the graph spans √T steps, and √T states of all neurons are kept beside it: memory grows as √T instead of
T, for one more forward pass. The gradient is that of `workbench.rules.bptt` to rounding.

    forward    without a graph, S_k = (u⁺, z) of all layers at the start of piece k
    backward   for k = last … first: run piece k again from S_k with its graph;
               its loss and ∂L/∂S_{k+1} go back to its weights and to ∂L/∂S_k
"""

from collections.abc import Mapping
from math import isqrt
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.checks import Array, check_batch, check_kind
from workbench.faces import short_repr
from workbench.networks.layers import Layer, TimeDropout
from workbench.networks.spans import Lengths, keep, learning_steps, mean_over_steps, steps_done
from workbench.networks.spiking import check_spiking, chunks
from workbench.rule import StepReport
from workbench.rules.bptt import BPTT, Unrolled

Carried = dict[Layer, tuple[Tensor, Tensor]]


class InPieces(NamedTuple):
    """params: those of BPTT, without a window; steps: of a piece, √T when None."""

    params: BPTT = BPTT()
    steps: int | None = None

    __repr__ = short_repr


def gradients(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    y: Shaped[Array, "batch *target"],
    params: InPieces = InPieces(),
    lengths: Lengths = None,
) -> StepReport:
    """Fill `.grad` of every parameter with the exact gradient through all steps.

    Raises ValueError for a window or a summed output, which `bptt` has, and for dropout, which would draw anew.
    """
    network, (x, y) = check_spiking(network), check_batch(x, y)
    bptt, size = check_kind(params, InPieces)
    if bptt.window is not None or bptt.summed_output:
        raise ValueError("run in pieces, BPTT has neither a window nor a summed output; leave them out")
    if any(isinstance(module, TimeDropout) and module.training for module in network.modules()):
        raise ValueError("the network has dropout, which would draw another mask the second time; leave it out")
    x, start, spans = learning_steps(x, bptt.last_steps, lengths)
    pieces = chunks(len(x), size or max(1, isqrt(len(x))))
    states, outputs, ahead = [], torch.zeros(()), Unrolled(network)
    with torch.no_grad():
        for piece in pieces:
            states.append(dict(ahead.carried))
            outputs = outputs + keep(ahead.outputs(x[piece], spans, piece), ahead.own).sum(0)
    rates = ahead.rates(spans, len(x))
    later: Carried = {}
    loss, learned, history = 0.0, 0.0, 0
    for piece, before in zip(reversed(pieces), reversed(states), strict=True):
        graph = _Piece(network, bptt.signal, before, later)
        ran = graph.learn(x[piece], y, bptt, spans, piece, start)
        loss, learned = loss + ran.loss, learned + ran.steps
        later, history = graph.earlier(), max(history, graph.history)
    carried = sum(t.nbytes for state in states for pair in state.values() for t in pair)
    return StepReport(loss / learned, mean_over_steps(outputs, steps_done(spans, len(x))), rates, history + carried)


class _Piece(Unrolled):
    """One piece with its graph: begins with states whose gradient is wanted, and is given that of its last states."""

    def __init__(self, network: nn.Module, signal: Any, before: Carried, later: Mapping[Layer, tuple[Tensor, Tensor]]):
        super().__init__(network, signal)
        self.begun = {
            layer: (rest.detach().requires_grad_(), z.detach().requires_grad_()) for layer, (rest, z) in before.items()
        }
        self.carried, self.later = dict(self.begun), later
        self.waiting: list[tuple[Tensor, Tensor]] = []

    def joined(self, layer: Layer, output: Float[Tensor, "time batch ..."]) -> Float[Tensor, "time batch ..."]:
        """The output, whose gradient takes that of the layer's last states along on its way back."""
        rest, z = self.carried[layer]
        if layer not in self.later:
            return output
        if self.lesson is None:
            self.waiting += zip((rest, z), self.later[layer], strict=True)
            return output
        return _Joined.apply(output, rest, z, *self.later[layer])  # pyright: ignore[reportReturnType]

    def earlier(self) -> Carried:
        """∂L/∂S of the states that the piece began with."""
        waiting = [(state, grad) for state, grad in self.waiting if state.requires_grad]
        if waiting:
            torch.autograd.backward([state for state, _ in waiting], [grad for _, grad in waiting])
        return {
            layer: tuple(torch.zeros_like(s) if s.grad is None else s.grad for s in pair)  # pyright: ignore
            for layer, pair in self.begun.items()
        }


class _Joined(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, output: Tensor, rest: Tensor, z: Tensor, of_rest: Tensor, of_z: Tensor) -> Tensor:
        ctx.save_for_backward(of_rest, of_z)
        return output.view_as(output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore
        of_rest, of_z = ctx.saved_tensors
        return grad, of_rest, of_z, None, None
