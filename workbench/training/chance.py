"""What networks with dropout draw while they learn: part of where a run stands.

Layers of torch draw masks from one generator that the whole process shares. A run that goes on from a checkpoint draws
the same masks as one that never ended, as long as it is the only one in its process that draws.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from workbench.networks.layers import TimeDropout
from workbench.networks.seeded import seeded

DRAWS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout, TimeDropout)


def drawing_state(network: nn.Module) -> UInt8[Tensor, "bytes"] | None:
    """The state of torch's generator where the network draws while it learns; None where nothing is drawn."""
    return torch.get_rng_state() if draws(network) else None


def draws(network: nn.Module) -> bool:
    """Whether the network draws while it learns."""
    return any(isinstance(module, DRAWS) for module in network.modules())


def drawing(network: nn.Module, seed: int) -> AbstractContextManager[None]:
    """Inside, the network draws what belongs to `seed`, and torch's generator stays as it was."""
    return seeded(seed) if draws(network) else nullcontext()


def restore_drawing(state: UInt8[Tensor, "bytes"] | None) -> None:
    """Draw from now on what was drawn after `drawing_state`."""
    if state is not None:
        torch.set_rng_state(state)
