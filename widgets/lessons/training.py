"""The lesson of the panel Training."""

from widgets.frame.lesson import Challenge, Lesson, Place

TRAINING: Lesson = Lesson(
    question="Two rules, one network, the same samples: who learns, and at what price?",
    first="Press Start.",
    see="The accuracies end close together; the bytes that each rule keeps do not. The film shows what both networks "
    "make of one sample while they learn.",
    why="A local rule need not be better than backpropagation through time. It must come near it with a fraction "
    "of the memory, and without waiting for the end.",
    main=("view", "left", "right", "epochs", "frame"),
    presets={
        "S-TLLR and BPTT": {},
        "TESS and BPTT: local in space too": {"left": "TESS"},
        "Causal term alone": {"left": "S-TLLR, causal", "right": "S-TLLR"},
        "A rate that is too high": {"learning_rate": "1 (too high)"},
        "A film of one sample": {"view": "film"},
    },
    challenges=(
        Challenge(
            "set up a race between a rule that is local in space and time, and one that is neither.",
            lambda state, numbers: {state["left"], state["right"]} == {"TESS", "BPTT"},
            {"left": "TESS", "right": "BPTT"},
            "TESS against BPTT: look at the bytes after the first epoch.",
        ),
    ),
    place=Place(("a c", "a b"), (1.6, 1.0), (1.3, 1.0)),
)
