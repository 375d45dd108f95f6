"""Exercises of notebook 15: which answers fit together."""

import itertools
from functools import cache
from typing import Any

from workbench.course.exercises.design import Design, Goal, OneOf
from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.written import Mistake, Written
from workbench.language import say
from workbench.mixes import DIRECTIONS, KINDS, MEMORIES, SPACES, TIMES, mix_named, refusal


@cache
def why_not(time: str, memory: str, network: str) -> str | None:
    """Why TESS's signal with these answers does not train this kind of network; None where it does."""
    return refusal(mix_named(f"{time}+tess+{memory}"), network)


def trains(time: str, memory: str, network: str) -> bool:
    """Whether it does."""
    return why_not(time, memory, network) is None


def told(time: str, memory: str, network: str) -> str:
    """The verdict on one mix in words."""
    refused = why_not(time, memory, network)
    verdict = say("trains.") if refused is None else say("does not train: {refused}.", refused=refused)
    return say(
        "with {time!r} and {memory!r} a network of kind {network!r} {verdict}",
        time=time,
        memory=memory,
        network=network,
        verdict=verdict,
    )


TRAINS = Written(
    name="trains",
    notebook=15,
    title="What will be refused?",
    right=trains,
    mistakes=(
        Mistake("said what is refused", "this says what is refused; say what trains.",
                lambda t, m, n: not trains(t, m, n)),
        Mistake("let blocks of waves wait",
                "TESS's waves teach each block as soon as it has run: in blocks nothing waits to be computed twice.",
                lambda t, m, n: trains(t, m, n) or (t, m, n) == ("instant", "checkpoint", "blocks")),
        Mistake("let traces wait for a gradient",
                "only the unrolled graph waits for its gradient; with other memories in time nothing can be computed "
                "twice.",
                lambda t, m, n: trains(t, m, n) or (m == "checkpoint" and n != "blocks")),
        Mistake("refused e-prop on fixed bases",
                "e-prop's traces follow LANCE's bases, which stay; only what changes from step to step is refused.",
                lambda t, m, n: trains(t, m, n) and (t, m) != ("eprop", "lance")),
        Mistake("let e-prop carry convolutions",
                "e-prop carries a number for every synapse and sample; a convolution has too many of them.",
                lambda t, m, n: trains(t, m, n) or (n == "convolutional" and trains(t, m, "dense"))),
        Mistake("gave blocks a past", "blocks answer in one step: there is no past for anything but 'instant'.",
                lambda t, m, n: trains("instant" if n == "blocks" else t, m, n)),
        Mistake("gave blocks events", "blocks have no events: after LeakyReLU hardly any activation is 0.",
                lambda t, m, n: trains(t, m, n) or (t, m, n) == ("instant", "events", "blocks")),
        Mistake("let e-prop follow bases that change",
                "bases of hosvd and asi change from step to step: a number for every synapse cannot follow them.",
                lambda t, m, n: trains(t, m, n) or (t == "eprop" and m in ("hosvd", "asi") and trains(t, "all", n))),
        Mistake("gave e-prop events", "traces of inputs are not zero where the input is: events keep too little for "
                                      "e-prop.",
                lambda t, m, n: trains(t, m, n) or (t == "eprop" and m == "events" and trains(t, "all", n))),
        Mistake("always said yes", "you always say True: some answers do not fit together.", lambda t, m, n: True),
        Mistake("always said no", "you always say False: most answers fit together.", lambda t, m, n: False),
        Mistake("refused every checkpoint", "an unrolled graph does wait: 'bptt' with 'checkpoint' trains.",
                lambda t, m, n: trains(t, m, n) and m != "checkpoint"),
        Mistake("refused blocks", "blocks train too, with 'instant'.",
                lambda t, m, n: trains(t, m, n) and n != "blocks"),
        Mistake("refused e-prop", "e-prop trains dense and recurrent networks.",
                lambda t, m, n: trains(t, m, n) and t != "eprop"),
        Mistake("looked at the memory only", "time and network matter too: who has a past, what is carried?",
                lambda t, m, n: m in ("all", "lance")),
        Mistake("looked at the time only", "memory and network matter too.", lambda t, m, n: t == "instant"),
    ),
    trials=lambda: list(itertools.product((t.name for t in TIMES), (m.name for m in MEMORIES), KINDS)),
    hints=(
        "Go by the network first: blocks have one step and no past.",
        "Then 'checkpoint': what waits for its gradient? Only an unrolled graph. Then e-prop: what can a number for "
        "every "
        "synapse follow?",
        "blocks: 'instant' without checkpoint and events. checkpoint: 'bptt' only. eprop: no convolution, 'all' or "
        "'lance'.",
    ),
    reason=told,
)  # fmt: skip


def described(time: str, space: str, memory: str, direction: str) -> dict[str, Any]:
    """What a mix on a recurrent network of 200 neurons keeps for learning one recording of 100 steps, in float32 bytes.

    Inputs: 100 numbers a step, 2 % of them spikes (4 bytes each as events), or a core of a tenth of the numbers.
    """
    refused = refusal(mix_named(f"{time}+{space}+{memory}+{direction}"), "recurrent")
    steps = 100 if time == "bptt" else 1
    share = {"all": 1.0, "checkpoint": 0.2, "events": 0.02}.get(memory, 0.1)
    carried = {"instant": 2 * 200, "traces": 2 * 200 + 100 + 2 * 200, "eprop": 2 * 200 + 200 * 301}.get(time, 0)
    kept = round(4 * (carried + steps * (300 * share + 2 * 200)))
    return {"refused": refused or "", "bytes": kept, "past": time != "instant", "space": space,
            "protected": direction != "anywhere"}  # fmt: skip


_LOCAL = tuple(space.name for space in SPACES if space.local)

MIX = Design(
    name="mix",
    notebook=15,
    title="A mix for a small device",
    settings={
        "time": OneOf(tuple(time.name for time in TIMES)),
        "space": OneOf(tuple(space.name for space in SPACES)),
        "memory": OneOf(tuple(memory.name for memory in MEMORIES)),
        "direction": OneOf(tuple(direction.name for direction in DIRECTIONS)),
    },
    measure=described,
    goals=(
        Goal("chose what does not fit", "this mix does not train: {refused}.", lambda found: not found["refused"]),
        Goal("gave up the past", "an answer that knows one instant only cannot learn what comes late; give it a "
                                 "memory in time.",
             lambda found: found["past"]),
        Goal("sent errors from above", "the signal {space} comes from other layers, or waits for them; no layer may "
                                       "ask another.",
             lambda found: found["space"] in _LOCAL),
        Goal("let old tasks go", "nothing is protected: old tasks will be forgotten.",
                lambda found: found["protected"]),
        Goal("kept every step or every synapse", "{bytes:,} bytes are kept; the budget is 5,600. Does anything grow "
                                                 "with the "
             "steps or with the synapses?", lambda found: found["bytes"] <= 20_000),
        Goal("went over the budget", "{bytes:,} bytes are kept; the budget is 5,600. What is kept of the inputs?",
             lambda found: found["bytes"] <= 5600),
    ),
    hints=(
        "One question after the other: a past, a signal of one's own, little kept of the input, old tasks protected.",
        "Traces hold one number per neuron. Which signals does a layer make by itself? See the table of notebook 15.",
        "traces, a signal that is local (tess, lls or a classifier), lance or events, any direction but anywhere.",
    ),
)  # fmt: skip

WHY_REFUSED = Question(
    name="why_refused",
    notebook=15,
    title="A pair that does not fit",
    text="e-prop on a dense spiking network shall keep its inputs as a core whose bases are found anew at each step "
    "(hosvd). "
    "Does it train?",
    answers=(
        Option("yes: memory and time are independent", "nearly always; here the two meet."),
        Option("yes, but it is no longer exact", "nothing is trained at all: it is refused before the first step."),
        Option("no"),
        Option("only with a larger rank", "the rank is not what is in the way."),
    ),
    reasons=(
        Option("e-prop needs the whole input", "with bases that stay, as LANCE's, a core is enough for it."),
        Option("a number carried for every synapse belongs to the bases of its own step, and these change"),
        Option("a core is larger than the input", "it is smaller."),
        Option("spikes cannot be decomposed", "any table of numbers can."),
    ),
    hints=(
        "What does e-prop carry from step to step, and in which coordinates?",
        "A number for every synapse; with a core, for every direction of the bases. What if these turn?",
        "refusal(mix_named('eprop+backprop+hosvd'), 'dense') says it.",
    ),
)

EXERCISES = (TRAINS, MIX, WHY_REFUSED)
