"""Activations, two small networks and their gradients, with which compression is tried: for tests only."""

from functools import partial

import torch
from torch import Tensor, nn

EXACT = partial(torch.testing.assert_close, rtol=0, atol=1e-11)


def activations(*shape: int) -> Tensor:
    """Non-negative and with a common part, as behind a ReLU: low ranks then keep much of the energy."""
    return (torch.randn(*shape) + torch.randn(1, *shape[1:])).relu()


def gradients(layer: nn.Module, x: Tensor, grad: Tensor) -> list[Tensor]:
    """Output, and gradients of input and parameters, for a given gradient of the output."""
    x = x.clone().requires_grad_()
    y = layer(x)
    return [y.detach(), *torch.autograd.grad(y, [x, *layer.parameters()], grad)]


def two_convolutions() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 6, 3), nn.Flatten(), nn.LazyLinear(4))


def residual_free_network() -> nn.Sequential:
    """conv – norm – ReLU twice, a readout; norms frozen."""
    net = nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True)),
        *(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)),
    )
    for module in net:
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2.0)
            nn.init.normal_(module.bias)
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            module.requires_grad_(False)
    return net.eval()
