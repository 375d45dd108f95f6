"""The same update by other libraries: first that it is the same, then its time and its bytes beside ours.

    braintrace 0.2.6      e-prop and D-RTRL on a recurrent layer, in JAX, compiled by XLA     peers-eprop, peers-d-rtrl
    SpikingJelly 2.0.0    BPTT and OTTT on two dense layers                                   peers-bptt, peers-ottt

Neither belongs to the workbench; into an environment in which it is installed, preferably one of its own, come

    pip install braintrace==0.2.6
    pip install --no-deps spikingjelly==2.0.0 && pip install loguru     without the data tools that it also asks for

Where the peer's equation is ours, and where it is not (symbols in `workbench.rules.eprop`):

    D-RTRL     Σ_t L ψ q, with ∂u[t]/∂u[t−1] = γ: e-prop under a memoryless readout. The spikes that come back and the
               reset must be under `stop_gradient`, else its diagonal has W_ii ψ and −γ v_th ψ as well.
    e-prop     braintrace filters the trace of each hidden state. Where the membrane is the only one, that is L ψ F_κ(q)
               in place of Bellec's L F_κ(ψ q), which is ours; where the spikes are a hidden state too it is L F_κ(ψ q),
               if the error reaches them and not the membrane again (else it counts twice). `Peer` is written so.
    OTTT       SpikingJelly traces what its neurons fire. The input's trace is handed to it here, its biases see no
               trace (there are none here), and its readout, which has no memory, sees spikes, not traces.
    BPTT       the same; a spike at the threshold itself, which ours has not, does not happen.

Runs alternate, A B A B, medians; one thread. Bytes are the peak above what stood before, each in a process of its own.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.measure import compared, in_process, one_thread, peak_extra_bytes, timings
from workbench.networks import SpikingMLP
from workbench.neurons import Neuron, fast_sigmoid, spike
from workbench.rules import bptt, eprop, ottt

SLOPE, NEURON, CLASSES = 25.0, Neuron(0.8, 0.6), 10
INSTALL = {
    "braintrace": "pip install braintrace==0.2.6",
    "spikingjelly": "pip install --no-deps spikingjelly==2.0.0 && pip install loguru",
}


class Size(NamedTuple):
    """Steps, samples, inputs, neurons of a layer."""

    steps: int
    batch: int
    inputs: int
    neurons: int


SMALL, LARGE = Size(20, 5, 23, 17), Size(100, 16, 200, 128)
Batch = Callable[[], list[Tensor]]  # runs one batch, gives the updates of the hidden weights


class Sides(NamedTuple):
    """One batch by us and by the peer."""

    ours: Batch
    peer: Batch


def events(size: Size, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Random spikes (time, batch, inputs), a tenth of them, and labels."""
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(size.steps, size.batch, size.inputs, generator=generator) < 0.1).to(dtype)
    return x, torch.arange(size.batch) % CLASSES


def network(sizes: list[int], dtype: torch.dtype, kappa: float, recurrent: bool, bias: bool) -> SpikingMLP:
    """Plain weights, scaled so that every layer fires."""
    torch.manual_seed(0)
    options: dict[str, Any] = {"standardize": False, "readout_decay": kappa, "recurrent": recurrent, "bias": bias}
    net = SpikingMLP(sizes, CLASSES, NEURON, partial(fast_sigmoid, slope=SLOPE), **options)
    with torch.no_grad():
        for layer in net.hidden:
            layer.connection.weight.mul_(1.5)  # pyright: ignore
    return net.to(dtype)


def by_braintrace(algorithm: str, kappa: float, size: Size, dtype: torch.dtype) -> Sides:
    """A recurrent layer under a leaky readout with decay κ, in both libraries."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    jax, jnp, brainstate, braintrace = map(import_module, ("jax", "jax.numpy", "brainstate", "braintrace"))
    jax.config.update("jax_enable_x64", dtype is torch.float64)
    net, (x, y) = network([size.inputs, size.neurons], dtype, kappa, recurrent=True, bias=True), events(size, dtype)
    layer: Any = net.hidden[0]
    gamma, threshold = NEURON

    def array(tensor: Tensor) -> Any:
        return jnp.asarray(tensor.detach().numpy())

    @jax.custom_jvp
    def fire(v: Any) -> Any:
        return (v > 0).astype(v.dtype)

    fire.defjvp(lambda at, by: (fire(at[0]), by[0] / (1 + SLOPE * jnp.abs(at[0])) ** 2))

    class Peer(brainstate.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = brainstate.ParamState(array(torch.cat([layer.connection.weight, layer.recurrent.weight], 1).T))
            self.b = brainstate.ParamState(array(layer.connection.bias))

        def init_state(self, batch_size: int | None = None, **_: Any) -> None:
            nothing = jnp.zeros((batch_size, size.neurons), self.w.value.dtype)
            self.u, self.z = brainstate.HiddenState(nothing), brainstate.HiddenState(nothing)

        def update(self, x: Any) -> Any:
            past = jax.lax.stop_gradient(self.z.value)
            current = braintrace.matmul(jnp.concatenate([x, past], -1), self.w.value, self.b.value)
            before = gamma * (self.u.value - threshold * past)
            self.u.value = before + current
            self.z.value = fire(before + current - threshold)  # written anew: the error shall not reach u a second time
            return self.z.value

    model, inputs, labels = Peer(), array(x), array(y)
    options = {"kappa_filter_decay": kappa} if algorithm == "eprop" else {}
    learner = braintrace.compile(model, algorithm, inputs[0], batch_size=size.batch, **options)
    readout: Any = net.readout.connection
    weight, bias = array(readout.weight.T), array(readout.bias)
    output = brainstate.ShortTermState(jnp.zeros((size.batch, CLASSES), inputs.dtype))
    carried = [s for s in learner.states().values() if not isinstance(s, brainstate.ParamState)]

    def loss(now: Any) -> Any:
        z = learner(now)
        output.value = kappa * jax.lax.stop_gradient(output.value) + z @ weight + bias
        return -jnp.take_along_axis(jax.nn.log_softmax(output.value), labels[:, None], 1).mean()

    @brainstate.transform.jit
    def batch() -> Any:
        for state in [*carried, output]:
            state.value = jax.tree.map(jnp.zeros_like, state.value)
        return learner.etrace_grad(inputs, step_fn=loss, reduction="sum")

    def peer() -> list[Tensor]:
        found = batch()
        leaves = {leaf.ndim: torch.tensor(jax.device_get(leaf)) for leaf in jax.tree.leaves(found)}
        return [*leaves[2].T.split([size.inputs, size.neurons], 1), leaves[1]]

    def ours() -> list[Tensor]:
        net.zero_grad()
        eprop.gradients(net, x, y)
        return [layer.connection.weight.grad, layer.recurrent.weight.grad, layer.connection.bias.grad]

    return Sides(ours, peer)


def by_spikingjelly(rule: str, size: Size, dtype: torch.dtype) -> Sides:
    """Two dense layers without biases under a memoryless readout, in both libraries."""
    neuron, layers = (import_module(f"spikingjelly.activation_based.{name}") for name in ("neuron", "layer"))
    net = network([size.inputs, size.neurons, size.neurons], dtype, 0.0, recurrent=False, bias=False)
    x, y = events(size, dtype)
    tau = 1.0 / (1.0 - NEURON.decay)
    options = {"tau": tau, "decay_input": False, "v_threshold": NEURON.threshold, "v_reset": None}
    options |= {"surrogate_function": partial(spike, psi=partial(fast_sigmoid, slope=SLOPE))}
    node = neuron.OTTTLIFNode if rule == "ottt" else partial(neuron.LIFNode, detach_reset=True)
    nodes = [node(**options).train() for _ in net.hidden]
    maps: list[Any] = [layer.connection for layer in net.hidden]
    wrapped = [layers.GradwithTrace(each) for each in maps]

    def hidden() -> list[Tensor]:
        return [each.weight.grad for each in maps]

    def run_bptt() -> None:
        outputs = []
        for now in x:
            for each, cell in zip(maps, nodes, strict=True):
                now = cell(each(now))
            outputs.append(net.readout.connection(now))
        F.cross_entropy(torch.cat(outputs), y.repeat(len(x)), reduction="sum").div(len(y)).backward()

    def run_ottt() -> None:
        trace = torch.zeros_like(x[0])
        for now in x:
            trace = neuron.OTTTLIFNode.track_trace(now, trace, tau)
            sent = [now, trace]
            for each, cell in zip(wrapped, nodes, strict=True):
                sent = cell(each(sent))
            F.cross_entropy(net.readout.connection(sent[0]), y).backward()

    def peer() -> list[Tensor]:
        net.zero_grad()
        for cell in nodes:
            cell.reset()
        run_ottt() if rule == "ottt" else run_bptt()
        return hidden()

    def ours() -> list[Tensor]:
        net.zero_grad()
        (ottt if rule == "ottt" else bptt).gradients(net, x, y)
        return hidden()

    return Sides(ours, peer)


class Peer(NamedTuple):
    """A library, what it is called in the report, and how both sides are made for a size and a precision."""

    library: str
    label: str
    sides: Callable[[Size, torch.dtype], Sides]


PEERS = {
    "peers-eprop": Peer("braintrace", "braintrace e-prop", partial(by_braintrace, "eprop", 0.9)),
    "peers-d-rtrl": Peer("braintrace", "braintrace D-RTRL", partial(by_braintrace, "d_rtrl", 0.0)),
    "peers-bptt": Peer("spikingjelly", "SpikingJelly BPTT", partial(by_spikingjelly, "bptt")),
    "peers-ottt": Peer("spikingjelly", "SpikingJelly OTTT", partial(by_spikingjelly, "ottt")),
}


def agreement(sides: Sides) -> float:
    """The largest relative distance of two updates of the same weights; infinite where one of ours is zero."""
    pairs = [(ours.clone(), peer.clone()) for ours, peer in zip(sides.ours(), sides.peer(), strict=True)]
    return max(float((ours - peer).norm() / ours.norm()) if ours.any() else float("inf") for ours, peer in pairs)


def compare(name: str) -> dict[str, object]:
    """Agreement in float64 and float32, which is printed first; then seconds and peak bytes of a larger batch."""
    peer = PEERS[name]
    if find_spec(peer.library) is None:
        words = f"{peer.library} is not installed; {INSTALL[peer.library]}"
        return {"name": name, "peer": peer.label, "ratio": None, "not_installed": words}
    one_thread()
    double, single = (agreement(peer.sides(SMALL, dtype)) for dtype in (torch.float64, torch.float32))
    print(f"{name}: relative distance of the updates {double:.1e} in float64, {single:.1e} in float32", file=sys.stderr)
    if not max(double, single) <= 1e-5:
        raise ValueError(f"the updates of {peer.label} and ours differ by {max(double, single):.1e}; nothing was timed")
    sides = peer.sides(LARGE, torch.float32)
    ours, theirs = timings(sides.ours, sides.peer)
    used = {side: in_process("bench.peers", name, side) for side in Sides._fields}
    numbers = {"bytes": used["ours"], "peer_bytes": used["peer"]}
    return compared(name, peer.label, ours, theirs, distance_float64=double, distance_float32=single, **numbers)


BENCHMARKS = {
    "peers-eprop": partial(compare, "peers-eprop"),
    "peers-d-rtrl": partial(compare, "peers-d-rtrl"),
    "peers-bptt": partial(compare, "peers-bptt"),
    "peers-ottt": partial(compare, "peers-ottt"),
}

if __name__ == "__main__":
    one_thread()
    library, _, made = PEERS[sys.argv[1]]
    batch = getattr(made(LARGE, torch.float32), sys.argv[2])
    compiled = library == "braintrace" and sys.argv[2] == "peer"  # for one size, and not while bytes are counted
    print(peak_extra_bytes(batch, batch if compiled else getattr(made(SMALL, torch.float32), sys.argv[2])))
