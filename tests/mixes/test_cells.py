"""The table of all cells."""

from workbench.mixes import DIRECTIONS, KINDS, MEMORIES, SPACES, TIMES, Mix, cells, refusal, tally


def test_every_cell_is_there_once_and_says_why_it_is_refused():
    every = list(cells())
    assert len({(cell.mix, cell.network) for cell in every}) == len(every)
    assert len(every) == len(TIMES) * len(SPACES) * len(MEMORIES) * len(DIRECTIONS) * len(KINDS)
    for cell in every:
        words = cell.as_words()
        assert set(words) == {"time", "space", "memory", "direction", "network", "legal", "reason"}
        assert words["legal"] == (words["reason"] is None)
        assert cell.reason is None or len(str(cell.reason)) > 60


def test_tally_counts():
    counted = tally(["blocks"])
    assert counted.cells == 4 * 11 * 6 * 7
    assert counted.legal == (11 * 4 + 5) * 7  # all, hosvd, asi, lance; checkpoints where something waits
    assert 10 < counted.named < 30


def test_directions_are_never_refused():
    for kind in KINDS:
        for time in TIMES:
            reasons = {refusal(Mix(time, direction=d), kind) for d in DIRECTIONS}
            assert len(reasons) == 1
