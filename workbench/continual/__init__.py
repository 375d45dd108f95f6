"""Continual learning: conceptors, gradient projection, streams of tasks, metrics."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.continual import methods, published
    from workbench.continual.clouds import Pair, Shape, cloud, looking, matrix, outline, pair, singular_values, turned
    from workbench.continual.conceptors import (
        Conceptor,
        adapt,
        capacity,
        conceptor,
        conjunction,
        correlation,
        cut,
        dense,
        disjunction,
        empty,
        intersection,
        negation,
        outside,
        projection,
        similarity,
    )
    from workbench.continual.folder_streams import five_datasets, split_cifar100_from, split_mini_imagenet
    from workbench.continual.guard import Guard, Mixing
    from workbench.continual.learning import (
        Plateau,
        StreamRecord,
        StreamSetting,
        accuracies,
        accuracy_matrix,
        adam,
        sgd,
    )
    from workbench.continual.method import Method, TaskNetwork, backpropagation
    from workbench.continual.metrics import (
        average_accuracy,
        backward_transfer,
        forgetting,
        forward_transfer,
        gain_over,
    )
    from workbench.continual.multihead import MultiHead, SharedHead, alexnet, mlp, reduced_resnet18
    from workbench.continual.package_tasks import package_tasks
    from workbench.continual.projected_step import descend, layer_inputs, projected_step
    from workbench.continual.projecting import Projecting
    from workbench.continual.protected import (
        GuardedWeight,
        Protected,
        freeze_rest,
        kept_bytes,
        prepare,
        protected_layers,
        select_task,
        settle,
    )
    from workbench.continual.spiking_tasks import SpikingTasks, time_first
    from workbench.continual.streams import (
        Task,
        image_task,
        permuted_channels,
        permuted_pixels,
        small_fashion_mnist,
        split_cifar100,
        split_classes,
        split_fashion_mnist,
    )
    from workbench.continual.subspaces import learnable, protect, residual

__all__ = [
    "Conceptor",
    "Guard",
    "GuardedWeight",
    "Method",
    "Mixing",
    "MultiHead",
    "Pair",
    "Plateau",
    "Projecting",
    "Protected",
    "Shape",
    "SharedHead",
    "SpikingTasks",
    "StreamRecord",
    "StreamSetting",
    "Task",
    "TaskNetwork",
    "accuracies",
    "accuracy_matrix",
    "adam",
    "adapt",
    "alexnet",
    "average_accuracy",
    "backpropagation",
    "backward_transfer",
    "capacity",
    "cloud",
    "conceptor",
    "conjunction",
    "correlation",
    "cut",
    "dense",
    "descend",
    "disjunction",
    "empty",
    "five_datasets",
    "forgetting",
    "forward_transfer",
    "freeze_rest",
    "gain_over",
    "image_task",
    "intersection",
    "kept_bytes",
    "layer_inputs",
    "learnable",
    "looking",
    "matrix",
    "methods",
    "mlp",
    "negation",
    "outline",
    "outside",
    "package_tasks",
    "pair",
    "permuted_channels",
    "permuted_pixels",
    "prepare",
    "projected_step",
    "projection",
    "protect",
    "protected_layers",
    "published",
    "reduced_resnet18",
    "residual",
    "select_task",
    "settle",
    "sgd",
    "similarity",
    "singular_values",
    "small_fashion_mnist",
    "split_cifar100",
    "split_cifar100_from",
    "split_classes",
    "split_fashion_mnist",
    "split_mini_imagenet",
    "time_first",
    "turned",
]

lazy(__name__)
