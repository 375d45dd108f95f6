"""What a network is made of, as plain words and numbers: to be kept in a file, compared, and built again.

A description is a tree of modules. Each has its class, its constants (γ, v_th, Ψ, reset, kernel sizes, …), the names,
kinds, types and shapes of its tensors, and its parts. Nothing in it is run: when a network is built again, only
modules of this package and of `torch.nn` are made, and only functions of the rooms `neurons` and `networks` are taken
for Ψ, reset and the like. Classes and functions of one's own can be compared by their names, not built.

    constant        described as
    number, word    itself
    tuple, list     {"tuple": […]}, {"list": […]}; a NamedTuple {"fields": {…}, "class": "workbench.neurons.lif:Neuron"}
    function        {"function": "workbench.neurons.surrogate:psi_gesture"}
    partial         {"partial": function, "args": […], "keywords": {…}}
    anything else   {"unknown": its type}: not compared, and no network with it is built

A class whose instances change while they learn, beyond the numbers in their tensors, names what changes in an attribute
`changes`: these constants, tensors and parts are kept, but not compared.
"""

import functools
import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

Description = dict[str, Any]  # JSON
OWN = "workbench."
FUNCTIONS = ("workbench.neurons.", "workbench.networks.")  # rooms whose functions only compute
_BASE = frozenset(nn.Module().__dict__)  # what every module has, none of it a constant
_HOOKS = tuple(sorted(name for name in _BASE if name.endswith("_hooks")))


def describe(network: nn.Module) -> Description:
    """The description of a network; a part or tensor that occurs twice refers to its first place.

    >>> from workbench.networks import SpikingMLP
    >>> layer = describe(SpikingMLP([6, 5], classes=3))["parts"]["hidden"]["parts"]["0"]
    >>> layer["constants"]["psi"]
    {'function': 'workbench.neurons.surrogate:psi_gesture'}
    """
    return _described(network, "", {})


def differences(kept: Description, given: Description) -> Iterator[str]:
    """In words, what is not the same in a network that was kept and in one that is given."""
    one, other = dict(_facts(kept, "")), dict(_facts(given, ""))
    for place in [*one, *(place for place in other if place not in one)]:
        if one.get(place) != other.get(place):
            in_file, here = one.get(place, "not there"), other.get(place, "not there")
            yield f"{place or 'the network'}: {in_file} in the file, {here} in the network"


def rebuild(description: Description, tensors: Mapping[str, Shaped[Tensor, "..."]]) -> nn.Module:
    """The network again, with its tensors, which are taken as they are.

    Raises ValueError that names a part, constant or tensor which cannot be built.
    """
    built: dict[str, Any] = {}
    try:
        return _built(description, "", tensors, built)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"the description of the network cannot be read ({type(error).__name__}: {error})") from None


def _described(module: nn.Module, name: str, known: dict[int, str]) -> Description:
    if id(module) in known:
        return {"same": known[id(module)]}
    known[id(module)] = name
    constants = {key: encoded(value) for key, value in module.__dict__.items() if key not in _BASE}
    hooked = [hooks for hooks in _HOOKS if getattr(module, hooks, None)]
    stem = f"{name}." if name else ""
    return {
        "class": _named(type(module)),
        "training": module.training,
        "changes": sorted(getattr(module, "changes", ())),
        "constants": constants | {hooks: {"unknown": "function"} for hooks in hooked},
        "tensors": {
            key: _tensor(module, key, tensor, f"{stem}{key}", known)
            for kind in (module._parameters, module._buffers)
            for key, tensor in kind.items()
        },
        "parts": {
            key: None if part is None else _described(part, f"{stem}{key}", known)
            for key, part in module._modules.items()
        },
    }


def _tensor(module: nn.Module, key: str, tensor: Tensor | None, name: str, known: dict[int, str]) -> Description:
    buffer = key in module._buffers
    kind = "buffer" if buffer else "parameter"
    kind = "temporary buffer" if key in module._non_persistent_buffers_set else kind
    if tensor is None:
        return {"kind": kind, "none": True}
    if id(tensor) in known:
        return {"kind": kind, "same": known[id(tensor)]}
    known[id(tensor)] = name
    return {
        "kind": kind,
        "shape": list(tensor.shape),
        "type": str(tensor.dtype).removeprefix("torch."),
        "learns": tensor.requires_grad,
        "channels_last": _lies_channels_last(tensor),
    }


def _lies_channels_last(tensor: Tensor) -> bool:
    """Whether the channels of a pixel lie side by side; with one channel only the strides tell."""
    if tensor.ndim != 4:
        return False
    plain, last = (
        torch.empty(tensor.shape, device="meta", memory_format=order).stride()
        for order in (torch.contiguous_format, torch.channels_last)
    )
    return plain != tensor.stride() == last


def encoded(value: Any) -> Any:
    """A constant as JSON; see the table above."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        names: tuple[str, ...] = value._fields  # pyright: ignore[reportAttributeAccessIssue]
        fields = {name: encoded(each) for name, each in zip(names, value, strict=True)}
        return {"class": _named(type(value)), "fields": fields}
    if isinstance(value, tuple | list):
        return {"list" if isinstance(value, list) else "tuple": [encoded(each) for each in value]}
    if inspect.isfunction(value):
        return {"function": _named(value)}
    if isinstance(value, functools.partial):
        keywords = {name: encoded(each) for name, each in value.keywords.items()}
        return {"partial": encoded(value.func), "args": [encoded(each) for each in value.args], "keywords": keywords}
    return {"unknown": type(value).__qualname__}


def _named(value: Any) -> str:
    return f"{value.__module__}:{value.__qualname__}"


def _facts(node: Description, name: str) -> Iterator[tuple[str, str]]:
    """All that is compared, in words, by its place."""
    if "same" in node:
        yield name, f"the same part as '{node['same']}'"
        return
    yield name, _last(node["class"])
    stem, changes = f"{name}." if name else "", node["changes"]
    for key, value in node["constants"].items():
        if key not in changes and key not in _HOOKS:
            yield from _words(value, f"{stem}{key}")
    for key, tensor in node["tensors"].items():
        if key not in changes:
            yield f"{stem}{key}", _of_tensor(tensor)
    for key, part in node["parts"].items():
        if key not in changes and part is not None:
            yield from _facts(part, f"{stem}{key}")


def _of_tensor(tensor: Description) -> str:
    if "none" in tensor:
        return "none"
    if "same" in tensor:
        return f"the same tensor as '{tensor['same']}'"
    return f"{tensor['type']} {tuple(tensor['shape'])}"


def _words(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """A constant in words; a NamedTuple field by field. Own classes and functions count by their names alone."""
    match value:
        case {"unknown": _}:
            return
        case {"class": kind, "fields": fields}:
            yield name, _last(kind)
            for key, each in fields.items():
                yield from _words(each, f"{name}.{key}")
        case {"tuple": each} | {"list": each}:
            for number, one in enumerate(each):
                yield from _words(one, f"{name}[{number}]")
        case {"function": function}:
            yield name, _last(function)
        case {"partial": function, "args": args, "keywords": keywords}:
            yield from _words(function, name)
            for number, each in enumerate(args):
                yield from _words(each, f"{name}({number})")
            for key, each in keywords.items():
                yield from _words(each, f"{name}({key})")
        case _:
            yield name, repr(value)


def _last(name: str) -> str:
    return name.partition(":")[2]


def _built(node: Description, name: str, tensors: Mapping[str, Tensor], built: dict[str, Any]) -> nn.Module:
    if "same" in node:
        return built[node["same"]]
    module = _bare(node["class"], name)
    built[name] = module
    stem = f"{name}." if name else ""
    for key, value in node["constants"].items():
        if not key.isidentifier() or key.startswith("__"):
            raise ValueError(f"'{stem}{key}' is no name of a constant")
        module.__dict__[key] = decoded(value, f"{stem}{key}")
    for key, about in node["tensors"].items():
        _put(module, key, about, f"{stem}{key}", tensors, built)
    for key, part in node["parts"].items():
        module.add_module(key, None if part is None else _built(part, f"{stem}{key}", tensors, built))
    module.training = bool(node["training"])
    return module


def _bare(kind: str, name: str) -> nn.Module:
    """An instance without anything in it, of a module of torch.nn or of this package."""
    home, _, label = kind.partition(":")
    found = getattr(nn, label, None) if home.startswith("torch.nn.modules.") else None
    if home.startswith(OWN):
        found = _import(home, label)
    if not (inspect.isclass(found) and issubclass(found, nn.Module) and _named(found) == kind):
        raise ValueError(
            f"'{name or 'the network'}' is a {label} of {home}, which is not built from a file. "
            "Build the network yourself, and give it to `load_network` as `into`"
        )
    module = found.__new__(found)
    nn.Module.__init__(module)
    return module


def _put(
    module: nn.Module, key: str, about: Description, name: str, tensors: Mapping[str, Tensor], built: dict[str, Any]
) -> None:
    """Give a module its parameter or buffer."""
    if about["kind"] == "temporary buffer":
        raise ValueError(f"'{name}' is a buffer that is not kept in files; give the network as `into`")
    tensor = built[about["same"]] if "same" in about else None
    if tensor is None and "none" not in about:
        tensor = tensors[name]
        if list(tensor.shape) != about["shape"]:
            raise ValueError(f"'{name}' has shape {tuple(tensor.shape)}, expected {tuple(about['shape'])}")
        if about["channels_last"]:
            tensor = torch.empty_like(tensor, memory_format=torch.channels_last).copy_(tensor)
        tensor = nn.Parameter(tensor, about["learns"]) if about["kind"] == "parameter" else tensor
    built[name] = tensor
    register = module.register_parameter if about["kind"] == "parameter" else module.register_buffer
    register(key, tensor)  # pyright: ignore[reportArgumentType]


def decoded(value: Any, name: str) -> Any:
    match value:
        case {"class": kind, "fields": fields}:
            home, _, label = kind.partition(":")
            found = _import(home, label) if home.startswith(OWN) else None
            if not (inspect.isclass(found) and issubclass(found, tuple) and hasattr(found, "_fields")):
                raise ValueError(f"'{name}' is a {label} of {home}, which is not built from a file")
            return found(**{key: decoded(each, f"{name}.{key}") for key, each in fields.items()})
        case {"tuple": each}:
            return tuple(decoded(one, name) for one in each)
        case {"list": each}:
            return [decoded(one, name) for one in each]
        case {"function": function}:
            return _function(function, name)
        case {"partial": {"function": function}, "args": args, "keywords": keywords}:
            given = {key: decoded(each, name) for key, each in keywords.items()}
            return functools.partial(_function(function, name), *[decoded(each, name) for each in args], **given)
        case None | bool() | int() | float() | str():
            return value
        case {"unknown": kind}:
            raise ValueError(
                f"'{name}' is a {kind}, which a file cannot hold. "
                "Build the network yourself, and give it to `load_network` as `into`"
            )
        case _:
            raise ValueError(f"'{name}' cannot be read: {value!r}")


def _function(kind: str, name: str) -> Any:
    home, _, label = kind.partition(":")
    found = _import(home, label) if home.startswith(FUNCTIONS) else None
    if not (inspect.isfunction(found) and _named(found) == kind):
        raise ValueError(
            f"'{name}' is the function {label} of {home}, which is not taken from a file. "
            "Build the network yourself, and give it to `load_network` as `into`"
        )
    return found


def _import(home: str, label: str) -> Any:
    """A name of a module of this package, None where there is none."""
    try:
        return getattr(importlib.import_module(home), label, None)
    except ImportError:
        return None
