"""A trained network in one file: weights, what it is made of, constants, settings and versions; no code is ever loaded.

    save_network(path, network, settings)       a safetensors file, written whole or not at all
    load_network(path)                          the same network again, with equal outputs
    load_network(path, into=network)            its weights in a network that is made alike, or ValueError

A checkpoint of `workbench train` can be loaded in the same way.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from workbench.networks.description import Description, rebuild
from workbench.training.checkpoint import Content, network_state, read_checkpoint, restore_network, save_checkpoint


class NetworkFile(NamedTuple):
    """What a file says of its network: description, settings as they were given, and versions of what wrote it."""

    description: Description
    settings: dict[str, Any]
    versions: dict[str, str]


def save_network(path: str | Path, network: nn.Module, settings: Mapping[str, Any] | None = None) -> None:
    """Write a network to a file. `settings` are numbers and words of your own, such as rule, seed and accuracy.

    Raises OSError, with what to do, where the file cannot be written.

    >>> import tempfile
    >>> from workbench.networks import SpikingMLP
    >>> path = Path(tempfile.mkdtemp()) / "network.safetensors"
    >>> save_network(path, SpikingMLP([6, 5], classes=3), {"rule": "stllr"})
    >>> load_network(path).describe()
    '6–5–3'
    """
    state = {"network": network_state(network), "settings": dict(settings or {})}
    save_checkpoint(Path(path), state, f"a network of type {type(network).__name__}")


def load_network(path: str | Path, into: nn.Module | None = None) -> nn.Module:
    """The network of a file; or its weights, put into the network `into`, which is given back.

    Built again are networks of this package and of `torch.nn` whose functions, such as Ψ, are this package's too; what
    has classes or functions of your own needs `into`. Raises FileNotFoundError without a file, and ValueError for a
    damaged one, for one that cannot be built, and for `into` that differs in layers, shapes, types of numbers or
    constants; it names what differs, and `into` is left as it was.
    """
    kept = _content(path).state["network"]
    if into is None:
        try:
            return rebuild(kept["description"], kept["tensors"])
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    try:
        restore_network(into, kept)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return into


def read_network_file(path: str | Path) -> NetworkFile:
    """What a file says of its network, without building it; errors as for `load_network`."""
    content = _content(path)
    settings = content.state.get("settings", {})
    return NetworkFile(content.state["network"]["description"], settings, content.versions)


def _content(path: str | Path) -> Content:
    """What a file with a network holds."""
    content = read_checkpoint(Path(path))
    if not isinstance(content.state, dict) or "network" not in content.state:
        raise ValueError(f"{path} is a checkpoint without a network")
    return content
