"""The lesson of the panel Conceptors."""

from widgets.frame.lesson import Challenge, Lesson, Place
from workbench.continual.conceptors import capacity, similarity

CONCEPTORS: Lesson = Lesson(
    question="Which directions has an old task taken, and which are free?",
    first="Turn cloud B until it lies along A.",
    see="Left the clouds of activity of two tasks. Right their conceptors: an axis of length 1 is claimed, 0 is free.",
    why="CODE-CL changes the weights of a new task mostly where the conceptor of the old ones is small. Tasks that "
    "use the same directions can share them, others leave each other alone.",
    main=("aperture", "turn_b", "roundness_b"),
    presets={
        "Two tasks across one another": {},
        "The same direction": {"turn_b": 20.0},
        "Wide aperture: everything is claimed": {"aperture": 10.0},
        "What is still free (NOT A)": {"not_a": True, "a_or_b": False},
        "In three dimensions": {"space": "3-D"},
    },
    challenges=(
        Challenge(
            "make the two tasks almost alike: similarity above 0.95.",
            lambda state, numbers: similarity(numbers.pair.conceptors["A"], numbers.pair.conceptors["B"]) > 0.95,
            {"turn_b": 20.0, "spread_b": 1.5},
            "Two clouds along one line claim one direction, once.",
        ),
        Challenge(
            "let A claim less than a fifth of the space.",
            lambda state, numbers: capacity(numbers.pair.conceptors["A"]) < 0.2,
            {"aperture": 0.3},
            "A small aperture is a modest conceptor: it protects little and forgets more.",
        ),
    ),
    place=Place(("a b",), (3.2, 1.0)),
)
