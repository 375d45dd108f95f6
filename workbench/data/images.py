"""Sets of small grey images with labels, and the IDX format in which MNIST and its followers are published."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8


class ImageSet(NamedTuple):
    """Images (0 is black, 255 is white) and the number of each one's class."""

    images: UInt8[np.ndarray, "image height width"]
    labels: Int64[np.ndarray, " image"]
