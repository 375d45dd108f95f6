"""CODE-CL's parts against the plain route: svd, inv and pinv of whole matrices, dense products, SGD without protection.

The peers follow the formulas at the head of `workbench.continual.conceptors` step by step, with whole matrices in
float64 and the clamps of the published code. Each result says how far both sides are apart.
"""

import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.measure import alternate, one_thread
from workbench.continual import (
    Conceptor,
    Mixing,
    Task,
    alexnet,
    dense,
    disjunction,
    projection,
    protected_layers,
    small_fashion_mnist,
    split_classes,
)
from workbench.continual.methods import CodeCL, CodeCLParams, FineTuning, task_conceptor

D, COLUMNS = 1152, 2000  # 128 channels × 3 × 3, and the patches of 125 images at 4 × 4 places
PARAMS = CodeCLParams(aperture=6.0, kept=0.95)
EPOCHS = 20  # of 75 steps, a tenth of the paper's, over which the work between two tasks is spread


def patches(seed: int) -> Tensor:
    """Inputs whose variance falls with a power of the direction, as that of convolution layers does."""
    generator = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(D, D, generator=generator)).Q
    scale = 4.0 * torch.arange(1, D + 1) ** -0.8
    return turn @ (scale[:, None] * torch.randn(D, COLUMNS, generator=generator))


def clamped(C: Tensor) -> Tensor:
    U, s, _ = torch.linalg.svd(C)
    return (U * s.clamp(1e-8, 0.9999999)) @ U.T


def peer_conceptor(X: Tensor) -> Tensor:
    """Equation (1) of CODE-CL with an inverse for C and for each φ, and an svd for each clamp."""
    identity = torch.eye(D, dtype=X.dtype)
    R = X @ X.T / X.shape[1]
    C = R @ torch.linalg.inv(R + identity / PARAMS.aperture**2)
    length = X.norm(dim=0).sum()
    while (C @ X).norm(dim=0).sum() / length < PARAMS.kept:
        C = clamped(C @ torch.linalg.inv(C + (identity - C) / PARAMS.growth**2))
    U, s, _ = torch.linalg.svd(C)
    return (U * torch.where(s < PARAMS.floor, 0.0, s)) @ U.T


def null_space(C: Tensor) -> Tensor:
    U, s, _ = torch.linalg.svd(C)
    return U[:, s < 1e-6]


def peer_and(C: Tensor, B: Tensor) -> Tensor:
    """W (Wᵀ (C⁺ + B⁺ − I) W)⁻¹ Wᵀ with W from null spaces."""
    outside_c, outside_b = null_space(C), null_space(B)
    W = null_space(outside_c @ outside_c.T + outside_b @ outside_b.T)
    inner = torch.linalg.pinv(C, atol=1e-6) + torch.linalg.pinv(B, atol=1e-6) - torch.eye(D, dtype=C.dtype)
    return clamped(W @ torch.linalg.inv(W.T @ inner @ W) @ W.T)


def peer_or(C: Tensor, B: Tensor) -> Tensor:
    identity = torch.eye(D, dtype=C.dtype)
    return identity - peer_and(identity - C, identity - B)


def conceptor_time() -> dict[str, object]:
    """The conceptor of a task with its capacity loop, n = 1,152."""
    one_thread()
    X = patches(0)
    ours, peer = alternate(lambda: task_conceptor(X, PARAMS), lambda: peer_conceptor(X.double()), repeats=3)
    c = task_conceptor(X, PARAMS)
    return {
        "name": "conceptor",
        "peer": "inv and svd of whole matrices",
        "ratio": peer / ours,
        "seconds": ours,
        "peer_seconds": peer,
        "rank": len(c.values),
        "largest_difference": float((dense(c) - peer_conceptor(X.double())).abs().max()),
    }


def disjunction_time() -> dict[str, object]:
    """OR of two conceptors of low rank, n = 1,152."""
    one_thread()
    low_rank = CodeCLParams(aperture=4.0, kept=0.0)
    c, b = (task_conceptor(patches(seed)[:, :125], low_rank) for seed in (0, 1))
    C, B = dense(c), dense(b)
    ours, peer = alternate(lambda: disjunction(c, b), lambda: peer_or(C, B), repeats=3)
    return {
        "name": "conceptor-or",
        "peer": "svd, inv and pinv of whole matrices",
        "ratio": peer / ours,
        "seconds": ours,
        "peer_seconds": peer,
        "ranks": [len(c.values), len(b.values)],
        "largest_difference": float((dense(disjunction(c, b)) - peer_or(C, B)).abs().max()),
    }


def projection_time() -> dict[str, object]:
    """G (I − C) for the weights of a linear layer, 2,048 × 2,048, at ranks below n/2; `ratio` is the least of all."""
    one_thread()
    n = 2048
    generator = torch.Generator().manual_seed(0)
    G, V = torch.randn(n, n, generator=generator), torch.linalg.qr(torch.randn(n, n, generator=generator)).Q
    ratios: dict[str, float] = {}
    for sixteenths in range(1, 8):
        k = n * sixteenths // 16
        c = Conceptor(V[:, :k].contiguous(), torch.full((k,), 0.9))
        remaining = torch.eye(n) - dense(c)
        ours, peer = alternate(partial(projection(c), G), partial(torch.mm, G, remaining), repeats=9)
        ratios[f"{sixteenths}/16"] = peer / ours
    return {
        "name": "projection",
        "peer": "one product with the dense I − C",
        "ratio": min(ratios.values()),
        "ratio_by_rank": ratios,
    }


def overhead() -> dict[str, object]:
    """AlexNet's second task, batches of 64 at 32×32: CODE-CL against plain SGD, with the work between the tasks.

    `ratio_all_mixing`: per step, where every layer mixes K = 80 directions, whether the tasks overlap or not.
    """
    one_thread()
    torch.manual_seed(0)
    first, second = split_classes(small_fashion_mnist(), 2)
    method, plain = CodeCL(alexnet([5, 5])), FineTuning(alexnet([5, 5]))
    between = first_task(method, first) + seconds(
        partial(method.before_task, 1, coloured(second.train_x), second.train_y)
    )
    mixing = sum(bool(layer.mixings) for layer in protected_layers(method.network).values())
    x, y = coloured(second.train_x[:64]), second.train_y[:64]
    ours, peer = alternate(step_of(method, x, y), step_of(plain, x, y), repeats=21)
    for layer in protected_layers(method.network).values():
        k = min(PARAMS.free_directions, len(layer.vectors) - 1)
        layer.mix(1, [Mixing(torch.linalg.qr(torch.randn(len(layer.vectors), k)).Q, torch.eye(k))])
    ours_mixing, peer_mixing = alternate(step_of(method, x, y), step_of(plain, x, y), repeats=21)
    n_steps = EPOCHS * 75
    return {
        "name": "code-cl-overhead",
        "peer": "the same network and batches with plain SGD",
        "ratio": peer * n_steps / (ours * n_steps + between),
        "ratio_per_step": peer / ours,
        "ratio_all_mixing": peer_mixing / ours_mixing,
        "layers_mixing": mixing,
        "seconds": ours,
        "peer_seconds": peer,
        "seconds_between_tasks": between,
        "epochs": EPOCHS,
        "ranks": [len(layer.values) for layer in protected_layers(method.network).values()],
    }


def first_task(method: CodeCL, task: Task) -> float:
    """Learn ten batches of a first task; returns the seconds that its conceptors took."""
    x, optimizer = coloured(task.train_x), torch.optim.SGD(method.network.parameters(), lr=0.1)
    for rows in torch.arange(640).split(64):
        method.learn(optimizer, x[rows], task.train_y[rows], 0)
    return seconds(partial(method.after_task, 0, x, task.train_y))


def step_of(method: CodeCL | FineTuning, x: Tensor, y: Tensor) -> Callable[[], object]:
    parameters = [p for p in method.network.parameters() if p.requires_grad]
    return partial(method.learn, torch.optim.SGD(parameters, lr=0.1), x, y, 1)


def coloured(x: Tensor) -> Tensor:
    """28×28 grey as 32×32 in three equal channels."""
    return F.pad(x, (2, 2, 2, 2), value=float(x.min())).expand(-1, 3, -1, -1)


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


BENCHMARKS = {
    "conceptor": conceptor_time,
    "conceptor-or": disjunction_time,
    "projection": projection_time,
    "code-cl-overhead": overhead,
}
