"""What a named experiment is, whatever it trains, and how a run of it begins."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from workbench.mixes import ANYWHERE, Mix, mix_named
from workbench.names import unknown
from workbench.networks.seeded import seeded
from workbench.rule import LearningRule
from workbench.rules import rule_named
from workbench.training.devices import on_device
from workbench.training.loop import train
from workbench.training.score import ACCURACY, Score
from workbench.training.setting import Plan


class OpenRules(dict[str, Any]):
    """Rules by name, open to those of others: `take` makes of a `LearningRule` what could stand here, and `mixed` of a
    `Mix`, or raises ValueError with the reason. Without `mixed` no mix is taken."""

    def __init__(
        self,
        rules: Mapping[str, Any],
        take: Callable[[LearningRule], Any],
        mixed: Callable[[Mix], Any] | None = None,
    ):
        super().__init__(rules)
        self.take, self.mixed = take, mixed


class Experiment(NamedTuple):
    """A named experiment: rules by their short name, a number of epochs, and `prepare(rule, seed)`, which makes a run.

    What stands in `rules` is up to `prepare`: a rule, or what makes one for a network, or what else the network needs;
    for a stream of tasks, what makes a method for a network. `OpenRules` take one's own, too. score: how its outputs
    are judged, known before anything is prepared. tasks: how many follow one another, each for so many epochs; None
    where there is one.
    """

    name: str
    summary: str
    rules: Mapping[str, Any]
    epochs: int
    prepare: Callable[[Any, int], Any]  # a `training.Setting`, or a `continual.StreamSetting`
    score: Score = ACCURACY
    tasks: int | None = None

    @property
    def length(self) -> str:
        """How long a run is, in words."""
        return f"{self.epochs} epochs" + ("" if self.tasks is None else f" for each of {self.tasks} tasks")


def prepare(experiment: Experiment, rule: str, seed: int = 0, tasks: int | None = None) -> Any:
    """The setting of a run, of the first `tasks` of a stream (all when None).

    Raises ValueError for a rule that the experiment does not have, and for tasks that there are not.
    """
    return prepare_with(experiment, rule_of(experiment, rule), seed, tasks)


def rule_of(experiment: Experiment, rule: str) -> Any:
    """What the experiment has under the name of a rule, or makes of one's own at `module:NAME`, or of a mix of answers
    as `traces+tess+lance+gpm`.

    Raises ValueError that lists the names there are, or says what is at `module:NAME`, or why it does not fit.
    """
    if "+" in rule and rule not in experiment.rules:
        if not isinstance(experiment.rules, OpenRules) or experiment.rules.mixed is None:
            raise ValueError(
                f"{experiment.name} takes no mixes, got '{rule}'; fashion-events, sound, tess-events, lls-fashion and "
                "all streams do"
            )
        return experiment.rules.mixed(mix_named(rule))
    if ":" in rule:
        if not isinstance(experiment.rules, OpenRules):
            raise ValueError(
                f"{experiment.name} has rules made for it and takes no other, got '{rule}'; fashion-events, sound and "
                "tess-events take one for spiking networks, lls-fashion one for blocks"
            )
        return experiment.rules.take(rule_named(rule))
    if rule not in experiment.rules:
        raise unknown("{experiment} has no rule", rule, experiment.rules, "it has", experiment=experiment.name)
    return experiment.rules[rule]


def check_alone(mix: Mix) -> Mix:
    """A mix for one task, or ValueError for one with a direction, which a single task has no use for."""
    if mix.direction != ANYWHERE:
        raise ValueError(
            f"'{mix}' protects earlier tasks, and here is one; take a stream (event-tasks, split-fashion), or a "
            "mix that ends with 'anywhere'"
        )
    return mix


def prepare_with(experiment: Experiment, rule: Any, seed: int = 0, tasks: int | None = None) -> Any:
    """`prepare` with what could stand in `experiment.rules`."""
    if tasks is not None and experiment.tasks is None:
        raise ValueError(f"{experiment.name} is one task and cannot be cut to {tasks}; leave `tasks` out")
    if tasks is not None and not 1 <= tasks <= (experiment.tasks or 1):
        raise ValueError(f"{experiment.name} has 1 to {experiment.tasks} tasks, got {tasks}")
    with seeded(seed):  # whatever an experiment draws, it leaves torch's generator and other threads alone
        setting = experiment.prepare(rule, seed)
    return setting if tasks is None else setting._replace(stream=setting.stream[:tasks])


def start(
    experiment: Experiment,
    rule: str,
    seed: int = 0,
    epochs: int | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    loops: str | None = None,
    tasks: int | None = None,
    device: str | None = None,
) -> Iterator[Any]:
    """Begin a run: the generator of `training.train`, of `Record`s or, for a stream of tasks, of `StreamRecord`s.

    tasks: of a stream, only the first so many. device: such as "cuda", for networks of blocks; None for the processor.
    Raises ValueError for an unknown rule, no epoch, no task, and a device that is not there or does not fit.

    >>> from workbench.continual import accuracy_matrix
    >>> from workbench.experiments import SPLIT_FASHION
    >>> accuracy_matrix(start(SPLIT_FASHION, "code-cl", tasks=2, epochs=1)).shape
    torch.Size([2, 2])
    """
    epochs = experiment.epochs if epochs is None else epochs
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    setting = prepare(experiment, rule, seed, tasks)
    setting = setting if device is None else on_device(setting, device)
    label = f"{experiment.name}, rule {rule}, seed {seed}"
    label += "" if tasks in (None, experiment.tasks) else f", {tasks} tasks"
    return train(setting, Plan(epochs, seed, loops), checkpoint, resume, label=label)
