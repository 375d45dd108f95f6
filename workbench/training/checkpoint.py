"""Checkpoints: everything a run needs to go on, in one safetensors file (no code is ever loaded).

A state is a tree: dictionaries and lists of tensors, numbers, words, True, False and None. Its tensors stand in the
file as such, the rest as JSON beside them, with the versions that wrote it and a SHA-256 of all that it holds.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Shaped
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from workbench.data.delivery.storage import unwritable, written_unlocked
from workbench.networks.description import describe, differences
from workbench.version import installed_version

Tree = Any  # JSON whose leaves may be tensors; dictionaries may have numbers as keys
FORMAT = 2  # of the files; 1 had neither checksum nor the networks' constants
SHOWN = 5  # differences that a message names


class Content(NamedTuple):
    """What a file holds: in words whose it is, its state, and the versions of what wrote it."""

    label: str
    state: Tree
    versions: dict[str, str]


def save_checkpoint(path: Path, state: Tree, label: str = "") -> None:
    """Write the state of the run that `label` names in words. The file appears whole or not at all.

    Raises OSError, with what to do, where it cannot be written; what stood there before is left as it was.
    """
    tensors: dict[str, Tensor] = {}
    notes = {"format": FORMAT, "label": label, "versions": versions()}
    notes["state"] = _pack(state, "state", tensors, {})
    words = json.dumps(notes)
    write_safetensors(path, tensors, {"checkpoint": words, "sha256": _checksum(words, tensors)})


def load_checkpoint(path: Path, label: str | None = None) -> Tree:
    """The state that was saved; with a `label`, only that of the run which it names.

    Raises FileNotFoundError when there is no file, ValueError when it is damaged or belongs to another run.
    """
    content = read_checkpoint(path)
    if label is not None and content.label != label:
        raise ValueError(f"{path} belongs to '{content.label}', not to '{label}'; use another file or delete it")
    return content.state


def read_checkpoint(path: Path) -> Content:
    """All that a checkpoint holds; errors as for `load_checkpoint`."""
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path} is a folder; name the file in it")
    if not Path(path).is_file():
        raise FileNotFoundError(f"no checkpoint at {path}; start once without --resume to make one")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    except (SafetensorError, ValueError, TypeError) as error:
        raise _not_whole(path, str(error)) from None
    words = metadata.get("checkpoint")
    if words is None:
        raise _not_whole(path, "it is a safetensors file of something else, without the entry 'checkpoint'")
    if metadata.get("sha256") != _checksum(words, tensors):
        made_earlier = "sha256" not in metadata
        raise _not_whole(path, "an earlier version wrote it" if made_earlier else "its checksum does not fit")
    try:
        notes = json.loads(words)
        if notes["format"] != FORMAT:
            raise _not_whole(path, f"it has format {notes['format']!r}, this version reads {FORMAT}")
        return Content(notes["label"], _unpack(notes["state"], tensors), notes["versions"])
    except (KeyError, TypeError, AttributeError, RecursionError, json.JSONDecodeError) as error:
        raise _not_whole(path, f"{type(error).__name__}: {error}") from None


def write_safetensors(path: Path, tensors: dict[str, Shaped[Tensor, "..."]], metadata: dict[str, str]) -> None:
    """Write a safetensors file, whole or not at all, with the rights that new files have for this user."""
    path = Path(path)
    content = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_unlocked(path) as part:
            part.write_bytes(content)
    except OSError as error:
        raise unwritable(path, error) from None


def versions() -> dict[str, str]:
    """The versions of this package, of torch and of Python."""
    return {"workbench": installed_version(), "torch": torch.__version__, "python": platform.python_version()}


def network_state(network: nn.Module) -> Tree:
    """Parameters and buffers, the names of the parameters that learn, and what the network is made of."""
    learning = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    return {"tensors": dict(network.state_dict()), "learning": learning, "description": describe(network)}


def restore_network(network: nn.Module, state: Tree) -> None:
    """Put a `network_state` into a network that is made alike: layers, shapes, and constants such as thresholds.

    Raises ValueError, naming what differs, for another one, before anything is changed.
    """
    different = list(differences(state["description"], describe(network)))
    if different:
        more = f"\n  and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
        listed = "".join(f"\n  {line}" for line in different[:SHOWN])
        raise ValueError(f"the file holds another network than the one that shall take its weights:{listed}{more}")
    try:
        network.load_state_dict(state["tensors"])
    except RuntimeError as error:
        raise ValueError(f"the file holds another network: {error}") from None
    learning = set(state["learning"])
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in learning)


def _not_whole(path: Path, reason: str) -> ValueError:
    return ValueError(f"{path} is not a whole checkpoint ({reason}); delete it and start again")


def _checksum(words: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of the notes, and of name, type, shape and bytes of each tensor."""
    digest = hashlib.sha256(words.encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _pack(tree: Tree, name: str, tensors: dict[str, Tensor], known: dict[tuple, str]) -> Any:
    """The tree as JSON, its tensors under their names in `tensors`; one that occurs twice is written once."""
    if isinstance(tree, Tensor):
        place = (tree.data_ptr(), tree.shape, tree.stride(), tree.dtype)
        if not tree.numel() or place not in known:
            known[place], tensors[name] = name, tree.detach().clone(memory_format=torch.contiguous_format)
        return {"tensor": name if not tree.numel() else known[place]}
    if isinstance(tree, dict):
        return {"entries": [[key, _pack(value, f"{name}.{key}", tensors, known)] for key, value in tree.items()]}
    if isinstance(tree, list | tuple):
        return [_pack(value, f"{name}.{index}", tensors, known) for index, value in enumerate(tree)]
    return tree


def _unpack(packed: Any, tensors: dict[str, Tensor]) -> Tree:
    match packed:
        case {"tensor": name}:
            return tensors[name]
        case {"entries": entries}:
            return {key: _unpack(value, tensors) for key, value in entries}
        case list():
            return [_unpack(value, tensors) for value in packed]
        case _:
            return packed
