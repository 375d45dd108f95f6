"""The lesson of the panel Memory."""

from widgets.frame.lesson import Challenge, Lesson, Place

MEMORY: Lesson = Lesson(
    question="At which moment of a training step is most in memory?",
    first="Double the batch and look at the peak.",
    see="Memory climbs while the network computes forwards, and is given back on the way backwards: the peak lies "
    "between.",
    why="The peak decides whether a network can be trained on a device at all; the mean does not matter.",
    main=("batch_size", "energy", "axis"),
    presets={
        "64 images": {},
        "128 images": {"batch_size": "128"},
        "Logarithmic: the small ones too": {"axis": "logarithmic"},
        "LANCE with little energy": {"energy": 0.5, "axis": "logarithmic"},
    },
    challenges=(
        Challenge(
            "see all four methods at once: make the small ones visible beside backpropagation.",
            lambda state, numbers: state["axis"] == "logarithmic",
            {"axis": "logarithmic"},
            "A factor of fifty is a line on a logarithmic axis and a floor on a linear one.",
        ),
        Challenge(
            "let LANCE keep more than HOSVD at every step, then less.",
            lambda state, numbers: state["energy"] <= 0.55,
            {"energy": 0.5},
            "LANCE fixes its ranks once, HOSVD finds them anew at each step.",
        ),
    ),
    place=Place(("a b",), (1.8, 1.0)),
)
