"""The lesson of the panel Locality."""

from widgets.frame.lesson import Challenge, Lesson, Place

LOCALITY: Lesson = Lesson(
    question="What must be known to change one weight?",
    first="Click a cell: left you see what that update depends on. Then choose another rule.",
    see="Replace one layer, or the input of one step: does the update of the chosen layer change? Blue cells say "
    "yes, the more the darker. “no” above the diagonal is locality: TESS has it, BPTT below has not.",
    why="Not a claim of a paper but a measurement: every rule is run with each part replaced. What needs nothing from "
    "above and nothing from later can run on a chip while the world goes on.",
    main=("rule", "beside", "layer"),
    presets={
        "BPTT: needs everything": {"rule": "BPTT", "beside": "TESS"},
        "S-TLLR: local in time": {"rule": "S-TLLR"},
        "TESS: local in both": {},
        "The output's update": {"layer": "readout"},
        "S-TLLR with DFA": {"rule": "S-TLLR with DFA"},
    },
    challenges=(
        Challenge(
            "find a rule that is local in time but not in space.",
            lambda state, numbers: numbers.found.time.later == 0 and numbers.found.space.later > 0,
            {"rule": "S-TLLR"},
            "S-TLLR carries traces through time, and takes its signal down through the layers.",
        ),
        Challenge(
            "find a rule that needs later steps.",
            lambda state, numbers: numbers.found.time.later > 0,
            {"rule": "BPTT"},
            "BPTT must wait for the end of the recording and keep all of it.",
        ),
    ),
    place=Place(("a b", "a c"), (1.0, 1.7)),
)
