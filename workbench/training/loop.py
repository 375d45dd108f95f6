"""Training as a generator: one small record per step, and nothing else happens between two steps.

A notebook iterates over `train(...)`, a progress bar wraps it, the command line prints it, `Runner` runs it in a
thread for the app. A rule is any function `rule(network, x, y) -> StepReport` that fills `.grad`.
"""

from collections.abc import Iterator
from pathlib import Path

from workbench.data.delivery.storage import try_to_write
from workbench.training.checkpoint import load_checkpoint, save_checkpoint
from workbench.training.setting import Plan, R, Trainable


def train(
    setting: Trainable[R],
    plan: Plan = Plan(),
    checkpoint: Path | None = None,
    resume: bool = False,
    checkpoint_every: int = 50,
    label: str = "",
) -> Iterator[R]:
    """Train and yield a record after each step: a `Record`, or what else the setting tells.

    Seeds fix the order of samples; the network is taken as it comes. With `checkpoint`, the file is written (whole or
    not at all) every `checkpoint_every` steps and after the last; `resume` goes on from it with the same numbers as if
    the run had never stopped; `label` says in words which run the file belongs to, and another run refuses it. Whether
    the file can be written is tried before the first step. A run that is over gives its last record again.

    A run may go on with more epochs than were planned. Where the learning rate does not depend on the length of the
    run, the numbers are those of a run planned so from the start. Where it does (`cosine_decay`, the default), the rate
    is from there on that of the longer run, and a warning says that the numbers are not: it was lower before.

    Which inner loops rules take is settled once, at the start (see `workbench.kernels.choice`), and kept on `resume`.
    Raises FloatingPointError, naming the layer, when a number is no longer finite, OSError where the file cannot be
    written, and ValueError for a run that began with compiled loops where there are none.

    >>> import torch
    >>> from workbench.data import Split
    >>> from workbench.experiments import LabelledImages, class_scores, fine_tuning
    >>> from workbench.training import Plan, Setting
    >>> images = LabelledImages(torch.randn(8, 1, 4, 4), torch.arange(8) % 2)
    >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> optimizer, data = torch.optim.SGD(network.parameters(), lr=0.1), Split(images, images)
    >>> setting = Setting(network, optimizer, data, fine_tuning.gradients, class_scores, batch_size=4)
    >>> [record.step for record in train(setting, Plan(epochs=2))]
    [0, 1, 2, 3]
    """
    run, saved = setting.begin(plan), True
    if resume and checkpoint is not None:
        run.restore(load_checkpoint(checkpoint, label))
    if checkpoint is not None:
        try_to_write(Path(checkpoint))
    for record in run.records():
        yield record
        saved = (record.step + 1) % checkpoint_every == 0
        if checkpoint is not None and saved:
            save_checkpoint(checkpoint, run.state(), label)
    if checkpoint is not None and not saved:
        save_checkpoint(checkpoint, run.state(), label)
