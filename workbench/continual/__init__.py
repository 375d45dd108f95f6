"""Continual learning: conceptors, gradient projection, streams of tasks, metrics."""
