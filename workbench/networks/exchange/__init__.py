"""Spiking networks to and from other systems, with equal spikes: snnTorch, and files of NIR."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.networks.exchange.nir_export import to_nir, write_nir
    from workbench.networks.exchange.nir_import import from_nir, read_nir
    from workbench.networks.exchange.snn_torch import OwnReset, from_snntorch, to_snntorch

__all__ = ["OwnReset", "from_nir", "from_snntorch", "read_nir", "to_nir", "to_snntorch", "write_nir"]

lazy(__name__)
