"""The lesson of the panel Timing."""

from widgets.frame.lesson import Challenge, Lesson, Place

STDP: Lesson = Lesson(
    question="Does a post spike that comes late weaken the synapse?",
    first="Drag a post spike to the other side of a pre spike.",
    see="Each pair of spikes is one diamond on the window; the weight below goes up or down where the pair is "
    "complete.",
    why="This window is what experiments find in real synapses. S-TLLR turns it into a rule for training, with two "
    "traces in place of all pairs.",
    main=("rule", "pre_1", "post_1"),
    presets={
        "Classical STDP": {},
        "Causal pairs only": {"non_causal": False},
        "S-TLLR, as for events (α_post = −0.2)": {"rule": "S-TLLR", "alpha_post": -0.2},
        "Nearness in time (α_post = +1)": {"rule": "S-TLLR", "alpha_post": 1.0},
        "Short memory before, long after": {"tau_plus": 5.0, "tau_minus": 45.0},
    },
    challenges=(
        Challenge(
            "make the weight change zero (less than 0.01) although both neurons fire and both terms are on.",
            lambda state, numbers: (
                state["causal"]
                and state["non_causal"]
                and min(len(numbers.pre), len(numbers.post)) > 0
                and abs(float(numbers.by_pairs[-1])) < 0.01
                and float(numbers.pair_changes.abs().max()) > 0.05
            ),
            {"pre_1": 40, "pre_2": 60, "post_1": 50, "post_2": 50},
            "What one pair adds, another takes away: the weight says nothing of how much happened.",
        ),
        Challenge(
            "weaken the synapse by more than 1.",
            lambda state, numbers: float(numbers.by_pairs[-1]) < -1,
            {"pre_1": 60, "pre_2": 62, "post_1": 55, "post_2": 57},
            "Every post spike came before its pre spike: it cannot have been caused by it.",
        ),
        Challenge(
            "find a rule for which the order does not matter, only how near the spikes are.",
            lambda state, numbers: (
                float(numbers.window.min()) > 0
                and float((numbers.window[:60] - numbers.window[61:].flip(0)).abs().max()) < 0.1
            ),
            {"rule": "S-TLLR", "alpha_post": 1.0},
            "With α_post = +1 both sides strengthen. S-TLLR found that such windows can serve as well.",
        ),
    ),
    place=Place(("a b",), (1.0, 1.0)),
)
