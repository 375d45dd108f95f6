"""Named streams: the same network learns one task after the other. Their rules are the methods against forgetting."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from workbench import mixes
from workbench.continual.block_tasks import BlockTasks
from workbench.continual.folder_streams import split_cifar100_from
from workbench.continual.learning import MakeOptimizer, StreamSetting, accuracies, adam, sgd
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
from workbench.continual.multihead import MultiHead, SharedHead, alexnet, mlp
from workbench.continual.streams import Task, image_task, permuted_pixels, small_fashion_mnist, split_fashion_mnist
from workbench.data.sets.mnist import mnist
from workbench.experiments.experiment import Experiment, OpenRules, prepare_with
from workbench.mixes import Mix, learner
from workbench.networks.taken import take_blocks
from workbench.rule import LearningRule
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


def of_mix(mix: Mix, examples: Callable[[], Float[Tensor, "batch *shape"]]) -> MakeMethod:
    """What makes the method of a mix for a network with heads, whose layers are taken as blocks; bases are found on
    `examples()`."""

    def made(network: MultiHead) -> Method:
        x, heads = examples(), list(network.heads)
        blocks = take_blocks(nn.Sequential(network.body, heads[0]), tuple(x.shape[1:]))
        tasks = SharedHead(blocks) if len(heads) == 1 else BlockTasks(blocks, heads)  # pyright: ignore
        return learner(mix, tasks, [x], classes=heads[0].out_features)  # pyright: ignore

    return made


def of_rule(rule: LearningRule, examples: Callable[[], Float[Tensor, "batch *shape"]]) -> MakeMethod:
    """Fine-tuning with a rule of one's own for blocks."""
    mix = mixes.of_rule(rule)
    if (reason := mixes.refusal(mix, "blocks")) is not None:
        raise ValueError(reason)
    return of_mix(mix, examples)


def open_to_mixes(
    methods: Mapping[str, MakeMethod], examples: Callable[[], Float[Tensor, "batch *shape"]]
) -> OpenRules:
    """Methods by name, and any mix, and rules of one's own."""
    return OpenRules(methods, partial(of_rule, examples=examples), partial(of_mix, examples=examples))


def clothes() -> Float[Tensor, "batch 1 28 28"]:
    """64 of the embedded images."""
    return small_fashion_mnist().train_x[:64]


def whole_mnist() -> Task:
    """All of MNIST as one task, from the data folder."""
    data = mnist()
    return image_task("MNIST", *data.train, *data.test)


def digits() -> Float[Tensor, "batch 1 28 28"]:
    """64 of its images."""
    return whole_mnist().train_x[:64]


def cifar() -> Float[Tensor, "batch 3 32 32"]:
    """64 images of the first task."""
    return split_cifar100_from()[0].train_x[:64]


# The springs of nine tasks in one head: ten times stiffer, steps of 0.1 overshoot, and two seeds of five diverged.
PERMUTED_METHODS: Mapping[str, MakeMethod] = METHODS | {"ewc": partial(EWC, strength=1.0)}
CIFAR_METHODS: Mapping[str, MakeMethod] = METHODS | {"code-cl": CodeCL}
PERMUTED_TASKS, MORE_PERMUTED_TASKS, SPLIT_TASKS, CIFAR_TASKS = 10, 20, 5, 10


def steps_of(learner: Method, rate: float) -> MakeOptimizer:
    """Plain SGD of the papers' rate for their methods; Adam of 1e-3 for a mix, whose signals have sizes of their own:
    random feedback at that rate diverges."""
    return adam() if isinstance(learner.network, SharedHead | BlockTasks) else sgd(rate)


def permuted_setting(
    method: MakeMethod, seed: int, tasks: int = PERMUTED_TASKS, read: Callable[[], Task] = small_fashion_mnist
) -> StreamSetting:
    """784–100–100–10 with one head for all, batches of 64, plain SGD of 0.1 (see `steps_of`); `seed` fixes the orders
    of pixels too."""
    stream = permuted_pixels(read(), tasks, seed)
    learner = method(mlp([10], seed=seed))
    return StreamSetting(learner, stream, steps_of(learner, 0.1))


def split_fashion_setting(method: MakeMethod, seed: int) -> StreamSetting:
    """784–100–100 with a head of two outputs for each pair of classes, batches of 64, plain SGD of 0.2 (see
    `steps_of`)."""
    learner = method(mlp([2] * SPLIT_TASKS, seed=seed))
    return StreamSetting(learner, split_fashion_mnist(SPLIT_TASKS), steps_of(learner, 0.2))


def split_cifar100_setting(method: MakeMethod, seed: int) -> StreamSetting:
    """AlexNet with a head of ten outputs for each task; whole batches of 64, plain SGD of 0.1 along a cosine (see
    `steps_of`).

    The authors of CODE-CL and LANCE hold back 5 % of a task instead, and halve a rate of 0.1 on a plateau:
    `setting._replace(schedule=None, plateau=Plateau())`.
    """
    learner = method(alexnet([10] * CIFAR_TASKS, seed=seed))
    steps = steps_of(learner, 0.1)
    return StreamSetting(learner, split_cifar100_from(), steps, schedule=cosine_decay, whole_batches=True)


PERMUTED_FASHION = Experiment(
    "permuted-fashion",
    "Fashion-MNIST, for each task with the pixels in another order; one head for all tasks",
    open_to_mixes(PERMUTED_METHODS, clothes),
    epochs=5,
    prepare=permuted_setting,
    tasks=PERMUTED_TASKS,
)
PERMUTED_FASHION_20 = PERMUTED_FASHION._replace(
    name="permuted-fashion-20",
    summary="the same with twenty orders of pixels: twice the tasks in the same network",
    prepare=partial(permuted_setting, tasks=MORE_PERMUTED_TASKS),
    tasks=MORE_PERMUTED_TASKS,
)
PERMUTED_MNIST = PERMUTED_FASHION._replace(
    name="permuted-mnist",
    summary="MNIST (can be fetched), for each task with the pixels in another order; the settings of permuted-fashion",
    rules=open_to_mixes(PERMUTED_METHODS, digits),
    prepare=partial(permuted_setting, read=whole_mnist),
)
SPLIT_FASHION = Experiment(
    "split-fashion",
    "Fashion-MNIST, two classes per task; one head per task",
    open_to_mixes(METHODS, clothes),
    epochs=5,
    prepare=split_fashion_setting,
    tasks=SPLIT_TASKS,
)
SPLIT_CIFAR100 = Experiment(
    "split-cifar100",
    "CIFAR-100 from the folder cifar100 of the data folder, ten classes per task; AlexNet, one head per task",
    open_to_mixes(CIFAR_METHODS, cifar),
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
