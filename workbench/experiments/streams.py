"""Named streams: the same network learns one task after the other. Their rules are the methods against forgetting."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from workbench.continual.folder_streams import split_cifar100_from
from workbench.continual.learning import StreamSetting, accuracies, sgd
from workbench.continual.method import Method
from workbench.continual.methods.a_gem import AGEM
from workbench.continual.methods.code_cl import CodeCL, CodeCLParams
from workbench.continual.methods.ewc import EWC
from workbench.continual.methods.fine_tuning import FineTuning
from workbench.continual.methods.gpm import GPM
from workbench.continual.methods.lance import LanceContinual
from workbench.continual.methods.replay import Joint, Replay
from workbench.continual.methods.sgp import SGP
from workbench.continual.methods.trgp import TRGP
from workbench.continual.multihead import MultiHead, alexnet, mlp
from workbench.continual.streams import permuted_pixels, small_fashion_mnist, split_fashion_mnist
from workbench.experiments.experiment import Experiment, prepare_with
from workbench.training.epochs import cosine_decay

MakeMethod = Callable[[MultiHead], Method]
METHODS: Mapping[str, MakeMethod] = {
    "code-cl": partial(CodeCL, params=CodeCLParams(aperture=3.0)),
    "fine-tuning": FineTuning,
    "joint": Joint,
    "gpm": GPM,
    "replay": Replay,
    "a-gem": AGEM,
    "ewc": EWC,
    "sgp": SGP,
    "trgp": TRGP,
    "lance": LanceContinual,
}
CIFAR_METHODS: Mapping[str, MakeMethod] = METHODS | {"code-cl": CodeCL}
PERMUTED_TASKS, SPLIT_TASKS, CIFAR_TASKS = 10, 5, 10


def permuted_fashion_setting(method: MakeMethod, seed: int) -> StreamSetting:
    """784–100–100–10 with one head for all, plain SGD of 0.1, batches of 64; `seed` fixes the orders of pixels too."""
    stream = permuted_pixels(small_fashion_mnist(), PERMUTED_TASKS, seed)
    return StreamSetting(method(mlp([10], seed=seed)), stream, sgd(0.1))


def split_fashion_setting(method: MakeMethod, seed: int) -> StreamSetting:
    """784–100–100 with a head of two outputs for each pair of classes, batches of 64, plain SGD of 0.2."""
    return StreamSetting(method(mlp([2] * SPLIT_TASKS, seed=seed)), split_fashion_mnist(SPLIT_TASKS), sgd(0.2))


def split_cifar100_setting(method: MakeMethod, seed: int) -> StreamSetting:
    """AlexNet with a head of ten outputs for each task; whole batches of 64, plain SGD of 0.1 along a cosine.

    The authors of CODE-CL and LANCE hold back 5 % of a task instead, and halve a rate of 0.1 on a plateau:
    `setting._replace(schedule=None, plateau=Plateau())`.
    """
    learner = method(alexnet([10] * CIFAR_TASKS, seed=seed))
    return StreamSetting(learner, split_cifar100_from(), sgd(0.1), schedule=cosine_decay, whole_batches=True)


PERMUTED_FASHION = Experiment(
    "permuted-fashion",
    "Fashion-MNIST, for each task with the pixels in another order; one head for all tasks",
    METHODS,
    epochs=5,
    prepare=permuted_fashion_setting,
    tasks=PERMUTED_TASKS,
)
SPLIT_FASHION = Experiment(
    "split-fashion",
    "Fashion-MNIST, two classes per task; one head per task",
    METHODS,
    epochs=5,
    prepare=split_fashion_setting,
    tasks=SPLIT_TASKS,
)
SPLIT_CIFAR100 = Experiment(
    "split-cifar100",
    "CIFAR-100 from the folder cifar100 of the data folder, ten classes per task; AlexNet, one head per task",
    CIFAR_METHODS,
    epochs=20,
    prepare=split_cifar100_setting,
    tasks=CIFAR_TASKS,
)


class Untrained(NamedTuple):
    """Accuracies on all tasks before any learning, b of FWT, and whether tasks share one head, so that FWT counts."""

    accuracies: tuple[float, ...]
    shared_head: bool


def untrained(experiment: Experiment, seed: int = 0, tasks: int | None = None) -> Untrained:
    """What the network of a run answers before it learns."""
    setting: StreamSetting = prepare_with(experiment, FineTuning, seed, tasks)
    network = setting.method.network
    tests = [(task.test_x, task.test_y) for task in setting.stream]
    return Untrained(accuracies(network, tests), not network.free())
