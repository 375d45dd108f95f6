"""The numbers that were published for streams, and what they are called."""

import pytest

from workbench.continual.published import CIFAR_TASKS, POSTER, RERUN, written


def test_what_the_poster_calls_fwt_is_the_gain_over_gpm():
    """ACC = mean A[i, i] + (T − 1)/T BWT in its own numbers, which are rounded, and BWT read off a curve."""
    gpm, later = POSTER[0], (CIFAR_TASKS - 1) / CIFAR_TASKS
    for row in POSTER:
        gain = row.cifar_acc - gpm.cifar_acc - later * (row.cifar_bwt - gpm.cifar_bwt)
        assert gain == pytest.approx(row.cifar_gain, abs=0.02), row.method
    assert RERUN["TRGP"] > POSTER[-1].cifar_acc
    assert len(written().splitlines()) == 6


def test_the_columns_add_up_to_what_they_do_in_the_poster():
    sums = [round(sum(column), 2) for column in zip(*(row[1:] for row in POSTER), strict=True)]
    assert sums == [375.5, 1.71, 16.38, 335.25, 5.28, 3.76, -2.69, 13752, 2966]
    assert RERUN == {"GPM": 73.94, "TRGP": 77.77}
