"""Layers and how they are connected: what has weights and knows no rule."""
