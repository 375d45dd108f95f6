"""A cell that is not finished: its checkpoint and its curve so far, beside the place of its file.

    FOLDER/EXPERIMENT/RULE-SEED-SETTINGS.safetensors    the run, every 200 steps
    FOLDER/EXPERIMENT/RULE-SEED-SETTINGS.curve          JSON: the points of the curve, each with the step it was made at

Both are written whole or not at all. A run that was killed goes on from its checkpoint; points that were made after it
are made again. What another machine or another version left is not gone on with, because the numbers would be of two.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.data.delivery.storage import written_unlocked
from workbench.training.checkpoint import read_checkpoint
from workbench.training.loop import train
from workbench.training.setting import Plan

EVERY = 200  # steps from one checkpoint to the next


class Halfway:
    """What is kept of the cell whose file will lie at `path`; `label` says in words which run on which machine it is.

    `curve` holds the points so far.
    """

    def __init__(self, path: Path, label: str) -> None:
        self.checkpoint, self._notes, self.label = path.with_suffix(".safetensors"), path.with_suffix(".curve"), label
        self.curve: list[dict[str, Any]] = []
        self._steps: list[int] = []

    def records(self, setting: Any, plan: Plan) -> Iterator[Any]:
        """The records of the run, from its beginning or from where it was killed; `curve` then has what came before.

        A run that fails by itself leaves nothing: it would fail again.
        """
        resume = self._is_ours()
        try:
            for record in train(setting, plan, self.checkpoint, resume, EVERY, self.label):
                if resume:
                    self._recall(record.step)
                    resume = False
                yield record
        except (ValueError, ArithmeticError):
            self.remove()
            raise

    def add(self, point: dict[str, Any], step: int) -> None:
        """The next point of the curve, made at this step."""
        self.curve.append(point)
        self._steps.append(step)
        with written_unlocked(self._notes) as part:
            part.write_text(json.dumps({"steps": self._steps, "curve": self.curve}), "utf-8")

    def remove(self) -> None:
        """The cell has its file: nothing of this is needed any more."""
        for path in (self.checkpoint, self._notes):
            path.unlink(missing_ok=True)

    def _is_ours(self) -> bool:
        """Whether there is a whole checkpoint of this very run and machine; what is not is removed."""
        if not self.checkpoint.is_file():
            return False
        try:
            if read_checkpoint(self.checkpoint).label == self.label and self._read() is not None:
                return True
        except ValueError:
            pass
        self.remove()
        return False

    def _read(self) -> tuple[list[int], list[dict[str, Any]]] | None:
        """Steps and points as they were kept; none before the first point; None for what is no such file."""
        if not self._notes.is_file():
            return [], []
        try:
            found = json.loads(self._notes.read_text("utf-8"))
            return list(found["steps"]), list(found["curve"])
        except (ValueError, KeyError, TypeError):
            return None

    def _recall(self, step: int) -> None:
        """Take up the points that were made before the step from which the run goes on."""
        steps, curve = self._read() or ([], [])
        count = sum(each < step for each in steps)
        self._steps[:], self.curve[:] = steps[:count], curve[:count]
