"""What a server of the app allows: for everybody who finds it, or for the few who can reach it anyway."""

from typing import NamedTuple

from workbench.serving.allowance import Allowance


class Rules(NamedTuple):
    """Visitors at once; bytes of each visitor's computation; the largest piece of work; seconds without use until the
    computation ends, and whether it ends then though its page is still open."""

    public: bool
    places: int
    memory: int
    allowance: Allowance
    idle: int
    even_if_open: bool


PRIVATE = Rules(False, places=40, memory=2 << 30, allowance=Allowance(), idle=600, even_if_open=False)
PUBLIC = Rules(True, places=30, memory=1 << 30, allowance=Allowance(60.0, 5e8), idle=900, even_if_open=True)
