"""Spiking networks from snnTorch and to snnTorch (Eshraghian et al. 2023, arXiv 2109.12894), with equal spikes.

    snnTorch `Leaky`, reset_mechanism     its next potential                    the reset here
    "subtract"                            β u + I − v_th z                      `late_reset`: u⁺ = u − (v_th / β) z
    "zero"                                β u (1 − z) + I                       `hard_reset`
    "none"                                β u + I                               `no_reset`
    ours, `soft_reset`                    β (u − v_th z) + I                    no such: exported as `OwnReset`

So snnTorch takes the threshold away one step later, when the membrane has decayed and the threshold has not. `RLeaky`
is a recurrent layer; the bias of its recurrent map is a bias of every step. Weight standardisation is folded into the
weights of the exported network. Its neurons keep their state (`init_hidden=True`): call `snntorch.utils.reset(net)`
before a sequence, then `net(x[t])` for every step.
"""

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import snntorch
import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.networks.exchange.parts import Part, layer_with, network_of, parts_of, readout_with
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import SpikingSequential, as_spiking
from workbench.networks.traced import Refused
from workbench.neurons.lif import Neuron, Reset, hard_reset, late_reset, no_reset
from workbench.neurons.surrogate import Psi, arctan, fast_sigmoid, heaviside, spike


def slope_of(v: Float[Tensor, "*shape"], spike_grad: Callable[[Tensor], Tensor]) -> Float[Tensor, "*shape"]:
    """Ψ(v) of a surrogate of snnTorch, whatever its formula: its derivative."""
    with torch.enable_grad():
        v = v.detach().requires_grad_()
        (slope,) = torch.autograd.grad(spike_grad(v).sum(), v)
    return slope


class OwnReset(snntorch.Leaky):
    """snnTorch's `Leaky` with a reset of this library, in the step of the spike; `mem` is u⁺, after it."""

    def __init__(self, own_reset: Reset, **options: Any):
        super().__init__(reset_mechanism="none", **options)
        self.own_reset = own_reset

    def forward(self, input_: Float[Tensor, "..."], mem: Float[Tensor, "..."] | None = None) -> Any:
        return _with_reset(self, super().forward(input_, mem))


class OwnRecurrentReset(snntorch.RLeaky):
    """The same of `RLeaky`."""

    def __init__(self, own_reset: Reset, **options: Any):
        super().__init__(reset_mechanism="none", **options)
        self.own_reset = own_reset

    def forward(
        self,
        input_: Float[Tensor, "..."],
        spk: Float[Tensor, "..."] | None = None,
        mem: Float[Tensor, "..."] | None = None,
    ) -> Any:
        return _with_reset(self, super().forward(input_, spk, mem))


def _with_reset(neuron: OwnReset | OwnRecurrentReset, given: Any) -> Any:
    spikes = given if isinstance(given, Tensor) else given[0]
    neuron.mem = neuron.own_reset(neuron.mem, spikes, float(neuron.threshold))
    return spikes if isinstance(given, Tensor) else (spikes, neuron.mem)


# --- from snnTorch --------------------------------------------------------------------------------------------------


def from_snntorch(module: nn.Module) -> SpikingSequential:
    """A network of this library with the weights, neurons and surrogates of a network of snnTorch, copied.

    The module is an `nn.Sequential`, or has its layers as attributes in the order in which they run; functions that its
    `forward` calls are not seen. Every `nn.Linear` and `nn.Conv2d` is followed by its neurons. At the end a linear map
    without neurons, or with neurons that do not reset and tell their potential, is the readout; others give spikes.

    Raises ValueError that names the layer which cannot be said here, and what to do.

    >>> net = nn.Sequential(nn.Linear(6, 4), snntorch.Leaky(0.9), nn.Linear(4, 2), snntorch.Leaky(0.9))
    >>> from_snntorch(net)[0].neuron.threshold
    1.0
    """
    layers, parts = list(_leaves(module, "")), []
    if not any(isinstance(layer, snntorch.SpikingNeuron) for _, layer in layers):
        raise Refused(f"{type(module).__name__} has no neurons of snnTorch")
    place = 0
    while place < len(layers):
        name, layer = layers[place]
        if isinstance(layer, snntorch.SpikingNeuron):
            raise Refused(
                f"{_told(name, layer)} does not follow an nn.Linear or nn.Conv2d; lay what is between behind it"
            )
        if not isinstance(layer, nn.Linear | nn.Conv2d):
            parts.append(_plain(name, layer))
            place += 1
            continue
        following = layers[place + 1] if place + 1 < len(layers) else None
        last = place + 2 >= len(layers)
        parts.append(_layer(name, layer, following, last))
        place += 2
    chain = [Part(str(number), part, (number,)) for number, part in enumerate(parts)]
    network = network_of(chain)
    assert isinstance(network, SpikingSequential)
    return network.train(module.training)


def _leaves(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    """Layers by name, in the order of their definition; what neurons are made of is theirs."""
    if isinstance(module, snntorch.SpikingNeuron) or not any(module.children()):
        yield name, module
        return
    for key, child in module.named_children():
        yield from _leaves(child, f"{name}.{key}" if name else key)


def _told(name: str, layer: nn.Module) -> str:
    return f"'{name}' ({type(layer).__name__})"


def _plain(name: str, layer: nn.Module) -> nn.Module:
    """A layer without neurons, as it is."""
    if any(True for _ in layer.parameters()):
        raise Refused(
            f"{_told(name, layer)} has weights, and stands between a linear map and neurons, or alone; a normalisation "
            "can be folded into the linear map before it"
        )
    return copy.deepcopy(layer)


def _layer(
    name: str, connection: nn.Linear | nn.Conv2d, following: tuple[str, nn.Module] | None, last: bool
) -> SpikingLayer | LeakyReadout:
    if following is None:
        return readout_with(_told(name, connection), copy.deepcopy(connection), 0.0)
    label, neuron = following
    if not isinstance(neuron, snntorch.SpikingNeuron):
        raise Refused(
            f"{_told(label, neuron)} stands between {_told(name, connection)} and its neurons; here neurons follow "
            "their linear map directly. Put it behind the neurons and train on, or before the linear map"
        )
    decay, threshold = _constants(label, neuron)
    tells_potential = neuron.output or not neuron.init_hidden
    if last and tells_potential and type(neuron) is snntorch.Leaky and neuron.reset_mechanism == "none":
        return readout_with(_told(name, connection), copy.deepcopy(connection), decay)
    psi, reset = _psi(label, neuron.spike_grad), _reset(label, neuron, decay)
    recurrent: Any = neuron.recurrent if isinstance(neuron, snntorch.RLeaky) else None
    return layer_with(connection, recurrent, Neuron(decay, threshold), psi, reset)


def _constants(name: str, neuron: Any) -> tuple[float, float]:
    """γ and v_th of snnTorch's neurons, which must be what a layer of ours has: one number for all, constant."""
    if type(neuron) not in (snntorch.Leaky, snntorch.RLeaky, OwnReset, OwnRecurrentReset):
        kinds = {"Synaptic": "a current that decays by itself", "Alpha": "two of them", "Lapicque": "an RC circuit"}
        reason = kinds.get(type(neuron).__name__, "other equations")
        raise Refused(f"{_told(name, neuron)} has {reason}; here neurons are those of Leaky and RLeaky")
    for option in ("inhibition", "state_quant"):
        if getattr(neuron, option):
            raise Refused(f"{_told(name, neuron)} has {option}, which neurons here do not have; make it without")
    values = {}
    for option in ("beta", "threshold", "graded_spikes_factor"):
        value = getattr(neuron, option)
        if isinstance(value, nn.Parameter):
            raise Refused(
                f"{_told(name, neuron)} learns its {option}, and here only weights learn; make it a constant: "
                f"learn_{option}=False"
            )
        if bool((value != value.flatten()[0]).any()):
            raise Refused(
                f"{_told(name, neuron)} has a {option} for each neuron; here it is one number for a layer. Use one, or "
                "a layer for each"
            )
        values[option] = float(value.flatten()[0])
    if values["graded_spikes_factor"] != 1.0:
        raise Refused(f"{_told(name, neuron)} gives spikes of {values['graded_spikes_factor']}; here a spike is 1")
    return min(max(values["beta"], 0.0), 1.0), values["threshold"]


def _reset(name: str, neuron: Any, decay: float) -> Reset:
    """The reset that gives the same spikes; see the table above."""
    if isinstance(neuron, OwnReset | OwnRecurrentReset):
        return neuron.own_reset
    recurrent, late = isinstance(neuron, snntorch.RLeaky), bool(neuron.reset_delay)
    if recurrent and not isinstance(neuron.recurrent, nn.Linear):
        raise Refused(
            f"{_told(name, neuron)} is recurrent by {type(neuron.recurrent).__name__}; here every neuron of a dense "
            "layer is connected to all (all_to_all=True, linear_features=n)"
        )
    match neuron.reset_mechanism:
        case "none":
            return no_reset
        case "zero" if recurrent and late:
            raise Refused(
                f"{_told(name, neuron)} resets to zero one step late, and takes the input of that step away too; make "
                "it with reset_delay=False"
            )
        case "zero":
            return hard_reset
        case _ if not late:
            raise Refused(
                f"{_told(name, neuron)} subtracts without delay, and once more where the potential stays above the "
                "threshold, of which a neuron here knows nothing; make it with reset_delay=True, or "
                'reset_mechanism="zero"'
            )
        case _ if decay == 0.0:
            raise Refused(
                f"{_told(name, neuron)} has β = 0 and subtracts one step later, when a neuron here has forgotten the "
                'spike; make it with reset_mechanism="zero" or "none"'
            )
    return partial(late_reset, decay=decay)


def _psi(name: str, spike_grad: Any) -> Psi:
    """Ψ of a surrogate; ValueError for one that gives something else than a spike above the threshold."""
    if isinstance(spike_grad, partial) and spike_grad.func is spike:
        return spike_grad.keywords["psi"]
    v, kind = torch.linspace(-2.0, 2.0, 41), getattr(spike_grad, "__qualname__", type(spike_grad).__name__)
    if kind.startswith("SSO.") or not torch.equal(spike_grad(v).detach(), heaviside(v)):
        raise Refused(
            f"'{name}' fires by {kind}, which is not 1 above the threshold and 0 below; take a surrogate that is"
        )
    given = inspect.getclosurevars(spike_grad).nonlocals if inspect.isfunction(spike_grad) else {}
    if kind == "fast_sigmoid.<locals>.inner":
        return partial(fast_sigmoid, slope=float(given["slope"]))
    if kind == "atan.<locals>.inner" and given["alpha"] == 2.0:
        return partial(arctan, slope=torch.pi)
    return partial(slope_of, spike_grad=spike_grad)


_THEIRS: Mapping[Any, str] = {hard_reset: "zero", no_reset: "none"}


# --- to snnTorch ----------------------------------------------------------------------------------------------------


def to_snntorch(network: nn.Module) -> nn.Sequential:
    """A network of snnTorch with the spikes of ours: an `nn.Sequential` of copies, its neurons with `init_hidden=True`.

    A readout is a linear map and neurons that never reset: what the last layer gives is then (spikes, potential), and
    the potential is our output. Neurons with `soft_reset` are `OwnReset`, a `Leaky` with our reset.

    Raises ValueError that names the part which cannot be said there.
    """
    modules: list[nn.Module] = []
    parts = parts_of(as_spiking(network))
    for place, part in enumerate(parts):
        if part.inputs != (place,):
            raise Refused(
                f"'{part.name}' adds or joins values, and snnTorch's networks of this kind are a chain; write a module "
                "of your own around the layers: to_snntorch(SpikingSequential(layer)) for each"
            )
        modules += _told_to_snntorch(part, place == len(parts) - 1)
    return nn.Sequential(*modules).train(network.training)


def _told_to_snntorch(part: Part, last: bool) -> list[nn.Module]:
    layer = part.module
    if isinstance(layer, LeakyReadout):
        options = {"beta": _constant(layer.decay, layer), "threshold": 1.0, "init_hidden": True, "output": last}
        return [copy.deepcopy(layer.connection), snntorch.Leaky(reset_mechanism="none", **options)]
    if not isinstance(layer, SpikingLayer):
        if any(True for _ in layer.parameters()):
            raise Refused(f"{_told(part.name, layer)} has weights and no neurons")
        return [copy.deepcopy(layer)]
    connection, (forward, recurrent) = copy.deepcopy(layer.connection), layer.effective_weights()
    with torch.no_grad():
        connection.weight.copy_(forward)
    options = {
        "beta": _constant(layer.neuron.decay, layer),
        "threshold": _constant(layer.neuron.threshold, layer),
        "spike_grad": partial(spike, psi=layer.psi),
        "init_hidden": True,
    }
    late = isinstance(layer.reset, partial) and layer.reset.func is late_reset
    theirs = "subtract" if late else _THEIRS.get(layer.reset)
    if recurrent is None:
        plain = theirs is not None
        neuron = snntorch.Leaky(reset_mechanism=theirs, **options) if plain else OwnReset(layer.reset, **options)
        return [connection, neuron]
    options["linear_features"] = len(recurrent)
    if theirs in ("subtract", "none"):
        neuron = snntorch.RLeaky(reset_mechanism=theirs, **options)
    else:
        neuron = OwnRecurrentReset(layer.reset, **options)
    neuron.recurrent = nn.Linear(len(recurrent), len(recurrent), bias=False).to(recurrent)
    with torch.no_grad():
        neuron.recurrent.weight.copy_(recurrent)
    return [connection, neuron]


def _constant(value: float, layer: SpikingLayer | LeakyReadout) -> Tensor:
    """A constant in the precision of the weights: snnTorch would keep a plain number in float32."""
    return torch.tensor(value, dtype=layer.connection.weight.dtype, device=layer.connection.weight.device)
