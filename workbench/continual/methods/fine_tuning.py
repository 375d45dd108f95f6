"""Fine-tuning: learn each task with nothing done against forgetting. The lower reference of all comparisons."""

from workbench.continual.method import Method


class FineTuning(Method):
    """Plain steps on the current task."""
