"""The lesson of the panel Trace."""

from widgets.frame.lesson import Challenge, Lesson

TRACES: Lesson = Lesson(
    question="How can one number remember all the spikes there were?",
    first="Drag a spike. Then raise λ_pre and watch how long it is still felt.",
    see="q jumps at a spike and decays; the thin parts show how much each spike still contributes. h is the same "
    "for the neuron behind the synapse, and begins one step later.",
    why="S-TLLR and TESS store two such numbers per synapse or neuron in place of the whole recording. That is why "
    "their memory does not grow with time.",
    main=("decay_pre", "decay_post", "spikes"),
    presets={
        "Three spikes to place": {},
        "Random spikes": {"spikes": "random"},
        "A spike at every step": {"spikes": "at every step"},
        "Almost perfect memory": {"spikes": "random", "decay_pre": 0.99, "decay_post": 0.99},
    },
    challenges=(
        Challenge(
            "make q remember the present step only.",
            lambda state, numbers: state["decay_pre"] == 0.0,
            {"decay_pre": 0.0},
            "With λ = 0 the trace is the spike train itself.",
        ),
        Challenge(
            "with a spike at every step, bring q to 20 or more at the end.",
            lambda state, numbers: state["spikes"] == "at every step" and float(numbers.q[-1]) >= 20,
            {"spikes": "at every step", "decay_pre": 0.98},
            "The trace settles at 1/(1 − λ): 20 for λ = 0.95, once it has had time to settle.",
        ),
        Challenge(
            "place three spikes so that q never exceeds 1.1.",
            lambda state, numbers: (
                state["spikes"] == "three spikes" and float(numbers.x.sum()) >= 3 and float(numbers.q.max()) <= 1.1
            ),
            {"spikes": "three spikes", "first": 5, "second": 40, "third": 75},
            "Spikes far apart do not meet in the trace.",
        ),
    ),
)
