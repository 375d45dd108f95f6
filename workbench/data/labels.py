"""Class numbers as data sets have them, in arrays: looked at without torch, which a page is painted before."""

import numpy as np
from jaxtyping import Int64, Shaped


def check_classes(labels: Shaped[np.ndarray, "..."], classes: int, name: str) -> Int64[np.ndarray, "sample"]:
    """The labels as int64, or ValueError, with the name, unless they are class numbers 0..classes−1, one per sample."""
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        raise ValueError(f"{name} has labels of shape {labels.shape} and type {labels.dtype}, expected class numbers")
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise ValueError(f"{name} has labels {labels.min()} to {labels.max()}, expected 0 to {classes - 1}")
    return labels.astype(np.int64)
