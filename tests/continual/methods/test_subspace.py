"""LANCE's protected subspace under any rule: what a task may learn, no earlier one uses."""

import pytest
import torch

from workbench.continual.learning import StreamSetting, accuracy_matrix, sgd
from workbench.continual.methods.subspace import LearnableSubspace, SubspaceParams, of_columns
from workbench.continual.multihead import mlp
from workbench.continual.streams import split_fashion_mnist
from workbench.training.loop import train
from workbench.training.setting import Plan


def test_second_task_moves_in_its_own_directions_and_nothing_is_forgotten():
    stream = [
        task._replace(train_x=task.train_x[:300], train_y=task.train_y[:300]) for task in split_fashion_mnist()[:2]
    ]
    method = LearnableSubspace(mlp([2, 2]), SubspaceParams(threshold=0.9))
    A = accuracy_matrix(train(StreamSetting(method, stream, sgd(0.1)), Plan(3)))
    assert float(A[1, 1]) > 0.8
    assert float(A[0, 0] - A[1, 0]) < 0.03
    for layer in method.layers().values():
        assert layer.allowed.shape[1] > 0
        P = layer.vectors[:, : layer.vectors.shape[1]]
        old = P[:, : P.shape[1] - layer.allowed.shape[1]]
        assert float((old.T @ layer.allowed).abs().max()) < 1e-5


def test_correlation_is_the_mean_over_columns():
    X = torch.tensor([[1.0, 2.0], [0.0, 1.0]])
    torch.testing.assert_close(of_columns(X), torch.tensor([[2.5, 1.0], [1.0, 0.5]], dtype=torch.float64))


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="threshold"):
        LearnableSubspace(mlp([2, 2]), SubspaceParams(threshold=2.0))
