"""Random subspaces and conceptors, optimisers, layers and networks to try them with: for tests only."""

import torch
from torch import nn

from workbench.continual.conceptors import Conceptor
from workbench.continual.methods.code_cl import CodeCL, CodeCLParams
from workbench.continual.multihead import MultiHead, mlp
from workbench.continual.protected import Mixing, Protected

OPTIMIZERS = [
    lambda p: torch.optim.SGD(p, lr=0.1),
    lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    lambda p: torch.optim.Adam(p, lr=0.01),
    lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    lambda p: torch.optim.RMSprop(p, lr=0.01),
]


def basis(d, k):
    return torch.linalg.qr(torch.randn(d, k, dtype=torch.float64)).Q


def random_conceptor(d, k):
    return Conceptor(basis(d, k), torch.rand(k, dtype=torch.float64) * 0.8 + 0.1)


LAYERS = [
    (lambda: nn.Linear(7, 5, bias=False), (9, 7)),
    (lambda: nn.Linear(7, 5), (4, 3, 7)),
    (lambda: nn.Conv2d(2, 5, 3, bias=False), (4, 2, 6, 6)),
    (lambda: nn.Conv2d(4, 6, (3, 2), stride=2, padding=1, dilation=(1, 2), groups=2), (3, 4, 8, 9)),
    (lambda: nn.Conv2d(2, 4, 3, padding="same", padding_mode="circular"), (3, 2, 5, 6)),
]


def layer_with(make, k=3, m=2, replaced_detached=False):
    layer = Protected(make().double(), replaced_detached)
    d = layer.vectors.shape[0]
    layer.protect(random_conceptor(d, k))
    layer.mix(1, [Mixing(basis(d, m), torch.randn(m, m).double()), Mixing(basis(d, 1), torch.randn(1, 1).double())])
    layer.task = 1
    return layer


def effective(layer, detach=False):
    W = layer.layer.weight.flatten(1)
    total = W
    for mixing in layer.current_mixings():
        U, M = mixing.directions, mixing.matrix
        total = total - (W.detach() if detach else W) @ U @ U.T + W @ U @ M @ U.T
    return total.view_as(layer.layer.weight)


def direct(layer, x, weight):
    return torch.func.functional_call(layer.layer, {"weight": weight}, (x,))


def small_network():
    body = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4, track_running_stats=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64, 6),
        nn.ReLU(),
    )
    return MultiHead(body, 6, [3, 3]).double()


def learned(params=CodeCLParams(overlap=0.0, free_directions=3), tasks=3):
    network = mlp([2] * 4, (20, 12, 9))
    method = CodeCL(network, params)
    for task in range(tasks):
        x, y = torch.randn(60, 20), torch.randint(2, (60,))
        method.before_task(task, x, y)
        optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.2)
        for _ in range(3):
            method.learn(optimizer, x, y, task)
        method.after_task(task, x, y)
    return network, method
