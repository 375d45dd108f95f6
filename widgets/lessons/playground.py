"""The lesson of the panel Playground."""

from widgets.frame.lesson import Challenge, Lesson, Place

PLAYGROUND: Lesson = Lesson(
    question="Four questions, four answers: does the network still learn?",
    first="Press Start, and watch spikes, answer and weights change with every batch.",
    see="Left to right: what the camera saw, what the network is given, the spikes of its two layers, its answer. "
    "Below: the curves, and what learning did to the weights.",
    why="Rules are not monoliths. What a synapse remembers, who tells it what was wrong, what is kept and where it may "
    "move are four choices, and most combinations have never been tried.",
    main=("time", "space", "memory", "direction"),
    presets={
        "TESS: local in space and time": {},
        "BPTT: the whole history": {"time": "unrolled graph (BPTT)", "space": "backpropagation within the step"},
        "TESS against BPTT": {"race": "bptt"},
        "TESS on LANCE layers": {"memory": "core on fixed bases (LANCE)", "race": "traces+tess"},
        "What is forgotten, with and without conceptors": {
            "direction": "outside conceptors (CODE-CL)",
            "race": "traces+tess",
        },
    },
    challenges=(
        Challenge(
            "find a mix that is refused, and read why.",
            lambda state, numbers: bool(numbers.refused),
            {"memory": "computed twice (checkpointing)"},
            "Nothing of the past waits under a local rule, so there is nothing to compute twice.",
        ),
        Challenge(
            "find a mix that sends no error down and keeps less than 2.5 kB by formula.",
            lambda state, numbers: (
                state["time"] != "S-TLLR traces"
                and numbers.lanes[0].mix.space.local
                and numbers.lanes[0].cost.cost.memory < 2500
            ),
            {"time": "one instant"},
            "Without any memory of the past half as much is kept. Start it: how much worse is it?",
        ),
        Challenge(
            "race two mixes, one of which loses 3 points more of task 1 than the other.",
            lambda state, numbers: numbers.spread >= 3,
            {"direction": "outside conceptors (CODE-CL)", "race": "traces+tess"},
            "The rule is the same: what holds the old answers is where the weights may move.",
            runs=True,
        ),
    ),
    place=Place(("a b c d e", "h h h f g"), (1.2, 0.8, 0.8, 1.0, 1.1), (1.0, 1.05)),
)
