"""Spiking networks to and from other systems, with equal spikes: snnTorch."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.networks.exchange.snn_torch import OwnReset, from_snntorch, to_snntorch

__all__ = ["OwnReset", "from_snntorch", "to_snntorch"]

lazy(__name__)
