"""Checks of the exercises on mixes; see `workbench.course.exercises`."""

import itertools

from workbench.course.exercises.diagnosis import Answer, diagnose
from workbench.mixes import KINDS, MEMORIES, TIMES, mix_named, refusal


def check_trains(answer: Answer) -> str:
    """Exercise: `trains(time, memory, network)` says whether TESS's signal with these answers, given by name, trains a
    kind of network of `KINDS`."""

    def reason(time: str, memory: str, network: str) -> str | None:
        return refusal(mix_named(f"{time}+tess+{memory}"), network)

    def right(time: str, memory: str, network: str) -> bool:
        return reason(time, memory, network) is None

    mistakes = {
        "this says what is refused; say what trains.": lambda t, m, n: not right(t, m, n),
        "TESS's waves teach each block as soon as it has run: in blocks nothing waits to be computed twice.": (
            lambda t, m, n: right(t, m, n) or (t, m, n) == ("instant", "checkpoint", "blocks")
        ),
        "only the unrolled graph waits for its gradient; with other memories in time nothing can be computed twice.": (
            lambda t, m, n: right(t, m, n) or (m == "checkpoint" and n != "blocks")
        ),
        "e-prop's traces follow LANCE's bases, which stay; only what changes from step to step is refused.": (
            lambda t, m, n: right(t, m, n) and (t, m) != ("eprop", "lance")
        ),
        "e-prop carries a number for every synapse and sample; a convolution has too many of them.": (
            lambda t, m, n: right(t, m, n) or (n == "convolutional" and right(t, m, "dense"))
        ),
        "blocks answer in one step: there is no past for anything but 'instant'.": (
            lambda t, m, n: right("instant" if n == "blocks" else t, m, n)
        ),
    }
    trials = list(itertools.product((t.name for t in TIMES), (m.name for m in MEMORIES), KINDS))
    said = diagnose(answer, right, mistakes, trials)
    if "value number" not in said:
        return said
    time, memory, network = next(trial for trial in trials if float(answer(*trial)) != right(*trial))
    refused = reason(time, memory, network)
    verdict = "trains." if refused is None else f"does not train: {refused}."
    return f"Not yet: with {time!r} and {memory!r} a network of kind {network!r} {verdict}"
