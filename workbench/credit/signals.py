"""Learning signals: who tells a layer what was wrong.

A rule runs a chunk of time and asks a `Signal` for δ of every layer. With e[t] = ∂L/∂o[t] the error of the output o at
step t, all in gradient sign (the optimiser subtracts):

    backpropagation           δ_l = (δ_{l+1} ψ_{l+1}) Ŵ_{l+1}   within the step      Rumelhart et al. 1986
    feedback alignment        δ_l = (δ_{l+1} ψ_{l+1}) B_{l+1}   B fixed, random      doi 10.1038/ncomms13276
    direct feedback (DFA)     δ_l = e B_l                                            arXiv 1609.01596
    error signs (sDFA)        δ_l = sign(e) B_l                                      doi 10.3389/fnins.2021.629892
    target projection (DRTP)  δ_l = −y* B_l                     y* one-hot label     doi 10.3389/fnins.2021.629892
    local classifier          δ_l = ∂L(C_l z_l, y)/∂z_l         C_l trained too      doi 10.3389/fnins.2018.00608

Symbols: z_l spikes of layer l `(time, batch, *shape_l)`, B_l `(classes, *shape_l)`, ψ secondary activation, Ŵ weight.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.checks import Array, as_tensor, check_labels, without_autocast
from workbench.faces import short_repr
from workbench.meters.evaluation import evaluation
from workbench.networks.layers import Layer, LeakyReadout, SpikingLayer
from workbench.networks.spans import keep
from workbench.networks.spiking import Simulation, check_spiking, layers_with_memory, run_network, spiking_layers

Loss = Callable[[Tensor, Tensor], Tensor]  # (outputs, y) → a number
Spikes = Mapping[SpikingLayer, Tensor]  # what each layer gave in a chunk
Mask = Bool[Tensor, "time batch"] | None  # which steps of which samples learn; None for all
Teach = Callable[[Tensor, Spikes, Tensor, Loss, Mask], Tensor]
Local = Callable[[SpikingLayer, Tensor, Tensor, Mask], None]  # (layer, its output, y, learning): leaves δ in `.grad`


class Signal(NamedTuple):
    """How the error of a chunk of time reaches the layers.

    teach(output, spikes, y, loss, learning): called when a chunk has run; calls backward and returns the loss,
    detached. local(layer, z, y, learning): called as soon as a layer has run; calls backward on a loss of this layer's
    own. Nothing but the steps and samples in `learning` `(time, batch)` may learn, see `masked_loss`; None for all.
    cut: each layer's input is detached, so that nothing flows from a layer to the one below.
    feedback: the weights used on the way down in place of Ŵ, by layer.
    """

    teach: Teach
    cut: bool = False
    feedback: Mapping[Layer, Float[Tensor, "..."]] = {}
    local: Local | None = None

    __repr__ = short_repr


def summed_cross_entropy(output: Float[Tensor, "time batch classes"], y: Int[Tensor, "batch"]) -> Float[Tensor, ""]:
    """Cross-entropy of each step's output: mean over the batch, sum over the steps (S-TLLR, eq. 12)."""
    if output.ndim != 3 or not output.numel():
        raise ValueError(f"the output must be (time, batch, classes), none of them 0, got {tuple(output.shape)}")
    y = check_labels(y, output.shape[-1], output.shape[1])
    return F.cross_entropy(output.flatten(0, 1), y.repeat(len(output)), reduction="sum") / len(y)


def masked_loss(
    loss: Loss, output: Float[Tensor, "time batch *outputs"], y: Shaped[Tensor, "batch *target"], learning: Mask
) -> Float[Tensor, ""]:
    """The part of a loss that comes from the steps and samples in `learning`.

    `loss` is a sum over the steps and a mean over the batch of terms that each know one step of one sample. It is given
    those that learn, as if they were the samples of a single step.
    """
    if learning is None:
        return loss(output, y)
    targets = y.expand(len(output), *y.shape)[learning]
    return loss(output[learning][None], targets) * (len(targets) / len(y))


def backpropagate(
    output: Float[Tensor, "time batch ..."],
    spikes: Spikes,
    y: Shaped[Tensor, "batch ..."],
    loss: Loss,
    learning: Mask = None,
) -> Float[Tensor, ""]:
    """Down the graph of the chunk, which holds no path from one step to another; the readout learns so in any case."""
    value = masked_loss(loss, output, y, learning)
    value.backward()
    return value.detach()


BACKPROPAGATION = Signal(backpropagate)  # through all layers within a step
READOUT_ONLY = Signal(backpropagate, cut=True)  # the readout learns, the layers below get nothing


def feedback_alignment(network: nn.Module, seed: int = 0) -> Signal:
    """Backpropagation within the step, through fixed random weights drawn like the layers' own were."""
    generator = torch.Generator().manual_seed(seed)
    layers = layers_with_memory(network).values()
    return Signal(backpropagate, feedback={layer: _random_like(layer.connection.weight, generator) for layer in layers})


def direct_feedback(
    network: nn.Module,
    x: Shaped[Array, "time batch *features"],
    seed: int = 0,
    mean: bool = True,
) -> Signal:
    """DFA: the output's error through one fixed random matrix per layer. `x` is any input, for the layers' shapes.

    mean: e is the gradient of the mean loss; False gives the released code, whose e is larger by the batch size.
    """
    return direct_feedback_through(feedback_matrices(network, x, seed), mean)


def direct_feedback_through(matrices: Mapping[SpikingLayer, Float[Tensor, "classes ..."]], mean: bool = True) -> Signal:
    """DFA with given matrices, `(classes, *layer shape)` for every layer."""
    return Signal(partial(_direct, matrices, partial(_error, mean)), cut=True)


def sign_feedback(network: nn.Module, x: Shaped[Array, "time batch *features"], seed: int = 0) -> Signal:
    """sDFA: the sign of each output's error, through one fixed random matrix per layer; mean over the batch.

    With cross-entropy the error of the label's output is always negative and all others are positive, so that what is
    sent back depends on the label alone.
    """
    return Signal(partial(_direct, feedback_matrices(network, x, seed), _error_sign), cut=True)


def target_projection(
    network: nn.Module, x: Shaped[Array, "time batch *features"], seed: int = 0, zero_mean: bool = False
) -> Signal:
    """DRTP: the label alone, through one fixed random matrix per layer; mean over the batch.

    zero_mean: project y* − 1 / classes, which is the error of an output that knows nothing.
    """
    return Signal(partial(_direct, feedback_matrices(network, x, seed), partial(_target, zero_mean)), cut=True)


def local_classifiers(classifiers: Mapping[SpikingLayer, nn.Module], loss: Loss = summed_cross_entropy) -> Signal:
    """A classifier per layer, trained with the layer on the layer's spikes; see `make_classifiers`."""

    def local(layer: SpikingLayer, z: Tensor, y: Tensor, learning: Mask = None) -> None:
        masked_loss(loss, classifiers[layer](z.flatten(0, 1)).unflatten(0, z.shape[:2]), y, learning).backward()

    return Signal(backpropagate, cut=True, local=local)


def make_classifiers(
    network: nn.Module, x: Shaped[Array, "time batch *features"], classes: int, pool: int = 2
) -> nn.ModuleList:
    """One linear classifier for each spiking layer, in order; images are averaged to `pool` × `pool` first.

    Attach them to the network, so that the optimiser trains and a checkpoint keeps them:

    >>> from workbench.networks import SpikingMLP
    >>> network = SpikingMLP([6, 8], classes=3)
    >>> network.classifiers = make_classifiers(network, torch.ones(5, 2, 6), classes=3)
    >>> signal = local_classifiers(dict(zip(spiking_layers(network).values(), network.classifiers)))
    """
    made = nn.ModuleList(_classifier(shape, classes, pool) for shape in layer_shapes(network, x).values())
    return made.to(next(network.parameters()))


def layer_shapes(network: nn.Module, x: Shaped[Array, "time batch *features"]) -> dict[SpikingLayer, torch.Size]:
    """Shape of each spiking layer's output for one sample, by running one step of one sample."""
    network, x = check_spiking(network), as_tensor(x)
    simulation, shapes = Simulation(network), {}

    def run(layer: nn.Module, x: Tensor) -> Tensor:
        z = simulation.run(layer, x)
        if isinstance(layer, SpikingLayer):
            shapes[layer] = z.shape[2:]
        return z

    with evaluation(network), torch.no_grad(), without_autocast(x):
        run_network(network, x[:1, :1].to(next(network.parameters()).dtype), run)
    return {layer: shapes[layer] for layer in spiking_layers(network).values()}


def feedback_matrices(
    network: nn.Module, x: Shaped[Array, "time batch *features"], seed: int = 0
) -> dict[SpikingLayer, Float[Tensor, "classes ..."]]:
    """Fixed matrices `(classes, *layer shape)`, uniform in ±√(6 / fan) with the fan of a Kaiming initialisation."""
    generator = torch.Generator().manual_seed(seed)
    like = next(network.parameters())
    (classes,) = {m.connection.weight.shape[0] for m in network.modules() if isinstance(m, LeakyReadout)}
    matrices = {}
    for layer, shape in layer_shapes(network, x).items():
        matrix = torch.empty(classes, *shape)
        nn.init.kaiming_uniform_(matrix, generator=generator)
        matrices[layer] = matrix.to(like)
    return matrices


def _direct(
    matrices: Mapping[SpikingLayer, Tensor],
    project: Callable[[Tensor, Tensor], Tensor],
    output: Tensor,
    spikes: Spikes,
    y: Tensor,
    loss: Loss,
    learning: Mask = None,
) -> Tensor:
    output.retain_grad()
    value = backpropagate(output, spikes, y, loss, learning)
    assert output.grad is not None
    e = keep(project(output.grad, y), learning)
    for layer, z in spikes.items():
        z.backward(torch.tensordot(e, matrices[layer], dims=1))
    return value


def _error(mean: bool, gradient: Tensor, y: Tensor) -> Tensor:
    return gradient if mean else gradient * len(y)


def _error_sign(gradient: Tensor, y: Tensor) -> Tensor:
    return gradient.sign() / len(y)


def _target(zero_mean: bool, gradient: Tensor, y: Tensor) -> Tensor:
    target = F.one_hot(y, gradient.shape[-1]).to(gradient)
    if zero_mean:
        target = target - 1.0 / gradient.shape[-1]
    return (-target / len(y)).expand_as(gradient)


def _random_like(weight: Tensor, generator: torch.Generator) -> Tensor:
    fan_in = weight[0].numel()
    return (torch.randn(weight.shape, generator=generator) * (2.0 / fan_in) ** 0.5).to(weight)


def _classifier(shape: torch.Size, classes: int, pool: int) -> nn.Module:
    if len(shape) == 1:
        return nn.Linear(shape[0], classes)
    return nn.Sequential(nn.AdaptiveAvgPool2d(pool), nn.Flatten(), nn.Linear(shape[0] * pool * pool, classes))
