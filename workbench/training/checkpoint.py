"""Checkpoints: everything a run needs to go on, in one safetensors file (no code is ever loaded).

A state is a tree: dictionaries and lists of tensors, numbers, words, True, False and None. Its tensors stand in the
file as such, the rest as JSON beside them.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

Tree = Any  # JSON whose leaves may be tensors; dictionaries may have numbers as keys


def save_checkpoint(path: Path, state: Tree, label: str = "") -> None:
    """Write the state of the run that `label` names in words. The file appears whole or not at all."""
    tensors: dict[str, Tensor] = {}
    notes = {"label": label, "state": _pack(state, "state", tensors, {})}
    write_safetensors(path, tensors, {"checkpoint": json.dumps(notes)})


def load_checkpoint(path: Path, label: str = "") -> Tree:
    """The state that was saved.

    Raises FileNotFoundError when there is no file, ValueError when it is damaged or belongs to another run.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no checkpoint at {path}; start once without --resume to make one")
    try:
        with safe_open(path, framework="pt") as file:
            notes = json.loads(file.metadata()["checkpoint"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
        found, state = notes["label"], _unpack(notes["state"], tensors)
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a whole checkpoint ({error}); delete it and start again") from None
    if found != label:
        raise ValueError(f"{path} belongs to '{found}', not to '{label}'; use another file or delete it")
    return state


def write_safetensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """`save_file` through a temporary file beside the target."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    os.close(handle)
    try:
        save_file(tensors, temporary, metadata)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def network_state(network: nn.Module) -> Tree:
    """Parameters and buffers, and the names of the parameters that learn."""
    learning = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
    return {"tensors": dict(network.state_dict()), "learning": learning}


def restore_network(network: nn.Module, state: Tree) -> None:
    """Put a `network_state` into a network of the same shape; ValueError for another one."""
    try:
        network.load_state_dict(state["tensors"])
    except RuntimeError as error:
        raise ValueError(f"the checkpoint belongs to another network: {error}") from None
    learning = set(state["learning"])
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in learning)


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
