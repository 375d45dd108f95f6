"""The loop as a generator of records, and what stops, resumes and evaluates it."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.training.checkpoint import load_checkpoint, save_checkpoint, write_safetensors
    from workbench.training.devices import OnDevice, on_device
    from workbench.training.epochs import Schedule, check_finite, cosine_decay, epoch_order, set_learning_rate
    from workbench.training.grid_descent import GridDescent
    from workbench.training.loop import train
    from workbench.training.network_file import NetworkFile, load_network, read_network_file, save_network
    from workbench.training.runner import ACTIVE, Runner, RunState
    from workbench.training.schedule_free import averaged_weights
    from workbench.training.score import ACCURACY, Logits, Samples, Score, accuracy, evaluate
    from workbench.training.setting import Data, Evaluating, Plan, Record, Setting, Trainable, Training

__all__ = [
    "ACCURACY",
    "ACTIVE",
    "Data",
    "Evaluating",
    "GridDescent",
    "Logits",
    "NetworkFile",
    "OnDevice",
    "Plan",
    "Record",
    "RunState",
    "Runner",
    "Samples",
    "Schedule",
    "Score",
    "Setting",
    "Trainable",
    "Training",
    "accuracy",
    "averaged_weights",
    "check_finite",
    "cosine_decay",
    "epoch_order",
    "evaluate",
    "load_checkpoint",
    "load_network",
    "on_device",
    "read_network_file",
    "save_checkpoint",
    "save_network",
    "set_learning_rate",
    "train",
    "write_safetensors",
]

lazy(__name__)
