"""What every run of training does alike: the order of samples, the learning rate, a look for numbers that diverge."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from workbench.checks import COUNT, check_number

Schedule = Callable[[float], float]  # share of the run done, 0 to 1 → factor of the learning rate


def cosine_decay(progress: float) -> float:
    """From 1 to 0 along half a cosine."""
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def epoch_order(samples: int, seed: int, epoch: int) -> Int64[Tensor, " samples"]:
    """The order of samples in one epoch: a permutation that depends on nothing but its arguments."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + epoch)
    return torch.randperm(samples, generator=generator)


def steps_in_epoch(samples: int, batch_size: int) -> int:
    """Batches of one epoch. A last batch of one sample is left out: batch normalisation can do nothing with it.

    >>> steps_in_epoch(16, 8), steps_in_epoch(17, 8), steps_in_epoch(18, 8), steps_in_epoch(3, 1)
    (2, 2, 3, 3)
    """
    check_number(batch_size, "batch_size", COUNT)
    whole, rest = divmod(samples, batch_size)
    return whole + (rest > 1 or rest == samples == 1)


def set_learning_rate(
    optimizer: torch.optim.Optimizer, rates: list[float], schedule: Schedule | None, progress: float
) -> None:
    """Set each group's rate to its first value times the schedule's factor."""
    if schedule is not None:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * schedule(progress)


def check_finite(network: nn.Module, loss: float, where: str) -> None:
    """Raise FloatingPointError that names the first layer, in order of definition, that holds a number not finite."""
    norms = [p.grad.norm() for p in network.parameters() if p.grad is not None]
    if math.isfinite(loss) and (not norms or bool(torch.stack(norms).isfinite().all())):
        return
    for name, parameter in network.named_parameters():
        for kind, tensor in (("weights", parameter), ("gradient", parameter.grad)):
            if tensor is not None and not bool(tensor.isfinite().all()):
                raise FloatingPointError(
                    f"training diverged at {where}: the {kind} of '{name}' is the first to hold NaN or infinity "
                    f"(loss {loss:.3g}). Lower the learning rate, or check the input's scale."
                )
    raise FloatingPointError(f"training diverged at {where}: the loss is {loss:.3g}. Lower the learning rate.")
