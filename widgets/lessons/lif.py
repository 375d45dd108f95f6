"""The lesson of the panel Neuron."""

from widgets.frame.lesson import Challenge, Lesson, Place

LIF: Lesson = Lesson(
    question="When does a neuron fire, and what does it forget in between?",
    first="Drag the threshold line up until the neuron falls silent.",
    see="The blue membrane climbs towards the threshold, fires, and falls; the lower picture shows the rate for "
    "every input.",
    why="Every rule here learns from what this neuron does. Where it is silent, nothing can be learned; where it "
    "fires at every step, a spike says nothing.",
    main=("strength", "decay", "threshold"),
    presets={
        "Tonic: one steady current": {},
        "Silent: the leak wins": {"threshold": 1.2},
        "Random input spikes": {"input": "random spikes", "strength": 0.4, "interval": 4},
        "No memory (γ = 0)": {"decay": 0.0, "strength": 0.7},
        "Perfect memory (γ = 1)": {"decay": 1.0, "strength": 0.05},
    },
    challenges=(
        Challenge(
            "make the neuron fire at every single step.",
            lambda state, numbers: bool(numbers.membrane.spikes.all()),
            {"strength": 2.0},
            "The input alone is above the threshold at each step; the membrane has nothing left to remember.",
        ),
        Challenge(
            "let it fire exactly once in the 100 steps.",
            lambda state, numbers: int(numbers.membrane.spikes.sum()) == 1,
            {"decay": 1.0, "strength": 0.01, "threshold": 0.6},
            "One spike needs a membrane that gathers slowly and forgets little.",
        ),
        Challenge(
            "keep it silent although it forgets nothing (γ = 1) and the input is not zero.",
            lambda state, numbers: (
                state["decay"] == 1.0 and state["strength"] > 0 and not bool(numbers.membrane.spikes.any())
            ),
            {"decay": 1.0, "strength": 0.01, "threshold": 2.0},
            "Without a leak any input reaches the threshold in the end; here the recording ends before.",
        ),
    ),
    place=Place(("a b",), (2.0, 1.0)),
)
