"""Memory: what a connection keeps of its input until its weight gradient is made.

    all         the input
    checkpoint  nothing: it is computed a second time
    hosvd       a fresh HOSVD of it at every step       arXiv 2411.06346
    asi         a core on bases that follow it          arXiv 2505.05086
    lance       a core on bases found once              arXiv 2509.21617
    events      places and values of what is not zero, or the input where that is smaller; exact

Readouts and classifiers stay whole, as in LANCE's paper. Of convolutions the space and feature modes are cut.
"""

from collections.abc import Callable, Sequence
from functools import partial

from jaxtyping import Shaped
from torch import Tensor, nn

from workbench.compression.baselines import EachStepHosvd, WarmSubspace
from workbench.compression.calibration import Modes, called
from workbench.compression.events import keep_events
from workbench.compression.hosvd import by_correlation
from workbench.compression.lance import Compressor, FixedBases, make_frugal, replace_layer, trainable_layers
from workbench.compression.tucker import Bases
from workbench.mixes.axes import Memory
from workbench.networks.blocks import BlockNetwork
from workbench.networks.layers import SpikingLayer
from workbench.networks.spiking import layers_with_memory, spiking_logits

ENERGY = 0.9  # share of its input's energy that a connection keeps
MODES = Modes()


def hidden_connections(network: nn.Module) -> list[str]:
    """Names of the connections that learn in spiking layers or in blocks."""
    parts = [module for module in network.modules() if isinstance(module, SpikingLayer)]
    parts += [network.blocks] if isinstance(network, BlockNetwork) else []
    inside = {id(module) for part in parts for module in part.modules()}
    return [name for name in trainable_layers(network) if id(network.get_submodule(name)) in inside]


def fresh(network: nn.Module, batches: Sequence[Shaped[Tensor, "..."]], energy: float) -> None:
    """A HOSVD at every step."""
    for name in hidden_connections(network):
        is_convolution = isinstance(network.get_submodule(name), nn.Conv2d)
        replace_layer(network, name, EachStepHosvd(energy, MODES, is_convolution, by_correlation))


def calibrated(
    compressor: Callable[[Bases, Sequence[int]], Compressor],
    network: nn.Module,
    batches: Sequence[Shaped[Tensor, "..."]],
    energy: float,
) -> None:
    """Bases from a run over `batches`, which LANCE keeps and ASI moves."""
    run = spiking_logits if layers_with_memory(network) else called
    if not batches:
        raise ValueError("bases are found on inputs, and there are none; give at least one batch of inputs")
    names = hidden_connections(network)
    make_frugal(network, batches, energy, MODES, names, compressor=compressor, run=run)


def events(network: nn.Module, batches: Sequence[Shaped[Tensor, "..."]], energy: float) -> None:
    """Events of the inputs; nothing has to be found out before."""
    keep_events(network, hidden_connections(network))


ALL: Memory = Memory("all", "everything")
CHECKPOINT: Memory = Memory("checkpoint", "computed twice (checkpointing)")
HOSVD: Memory = Memory("hosvd", "HOSVD at every step", fresh)
ASI: Memory = Memory("asi", "core on moving bases (ASI)", partial(calibrated, WarmSubspace))
LANCE: Memory = Memory("lance", "core on fixed bases (LANCE)", partial(calibrated, FixedBases))
EVENTS: Memory = Memory("events", "list of events", events)
MEMORIES: tuple[Memory, ...] = (ALL, CHECKPOINT, HOSVD, ASI, LANCE, EVENTS)
