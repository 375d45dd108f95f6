"""The lesson of the panel Eligibility."""

from widgets.frame.lesson import Challenge, Lesson, Place

ELIGIBILITY: Lesson = Lesson(
    question="What does a synapse offer, and when is the offer taken?",
    first="Drag the learning signal to another moment.",
    see="The eligibility is the offer, made by the spikes alone. The weight moves only while the signal is on, by "
    "their product.",
    why="Three factors, all of them at the synapse: the spikes before, the spikes behind, and a signal that says "
    "whether it was good. The order of events in the world need not be known.",
    main=("rule", "signal_at", "signal"),
    presets={
        "S-TLLR": {},
        "e-prop: filtered by the readout": {"rule": "e-prop"},
        "OTTT: one trace": {"rule": "OTTT"},
        "Signal over the whole recording": {"signal_at": 0, "signal_steps": 60},
        "A late, short signal": {"signal_at": 45, "signal_steps": 5},
    },
    challenges=(
        Challenge(
            "leave the spikes alone and turn the sign of the weight change.",
            lambda state, numbers: (
                all(state[f"{side}_{k}"] == start for side, k, start in _STARTS)
                and float(numbers.run.weight[-1]) > 0.05
            ),
            {"signal": -1.0},
            "The eligibility proposes, the signal disposes.",
        ),
        Challenge(
            "find a moment for the signal (not 0) at which the synapse learns nothing (less than 0.01).",
            lambda state, numbers: state["signal"] != 0 and abs(float(numbers.run.weight[-1])) < 0.01,
            {"signal_at": 0, "signal_steps": 5},
            "Before anything has happened there is nothing to answer for.",
        ),
    ),
    place=Place(("a b",), (1.7, 1.0)),
)

_STARTS = (("pre", 1, 10), ("pre", 2, 34), ("post", 1, 16), ("post", 2, 30))
