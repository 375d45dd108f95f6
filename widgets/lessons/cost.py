"""The lesson of the panel Cost."""

from widgets.frame.lesson import Challenge, Lesson, Place

COST: Lesson = Lesson(
    question="What does it cost to learn without storing time?",
    first="Move T, the length of the recording, and see which lines rise.",
    see="BPTT's memory grows with every step; that of S-TLLR and TESS stands still. A ring is what the formula says, "
    "a cross what was measured: fewer products where inputs that do not spike are skipped, more bytes because "
    "a piece of 16 steps is held while it is worked on.",
    why="On long recordings memory is what runs out first. The formulas are the papers'; Measure runs the rules here.",
    main=("steps", "learning_steps", "width"),
    presets={
        "Gesture: T = 20, all learn": {"steps": 20, "learning_steps": 20},
        "Speech: T = 100, the last 10 learn": {"steps": 100, "learning_steps": 10},
        "A long recording": {"steps": 300, "learning_steps": 5},
        "Deep and narrow": {"depth": 8, "width": 100},
    },
    challenges=(
        Challenge(
            "make S-TLLR cheaper in multiplications than BPTT.",
            lambda state, numbers: numbers.learning_steps < 2 * numbers.steps / 3,
            {"learning_steps": 20},
            "Learning in fewer than two thirds of the steps: S_MAC = 2T / 3K is above 1.",
        ),
        Challenge(
            "find settings in which BPTT keeps less than S-TLLR.",
            lambda state, numbers: state["steps"] <= 2,
            {"steps": 2, "learning_steps": 2},
            "S_mem = T / 2: for one or two steps there is nothing to save.",
        ),
    ),
    place=Place(("a b", "c c"), (), (1.1, 1.0)),
)
