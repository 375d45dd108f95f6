"""Designs: settings within bounds, goals in their order."""

import pytest

from workbench.course.exercises.design import Design, Goal, OneOf, Real, Reals, Whole

BOX = Design(
    name="box",
    notebook=1,
    title="A box",
    settings={"n": Whole(1, 9), "share": Real(0, 1), "kind": OneOf(("a", "b")), "row": Reals(2, 0, 1)},
    measure=lambda n, share, kind, row: {"size": n * share, "kind": kind, "fits": True},
    goals=(
        Goal("made it small", "size {size}, at least 2 is asked for.", lambda found: found["size"] >= 2),
        Goal("took a", "kind {kind} is not wanted.", lambda found: found["kind"] == "b"),
    ),
    hints=("a", "b", "c"),
)
GOOD = {"n": 4, "share": 0.5, "kind": "b", "row": [0, 1]}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (GOOD, "Right: size 2.0."),
        (GOOD | {"n": 2}, "Not yet: size 1.0, at least 2 is asked for."),
        (GOOD | {"kind": "a"}, "Not yet: kind a is not wanted."),
        (GOOD | {"n": 2.0}, "Not yet: n must be a whole number from 1 to 9, got 2."),
        (GOOD | {"n": True}, "Not yet: n must be a whole number"),
        (GOOD | {"share": float("nan")}, "Not yet: share must be a number from 0 to 1, got nan."),
        (GOOD | {"kind": ["a"]}, "Not yet: kind must be one of a, b"),
        (GOOD | {"row": [0, 2]}, "Not yet: row must be a list of 2 numbers from 0 to 1, got [0, 2]."),
        (GOOD | {"row": 3}, "Not yet: row must be a list of 2 numbers"),
        ({"n": 4}, "Not yet: the settings are n, share, kind, row, yours are n."),
        ({}, "Not yet: the settings are n, share, kind, row, yours are none."),
        (4, "Not yet: give the settings as a dict with n, share, kind, row, got 4."),
        (GOOD | {"n": ...}, "Not answered yet: replace the dots by your settings."),
        (None, "Not answered yet"),
    ],
)
def test_the_sentence_for_settings(settings, words):
    verdict = BOX.judge(settings)
    assert verdict.words.startswith(words)
    assert verdict.right == words.startswith("Right")
    assert bool(verdict.mistake) != verdict.right
