"""What a rule writes into each layer of a network, as one vector: the raw material of every audit."""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from workbench.meters.evaluation import untouched
from workbench.networks.blocks import BlockNetwork
from workbench.networks.spiking import layers_with_memory
from workbench.rule import Rule


def layers_of(network: nn.Module) -> dict[str, nn.Module]:
    """The layers that learn, in order: of a spiking network, or the blocks and the classifier of a plain one."""
    if isinstance(network, BlockNetwork):
        blocks: dict[str, nn.Module] = {f"blocks.{k}": block for k, block in enumerate(network.blocks)}
        return blocks | {"classifier": network.classifier}
    layers: dict[str, nn.Module] = dict(layers_with_memory(network))
    if not layers:
        raise ValueError(f"an audit needs a spiking network or a BlockNetwork, got {type(network).__name__}")
    return layers


def layer_updates(
    network: nn.Module, x: Shaped[Tensor, "..."], y: Shaped[Tensor, "batch *target"], rule: Rule
) -> dict[str, Float[Tensor, "parameters"]]:
    """What `rule` writes into `.grad` of each layer, as one vector; the network is left as it was."""
    with untouched(network):
        rule(network, x, y)
        return {name: flat_gradient(layer) for name, layer in layers_of(network).items()}


def flat_gradient(layer: nn.Module) -> Float[Tensor, "parameters"]:
    """All gradients of a layer behind one another; zeros where it has none."""
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in layer.parameters()]
    return torch.cat([grad.detach().flatten() for grad in grads])
