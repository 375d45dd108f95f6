"""Files in the IDX format, and a source that asks for them: for tests only."""

import struct

import numpy as np


def encode_idx(array: np.ndarray) -> bytes:
    """IDX as its description says: 0, 0, type 8, number of dimensions, each size in four bytes, values."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
