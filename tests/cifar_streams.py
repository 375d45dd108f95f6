"""What Split CIFAR-100 made from the cut of 35 + 10 images a class must be."""

import torch


def check_split_cifar100(stream):
    """Ten tasks of ten classes, labels from 0 in each."""
    assert len(stream) == 10
    for task in stream:
        assert task.train_x.shape == (350, 3, 32, 32)
        assert task.test_x.shape == (100, 3, 32, 32)
        assert torch.equal(task.test_y.bincount(), torch.full((10,), 10))
    assert "classes 10, 11, 12" in stream[1].name
