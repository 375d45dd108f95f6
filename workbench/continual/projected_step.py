"""Steps that leave the responses to past inputs alone: ΔW ← ΔW (I − C), whatever the optimiser.

Projecting the *gradient* protects only under plain SGD: momentum carries old directions on, weight decay pulls at all
of them, Adam rescales each weight by itself. Projecting the *step* is right for every optimiser. `descend` projects
the gradient where both are the same, because linear layers then only need projected inputs.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.continual.guard import Guard
from workbench.continual.protected import Protected, protected_layers
from workbench.meters.evaluation import evaluation

R = TypeVar("R")


@torch.no_grad()
def projected_step(optimizer: torch.optim.Optimizer, layers: Iterable[Guard]) -> None:
    """One step of `optimizer`, of which each layer's weight makes the part ΔW (I − C) only. Any optimiser is safe."""
    moved = [(layer, layer.weight.clone()) for layer in layers if layer.project() is not None]
    optimizer.step()
    for layer, before in moved:
        weight, project = layer.weight, layer.project()
        step = (weight - before).flatten(1)
        weight.copy_(before + project(step).view_as(weight) if project else weight)


def descend(
    network: nn.Module, optimizer: torch.optim.Optimizer, gradients: Callable[[], R], by_autograd: bool = True
) -> R:
    """Zero the gradients, let `gradients()` fill them, make one protected step; returns what `gradients` told.

    The layers of `prepare` move by ΔW (I − C), all other parameters freely. by_autograd: the gradients of these layers
    come from autograd alone, and may be projected on their way.
    """
    layers = list(protected_layers(network).values())
    called = all(isinstance(layer, Protected) and not layer.lean for layer in layers)
    plain = by_autograd and called and is_plain_sgd(optimizer)
    for layer in layers:
        layer.projects_gradient = plain
    optimizer.zero_grad(set_to_none=True)
    try:
        told = gradients()
    finally:
        for layer in layers:
            layer.projects_gradient = False
    if plain:
        optimizer.step()
    else:
        projected_step(optimizer, layers)
    return told


def is_plain_sgd(optimizer: torch.optim.Optimizer) -> bool:
    """Whether every step is the gradient times a number: SGD without momentum and weight decay."""
    groups = optimizer.param_groups
    return type(optimizer) is torch.optim.SGD and all(g["momentum"] == 0 == g["weight_decay"] for g in groups)


@torch.no_grad()
def layer_inputs(network: nn.Module, run: Callable[[], Tensor]) -> dict[str, Float[Tensor, "_ _"]]:
    """What each protected layer is given while `run()` evaluates the network, as columns of samples or patches.

    The network is in evaluation mode meanwhile (no dropout).
    """
    layers = protected_layers(network)
    seen: dict[str, list[Tensor]] = {name: [] for name in layers}
    handles = [
        layer.listening_at.register_forward_pre_hook(_recorder(layer, seen[name])) for name, layer in layers.items()
    ]
    try:
        with evaluation(network):
            run()
    finally:
        for handle in handles:
            handle.remove()
    return {name: torch.cat(pieces, dim=1) for name, pieces in seen.items() if pieces}


def _recorder(layer: Guard, pieces: list[Tensor]) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    return lambda _, inputs: pieces.append(columns(layer.connection, inputs[0]))


def columns(layer: nn.Linear | nn.Conv2d, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "d n"]:
    """The inputs that meet one row of the layer's weights: samples of a linear layer, patches of a convolution.

    The groups of a grouped convolution count as more patches.
    """
    if isinstance(layer, nn.Linear):
        return x.flatten(0, -2).T
    padding = layer._reversed_padding_repeated_twice  # for every kind of padding, numbers and "same"
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    kernel, dilation, stride = layer.kernel_size, layer.dilation, layer.stride
    patches = F.unfold(F.pad(x, padding, mode), kernel, dilation, stride=stride)  # type: ignore  (batch, groups·d, places)
    return patches.unflatten(1, (layer.groups, -1)).permute(2, 0, 1, 3).flatten(1)
