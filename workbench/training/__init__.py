"""The loop as a generator of records, and what stops, resumes and evaluates it."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.training.checkpoint import load_checkpoint, save_checkpoint, write_safetensors
    from workbench.training.loop import (
        Data,
        Evaluating,
        Logits,
        Plan,
        Record,
        Samples,
        Schedule,
        Setting,
        accuracy,
        check_finite,
        cosine,
        epoch_order,
        evaluate,
        set_learning_rate,
        train,
    )
    from workbench.training.runner import ACTIVE, Runner, RunState
    from workbench.training.schedule_free import averaged_weights

__all__ = [
    "ACTIVE",
    "Data",
    "Evaluating",
    "Logits",
    "Plan",
    "Record",
    "RunState",
    "Runner",
    "Samples",
    "Schedule",
    "Setting",
    "accuracy",
    "averaged_weights",
    "check_finite",
    "cosine",
    "epoch_order",
    "evaluate",
    "load_checkpoint",
    "save_checkpoint",
    "set_learning_rate",
    "train",
    "write_safetensors",
]

lazy(__name__)
