"""Still images as input over time."""

import pytest
import torch

from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.still_images import still_images


def test_a_still_image_is_the_same_at_every_step():
    images = fashion_mnist_small()
    data = still_images(images, steps=4)
    x, y = data.train.batch(torch.tensor([3, 8]))
    assert x.shape == (4, 2, 784)
    assert all(step.equal(x[0]) for step in x)
    assert x.max() <= 1.0
    assert y.tolist() == images.train.labels[[3, 8]].tolist()
    assert torch.equal(x[0, 0] * 255, torch.from_numpy(images.train.images[3]).flatten().float())
    with pytest.raises(ValueError, match="at least 1, got 0"):
        still_images(images, steps=0)
