"""What a server allows: strangers get less than those who can reach it anyway, and never without a limit."""

import math

from workbench.serving.allowance import Price
from workbench.serving.rules import PRIVATE, PUBLIC


def test_strangers_get_less_of_everything():
    assert PUBLIC.public
    assert not PRIVATE.public
    assert PUBLIC.places < PRIVATE.places
    assert PUBLIC.memory < PRIVATE.memory
    assert PUBLIC.even_if_open
    assert not PRIVATE.even_if_open
    assert all(math.isfinite(limit) for limit in PUBLIC.allowance)


def test_one_piece_of_work_fits_into_the_memory_and_the_time_of_a_visitor():
    assert PUBLIC.allowance.bytes < PUBLIC.memory
    assert PUBLIC.allowance.seconds < PUBLIC.idle
    assert PUBLIC.allowance.refusal(Price(PUBLIC.allowance.seconds + 1, 0))
    assert PRIVATE.allowance.refusal(Price(1e9, 1e15)) is None
