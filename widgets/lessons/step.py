"""The lesson of the panel Step by step."""

from widgets.frame.lesson import Challenge, Lesson, Place

STEP: Lesson = Lesson(
    question="What happens, term by term, when one weight learns?",
    first="Press Play, or move the stage yourself, forwards and back.",
    see="The tiles fill one after another; the term of the equation that acts is marked, and the sentence holds its "
    "numbers.",
    why="A learning rule is a handful of multiplications in a fixed order. Who has seen each of them once can write "
    "it down.",
    main=("rule", "at", "problem"),
    presets={
        "S-TLLR, from the start": {},
        "TESS: the signal made in the layer": {"rule": "TESS"},
        "LLS: back through the pooling": {"rule": "LLS"},
        "CODE-CL: what the conceptor takes away": {"rule": "CODE-CL", "at": 23},
        "LANCE: the gradient from the core": {"rule": "LANCE", "at": 23},
    },
    challenges=(
        Challenge(
            "go to the last stage, at which the whole update is there.",
            lambda state, numbers: state["at"] == 23,
            {"at": 23},
            "Every number that you see was made from numbers beside it.",
        ),
    ),
    place=Place(("a b", "a c"), (1.25, 1.0), (1.5, 1.0)),
)
