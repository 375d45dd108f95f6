"""Checkpoints: a network, its optimiser and the place in the run, in one safetensors file (no code is ever loaded)."""

import json
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from workbench.kernels.choice import Loops


class Place(NamedTuple):
    """Where a run stands: steps done, seconds of training, most bytes kept by autograd, what run it is, and with which
    inner loops it began (a file that does not say: with the plain ones)."""

    step: int = 0
    seconds: float = 0.0
    saved_bytes: int = 0
    label: str = ""
    loops: str = Loops.PLAIN


def save_checkpoint(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, place: Place) -> None:
    """Write the state at `place`. The file appears whole or not at all."""
    state = optimizer.state_dict()
    tensors = {f"network.{name}": tensor.detach().contiguous() for name, tensor in network.state_dict().items()}
    numbers: dict[str, dict[str, float]] = {}
    for index, entries in state["state"].items():
        for name, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{name}"] = value.detach().contiguous()
            else:
                numbers.setdefault(str(index), {})[name] = value
    notes = {"place": place._asdict(), "numbers": numbers, "groups": state["param_groups"]}
    write_safetensors(path, tensors, {"checkpoint": json.dumps(notes)})


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


def load_checkpoint(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, label: str = "") -> Place:
    """Put the saved state into `network` and `optimizer`; return where the run stood.

    Raises FileNotFoundError when there is no file, ValueError when it is damaged or belongs to another run or network.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no checkpoint at {path}; start once without --resume to make one")
    try:
        with safe_open(path, framework="pt") as file:
            notes = json.loads(file.metadata()["checkpoint"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
        place = Place(**notes["place"])
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a whole checkpoint ({error}); delete it and start again") from None
    if place.label != label:
        raise ValueError(f"{path} belongs to '{place.label}', not to '{label}'; use another file or delete it")
    try:
        network.load_state_dict({k.removeprefix("network."): t for k, t in tensors.items() if k.startswith("network.")})
    except RuntimeError as error:
        raise ValueError(f"{path} belongs to another network: {error}") from None
    state: dict[int, dict[str, object]] = {int(i): dict(entries) for i, entries in notes["numbers"].items()}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, entry = name.split(".", 2)
            state.setdefault(int(index), {})[entry] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": notes["groups"]})
    return place
