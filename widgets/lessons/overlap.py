"""The lesson of the panel Overlap."""

from widgets.frame.lesson import Challenge, Lesson, Place

OVERLAP: Lesson = Lesson(
    question="How much room does each task take, and how much is left?",
    first="Start, and watch the space fill task by task.",
    see="First what each task adds to what is protected; then which tasks are alike; last how much of a step "
    "is left along each direction: 1 means that the weight may move as it likes, 0 that it must stand still.",
    why="A method that protects everything learns nothing new in the end. The question is how fast the room runs out.",
    main=("stream", "method", "aperture"),
    presets={
        "Pairs of clothes: tasks that share much": {},
        "Permuted pixels: tasks that share nothing": {"stream": "permuted pixels"},
        "A wide aperture": {"aperture": 10.0},
        "LANCE: whole directions": {"method": "LANCE"},
    },
    challenges=(
        Challenge(
            "set up a run in which tasks can share nothing.",
            lambda state, numbers: state["stream"] == "permuted pixels",
            {"stream": "permuted pixels"},
            "Pictures of clothes lie along the same directions whatever the pair; shuffled pixels do not. Start and "
            "see.",
        ),
    ),
    place=Place(("a b c",)),
)
