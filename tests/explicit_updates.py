"""The update of any mix, written out: every sample, step, place and synapse by itself, in float64.

Nothing here comes from the rules: eligibilities are dense tensors, convolutions are matrices on unfolded patches, what
is told to layers is made from the formulas of the papers. Only what is drawn at random (feedback matrices, classifiers)
is taken from the mix, and the bases that compressed connections found.
"""

import inspect
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.compression.hosvd import hosvd, subspace_step
from workbench.compression.tucker import expand, project
from workbench.networks.layers import LeakyReadout, SpikingLayer
from workbench.networks.spiking import layers_with_memory

TAU = 0.5  # of LLS


class Ran(NamedTuple):
    """A layer over all steps: its input, ψ and output `(time, batch, ...)`; its past output where it is recurrent; what
    stands between it and the layer below."""

    layer: Any
    x: Tensor
    psi: Tensor | None
    z: Tensor
    past: Tensor | None
    before: nn.Sequential = nn.Sequential()


def run(network: Any, x: Tensor) -> list[Ran]:
    """Every layer of a network of `stack`, step by step; the last one is the readout."""
    ran, before = [], []
    for module in parts(network):
        if not isinstance(module, SpikingLayer | LeakyReadout):
            x = torch.stack([module(step) for step in x])
            before.append(module)
            continue
        ran.append(run_layer(module, x)._replace(before=nn.Sequential(*before)))
        x, before = ran[-1].z, []
    return ran


def parts(network: Any) -> list[nn.Module]:
    """The parts in the order in which they run."""
    return list(network) if isinstance(network, nn.Sequential) else [*network.hidden, network.readout]


def run_layer(layer: Any, x: Tensor) -> Ran:
    """LIF neurons with the soft reset, or the leaky sum of a readout."""
    W, R = layer.effective_weights()
    bias = layer.connection.bias
    decay = layer.decay if isinstance(layer, LeakyReadout) else layer.neuron.decay
    rest, z, outputs, psis, past = 0.0, None, [], [], []
    for step in x:
        u = apply(layer.connection, step, W, bias)
        z = torch.zeros_like(u) if z is None else z
        past.append(z)
        u = u + decay * rest + (0.0 if R is None else z @ R.T)
        if isinstance(layer, LeakyReadout):
            outputs.append(u)
            rest = u
            continue
        threshold = layer.neuron.threshold
        z = (u > threshold).to(u)
        rest = u - threshold * z
        outputs.append(z)
        psis.append(layer.psi(u - threshold))
    psi = torch.stack(psis) if psis else None
    return Ran(layer, x, psi, torch.stack(outputs), torch.stack(past) if R is not None else None)


def apply(connection: Any, x: Tensor, W: Tensor, bias: Tensor | None = None) -> Tensor:
    """The map of a connection."""
    if isinstance(connection, nn.Linear):
        return F.linear(x, W, bias)
    return F.conv2d(x, W, bias, connection.stride, connection.padding)


def columns(connection: Any, x: Tensor) -> Tensor:
    """`(time, batch, d, places)`: what each output of a connection reads."""
    if isinstance(connection, nn.Linear):
        return x[..., None]
    flat = F.unfold(x.flatten(0, 1), connection.kernel_size, padding=connection.padding, stride=connection.stride)
    return flat.unflatten(0, x.shape[:2])


def down(connection: Any, a: Tensor, W: Tensor, like: Tensor) -> Tensor:
    """Wᵀ a, the error of a connection's input."""
    if isinstance(connection, nn.Linear):
        return a @ W
    zero = torch.zeros_like(like.flatten(0, 1), requires_grad=True)
    with torch.enable_grad():
        (grad,) = torch.autograd.grad(apply(connection, zero, W), zero, a.flatten(0, 1))
    return grad.view_as(like)


def output_error(ran: list[Ran], y: Tensor) -> Tensor:
    """∂L/∂o[t]: the cross-entropy of each step, mean over the batch."""
    o = ran[-1].z
    return (o.softmax(-1) - F.one_hot(y, o.shape[-1])) / len(y)


def told(space: str, signal: Any, ran: list[Ran], y: Tensor) -> list[Tensor | None]:
    """δ of each spiking layer, for the signals that do not come down from above; None for the others."""
    e, hidden = output_error(ran, y), ran[:-1]
    classes, batch = e.shape[-1], len(y)
    target = F.one_hot(y, classes).to(e)
    if space in ("dfa", "sdfa", "drtp"):
        sent = {"dfa": e, "sdfa": e.sign() / batch, "drtp": (-target / batch).expand_as(e)}[space]
        matrices = signal.teach.args[0]
        return [torch.einsum("tbc,c...->tb...", sent, matrices[r.layer]) for r in hidden]
    if space == "reward":
        r = torch.stack([o.softmax(-1)[torch.arange(batch), y] for o in ran[-1].z])
        M = r - r.mean(1, keepdim=True)
        return [-(h.z - h.z.mean(1, keepdim=True)) * M.view(*M.shape, *[1] * (h.z.ndim - 2)) / batch for h in hidden]
    if space in ("classifier", "lls", "lls-m", "lls-mxm", "tess"):
        return [of_own_loss(space, signal, h, y, target) for h in hidden]
    return [None for _ in hidden]


def of_own_loss(space: str, signal: Any, h: Ran, y: Tensor, target: Tensor) -> Tensor:
    """δ from a loss of the layer's own, by autograd of the loss as the papers print it."""
    z = h.z.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = sum(own_loss(space, signal, h.layer, step, target) for step in z)
    return torch.autograd.grad(loss, z)[0]


def own_loss(space: str, signal: Any, layer: Any, z: Tensor, target: Tensor) -> Tensor:
    """−Σ y* log p / batch."""
    known = {} if space == "tess" else inspect.getclosurevars(inspect.unwrap(signal.local)).nonlocals
    if space == "classifier":
        logits = known["classifiers"][layer](z)
        return -(target * logits.log_softmax(-1)).sum() / len(z)
    head = signal.local.args[0].heads[layer] if space == "tess" else known["heads"][layer]
    s = (z if z.ndim == 2 else F.adaptive_avg_pool2d(z, head.cells)).flatten(1)
    if space == "tess":
        return -(target * (s @ head.rows.T / s.shape[1] ** 0.5).log_softmax(-1)).sum() / len(z)
    length = s.norm(dim=1, keepdim=True)
    s = torch.where(length > 0, s / length.clamp(min=1e-300), torch.zeros_like(s)) @ head.rows.T
    m = known["trained"][layer]
    s = s if m is None else s * m.detach() if m.ndim == 1 else s @ m.detach()
    return -(target * (s / TAU).log_softmax(-1)).sum() / len(z)


def approximate(memory: str, connection: Any, x: Tensor) -> Tensor:
    """x̂ of an input `(n, ...)`, which is what is kept of it."""
    if memory in ("all", "events", "checkpoint") or not hasattr(connection, "compressor"):
        return x
    compressor = connection.compressor
    if memory == "hosvd":
        modes = [1, 2, 3] if x.ndim == 4 else [1]
        return expand(*hosvd(x, compressor.energy, modes))
    bases = list(compressor.bases)
    if memory == "asi":
        bases = [None if U is None else subspace_step(x, U, mode) for mode, U in enumerate(bases)]
        for mode, U in enumerate(bases):
            if U is not None:
                setattr(compressor, f"basis_{mode}", U)
    return expand(project(x, bases), bases)


def kept(memory: str, time: str, r: Ran) -> tuple[Tensor, Tensor | None]:
    """x̂ of a layer's input and of its own past over all steps. Through time (BPTT) the past is kept step by step."""
    x = approximate(memory, r.layer.connection, r.x.flatten(0, 1)).view_as(r.x)
    if r.past is None:
        return x, None
    if time == "bptt":
        return x, torch.stack([approximate(memory, r.layer.recurrent, step) for step in r.past])
    return x, approximate(memory, r.layer.recurrent, r.past.flatten(0, 1)).view_as(r.past)


def weight_update(time: str, factors: Any, kappa: float, r: Ran, error: Tensor, inputs: Tensor) -> Tensor:
    """ΔW `(n_out, d)` of one connection from error δ (BPTT: ∂L/∂u) and columns `(time, batch, d, places)`."""
    psi = torch.ones_like(error) if r.psi is None else r.psi
    flat = [t.flatten(3) if t.ndim > 3 else t[..., None] for t in (error, psi)]  # (time, batch, n_out, places)
    update, (delta, psi) = 0.0, flat
    if time == "bptt":
        return torch.einsum("tbop,tbdp->od", delta, inputs)
    leak = kappa if isinstance(r.layer, LeakyReadout) else r.layer.neuron.decay
    lambda_post, lambda_pre, alpha_post, alpha_pre = factors
    if isinstance(r.layer, LeakyReadout):
        lambda_post, lambda_pre, alpha_post, alpha_pre = 0.0, kappa, 0.0, 1.0
    if time == "eprop":
        lambda_pre, alpha_post, alpha_pre = leak, 0.0, 1.0
    q = torch.zeros_like(inputs[0])
    h = torch.zeros_like(psi[0])
    filtered = 0.0
    for t in range(len(inputs)):
        q = lambda_pre * q + inputs[t]
        causal = alpha_pre * psi[t][:, :, None, :] * q[:, None, :, :]
        e = causal + alpha_post * h[:, :, None, :] * inputs[t][:, None, :, :]  # (batch, n_out, d, places)
        if time == "eprop" and not isinstance(r.layer, LeakyReadout):
            filtered = e = kappa * filtered + e
        update = update + (delta[t][:, :, None, :] * e).sum((0, 3))
        h = lambda_post * (h + psi[t])
    return update


def errors_through_time(space: str, signal: Any, ran: list[Ran], y: Tensor) -> list[Tensor]:
    """∂L/∂u[t] of every layer, from the last step to the first; δ comes from above, or from `told`."""
    given, e = told(space, signal, ran, y), output_error(ran, y)
    if space == "reward":
        e = readout_reward_error(ran, y)
    kappa, of_u = ran[-1].layer.decay, []
    later, errors = torch.zeros_like(e[0]), []
    for t in reversed(range(len(e))):
        later = e[t] + kappa * later
        errors.append(later)
    of_u.append(torch.stack(errors[::-1]))
    for place in reversed(range(len(ran) - 1)):
        above, r, delta = ran[place + 1], ran[place], given[place]
        if delta is None:
            W = signal.feedback.get(above.layer, above.layer.effective_weights().forward)
            delta = between(r, above, down(above.layer.connection, of_u[0], W, above.x))
        R = r.layer.effective_weights().recurrent
        later, errors = torch.zeros_like(r.z[0]), []
        for t in reversed(range(len(r.z))):
            back = 0.0 if R is None else later @ R
            later = r.psi[t] * (delta[t] + back) + r.layer.neuron.decay * later
            errors.append(later)
        of_u.insert(0, torch.stack(errors[::-1]))
    return of_u


def between(r: Ran, above: Ran, grad: Tensor) -> Tensor:
    """The gradient at a layer's output from that at the next layer's input, through what lies between (pooling)."""
    z = r.z.flatten(0, 1).clone().requires_grad_()
    with torch.enable_grad():
        seen = above.before(z)
    return torch.autograd.grad(seen, z, grad.flatten(0, 1).view_as(seen))[0].view_as(r.z)


def errors_within_step(space: str, signal: Any, ran: list[Ran], y: Tensor) -> list[Tensor]:
    """δ[t] of every layer, which knows its own step only; the readout's comes last."""
    given, e = told(space, signal, ran, y), output_error(ran, y)
    errors = [readout_reward_error(ran, y) if space == "reward" else e]
    for place in reversed(range(len(ran) - 1)):
        above, r, delta = ran[place + 1], ran[place], given[place]
        if delta is None:
            W = signal.feedback.get(above.layer, above.layer.effective_weights().forward)
            a = errors[0] if above.psi is None else errors[0] * above.psi
            delta = between(r, above, down(above.layer.connection, a, W, above.x))
        errors.insert(0, delta)
    return errors


def readout_reward_error(ran: list[Ran], y: Tensor) -> Tensor:
    """−∂r/∂o / batch."""
    p = ran[-1].z.softmax(-1)
    right = F.one_hot(y, p.shape[-1]).to(p)
    r = (p * right).sum(-1, keepdim=True)
    return -r * (right - p) / len(y)


@torch.no_grad()
def updates(mix: Any, network: Any, signal: Any, x: Tensor, y: Tensor, factors: Any) -> dict[str, Tensor]:
    """ΔŴ of every connection by the name of its layer, and of its recurrent one, for a prepared network of `parts`."""
    time, space, memory = mix.time.name, mix.space.name, mix.memory.name
    ran, kappa, found = run(network, x), parts(network)[-1].decay, {}
    names = {layer: name for name, layer in layers_with_memory(network).items()}
    errors = (errors_through_time if time == "bptt" else errors_within_step)(space, signal, ran, y)
    for r, error in zip(ran, errors, strict=True):
        x_kept, past = kept(memory, time, r)
        shape = r.layer.effective_weights().forward.shape
        inputs = columns(r.layer.connection, x_kept)
        found[names[r.layer]] = weight_update(time, factors, kappa, r, error, inputs).view(shape)
        ones = torch.ones_like(inputs[:, :, :1])
        found[f"{names[r.layer]}.bias"] = weight_update(time, factors, kappa, r, error, ones)[:, 0]
        if past is not None:
            found[f"{names[r.layer]}.recurrent"] = weight_update(time, factors, kappa, r, error, past[..., None])
    return found


class RanBlock(NamedTuple):
    """A block: its input, what its connection gives, and its activation."""

    block: Any
    connection: Any
    x: Tensor
    y: Tensor
    a: Tensor


def after_connection(block: Any, y: Tensor) -> Tensor:
    """The activation from what the connection gives."""
    for module in list(block.body)[1:]:
        y = nn.functional.leaky_relu(y, module.negative_slope) if isinstance(module, nn.LeakyReLU) else module(y)
    return y


def run_blocks(network: Any, x: Tensor) -> tuple[list[RanBlock], Tensor, Tensor]:
    """Every block, the input of the classifier, and the outputs."""
    ran = []
    for block in network.blocks:
        c = block.body[0]
        y = apply(c, x, c.weight, c.bias)
        a = after_connection(block, y)
        ran.append(RanBlock(block, c, x, y, a))
        x = block.between(a)
    return ran, x, apply(network.classifier, x, network.classifier.weight, network.classifier.bias)


def vjp(function: Any, at: Tensor, grad: Tensor) -> Tensor:
    """The gradient at `at` from that of what a function makes of it."""
    at = at.detach().clone().requires_grad_()
    with torch.enable_grad():
        (found,) = torch.autograd.grad(function(at), at, grad)
    return found


@torch.no_grad()
def block_updates(mix: Any, network: Any, rule: Any, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """ΔW of every block's connection by its number, and of the classifier."""
    space, found = mix.space.name, {}
    ran, features, o = run_blocks(network, x)
    target = F.one_hot(y, o.shape[1]).to(o)
    e = (o.softmax(1) - target) / len(y)
    params = rule.keywords.get("params") if hasattr(rule, "keywords") else None
    if space == "reward":
        p = o.softmax(1)
        r = (p * target).sum(1, keepdim=True)
        e, M = -r * (target - p) / len(y), r - r.mean()
    found["classifier"] = e.T @ features
    above, of_conv = None, None
    for number in reversed(range(len(ran))):
        block, connection, x, conv, a = ran[number]
        if space in ("backprop", "fa"):
            if above is None or of_conv is None:
                B = network.classifier.weight if space == "backprop" else params.feedback[-1]
                grad = e @ B
            else:
                B = above.connection.weight if space == "backprop" else params.feedback[number + 1]
                grad = down(above.connection, of_conv[None], B, above.x[None])[0]
            delta = vjp(block.between, a, grad)
        elif space in ("dfa", "sdfa", "drtp"):
            sent = {"dfa": e, "sdfa": e.sign() / len(y), "drtp": -target / len(y)}[space]
            delta = torch.einsum("bc,c...->b...", sent, params.feedback[number])
        elif space == "reward":
            delta = -(a - a.mean(0)) * M.view(-1, *[1] * (a.ndim - 1)) / len(y)
        else:
            head = network.heads[number]
            delta = vjp(lambda a, block=block, head=head: block_loss(space, block, head, a, target), a, torch.ones(()))
        of_conv = vjp(lambda y, block=block: after_connection(block, y), conv, delta)
        seen = columns(connection, approximate(mix.memory.name, connection, x)[None])[0]
        flat = of_conv.flatten(2) if of_conv.ndim > 2 else of_conv[..., None]
        found[str(number)] = torch.einsum("bop,bdp->od", flat, seen).view(connection.weight.shape)
        above = ran[number]
    return found


def block_loss(space: str, block: Any, head: Any, a: Tensor, target: Tensor) -> Tensor:
    """−Σ y* log p / batch of a block's own head."""
    z = block.latents(a)
    if space == "classifier":
        logits = z @ head.weight.T
    elif space == "tess":
        logits = z @ head.basis.T
    else:
        s = F.normalize(z, dim=1) @ head.basis.T
        m = head.modulation
        s = s if m is None else s * m.detach() if m.ndim == 1 else s @ m.detach()
        logits = s / TAU
    return -(target * logits.log_softmax(1)).sum() / len(z)
