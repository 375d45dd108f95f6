"""Data with a known spectrum, and tasks learned one after another: for tests only."""

import torch


def data(d, n):
    return torch.randn(d, n, dtype=torch.float64) * torch.linspace(0.1, 3, d, dtype=torch.float64)[:, None]


def learn(method, tasks=2, steps=10, d=20):
    generator = torch.Generator().manual_seed(1)
    batches = []
    for task in range(tasks):
        x, y = torch.randn(60, d, generator=generator), torch.randint(2, (60,), generator=generator)
        x[:, 5 * task + 5 :] = 0
        method.before_task(task, x, y)
        optimizer = torch.optim.SGD([p for p in method.network.parameters() if p.requires_grad], lr=0.2)
        for _ in range(steps):
            method.learn(optimizer, x, y, task)
        method.after_task(task, x, y)
        batches.append((x, y))
    return batches
