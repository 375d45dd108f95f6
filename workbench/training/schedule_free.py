"""Schedule-free optimisers train at one point and are evaluated at another: the way there and back."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from schedulefree import AdamWScheduleFree
from torch import Tensor

from workbench.meters.evaluation import untouched
from workbench.networks.blocks import BlockNetwork, refresh_statistics
from workbench.training.score import Samples


@contextmanager
def averaged_weights(
    network: BlockNetwork, optimizer: AdamWScheduleFree, samples: Samples, batches: int = 50, batch_size: int = 128
) -> Iterator[None]:
    """Put the averaged weights into the network, with statistics of `samples` for them, and go back after.

    The optimiser's own way back rounds; what was there is put back to the last bit.
    """
    there = [parameter.detach().clone() for parameter in network.parameters()]
    with untouched(network):
        optimizer.eval()
        try:
            refresh_statistics(network, first_batches(samples, batches, batch_size))
            yield
        finally:
            optimizer.train()
            with torch.no_grad():
                for parameter, before in zip(network.parameters(), there, strict=True):
                    parameter.copy_(before)


def first_batches(samples: Samples, batches: int, batch_size: int) -> Iterator[Float[Tensor, "..."]]:
    """Inputs of at most `batches` batches, in a fixed shuffled order."""
    order = torch.randperm(len(samples.labels), generator=torch.Generator().manual_seed(0))
    for rows in order.split(batch_size)[:batches]:
        yield samples.batch(rows)[0]
