"""Looking at a network without changing it: what is the same afterwards as before."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def mode(network: nn.Module, training: bool) -> Iterator[None]:
    """Put a network into training or evaluation mode, and each of its modules back into its own at the end.

    A module that was set apart, for instance a frozen normalisation in evaluation mode inside a network that learns,
    is set apart again.
    """
    before = [(module, module.training) for module in network.modules()]
    network.train(training)
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training


@contextmanager
def untouched(network: nn.Module) -> Iterator[None]:
    """Whatever happens inside: afterwards modes, buffers, `requires_grad` and `.grad` are those from before.

    Inside, every `.grad` is None, so that the network may be differentiated. Buffers are the running statistics of
    normalisation, and what else a module keeps beside its parameters. The parameters' numbers are not looked after.
    """
    modes = [(module, module.training) for module in network.modules()]
    learning = [(parameter, parameter.requires_grad, parameter.grad) for parameter in network.parameters()]
    kept = [(buffer, buffer.detach().clone()) for buffer in network.buffers()]
    for parameter, _, _ in learning:
        parameter.grad = None
    try:
        yield
    finally:
        for module, was_training in modes:
            module.training = was_training
        for parameter, requires_grad, gradient in learning:
            parameter.requires_grad_(requires_grad)
            parameter.grad = gradient
        with torch.no_grad():
            for buffer, copy in kept:
                if not torch.equal(buffer, copy):
                    buffer.copy_(copy)


@contextmanager
def evaluation(network: nn.Module) -> Iterator[None]:
    """Evaluation mode inside: no dropout, fixed statistics; afterwards everything as for `untouched`."""
    with untouched(network), mode(network, training=False):
        yield
