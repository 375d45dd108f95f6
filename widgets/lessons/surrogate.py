"""The lesson of the panel Surrogate."""

from widgets.frame.lesson import Challenge, Lesson, Place

SURROGATE: Lesson = Lesson(
    question="A spike has no slope. Which slope should a rule pretend?",
    first="Choose another form for your Ψ and change its steepness.",
    see="Left above, Ψ against the distance from the threshold: where it is zero, a neuron does not learn. Below, its "
    "integral beside the true step. Right a neuron over time: filled steps learn, for they lie in the band of your Ψ.",
    why="Ψ decides which neurons take part in learning. The papers use different ones for different tasks, and say "
    "so only in tables.",
    main=("form", "slope", "height"),
    presets={
        "Triangle, as for gestures": {"form": "triangle", "height": 0.3},
        "Fast sigmoid": {"form": "fast sigmoid"},
        "Very steep arctan": {"form": "arctan", "slope": 50.0},
        "Everyone learns (flat)": {"form": "fast sigmoid", "slope": 0.5},
    },
    challenges=(
        Challenge(
            "let only neurons within 0.25 of their threshold learn.",
            lambda state, numbers: state["form"] == "triangle" and state["width"] <= 0.25,
            {"form": "triangle", "width": 0.2},
            "A narrow triangle: exact where it acts, and blind elsewhere.",
        ),
        Challenge(
            "make your Ψ the published one for gestures (the curves cover one another).",
            lambda state, numbers: (
                numbers.published is not None
                and state["published"] == "gesture, and all of TESS"
                and float((numbers.yours.psi - numbers.published.psi).abs().max()) < 0.02
            ),
            {"form": "triangle", "height": 0.3, "width": 1.0},
            "0.3 max(1 − |v|, 0), the secondary activation of S-TLLR for event cameras.",
        ),
    ),
    place=Place(("a b",), (1.25, 1.0)),
)
