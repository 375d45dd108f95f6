"""Links and checksums of every source."""

import hashlib

import numpy as np
from idx_files import encode_idx

from workbench.data.delivery.sources import ALL, MNIST


def test_checksums_of_the_test_files_of_mnist(recordings):
    """Rebuilt from real images, the uncompressed files have the sums that `sources.py` states."""
    with np.load(recordings / "mnist_t10k.npz") as file:
        rebuilt = encode_idx(file["images"]), encode_idx(file["labels"])
    for remote, content in zip(MNIST.files[2:], rebuilt, strict=True):
        assert hashlib.md5(content).hexdigest() == remote.content_md5


def test_links_and_checksums_are_whole():
    files = [file for source in ALL for file in source.files]
    assert len({file.md5 for file in files}) == len(files) == 14
    for file in files:
        assert all(len(md5) == 32 and int(md5, 16) for md5 in (file.md5, file.content_md5) if md5)
        assert (file.content_md5 is not None) == file.name.endswith("ubyte.gz")
        assert all(url.startswith("http") for url in file.urls)
