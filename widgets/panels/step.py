"""`StepByStep`: one weight update of each of the five rules, stage by stage: played, dragged or stepped through."""

from functools import lru_cache
from typing import Any

from widgets.drawing.formula import Formula
from widgets.frame.controls import button, choice, whole_slider
from widgets.frame.panel import Panel
from widgets.frame.player import Player
from widgets.lessons.step import STEP
from widgets.panels.step_pictures import draw_tiles, matrices_figure, rounds_figure
from widgets.panels.step_words import EQUATIONS, Look, sentence, with_numbers
from workbench.language import say
from workbench.watch.one_update import INPUTS, NEURONS, ROUNDS, UPDATES, OneUpdate

PERIOD = 0.8  # seconds that a stage is shown while the update is played
LAST = 6 * ROUNDS - 1
RULES = {"S-TLLR": "stllr", "TESS": "tess", "LLS": "lls", "CODE-CL": "code-cl", "LANCE": "lance"}


@lru_cache(maxsize=64)
def one_update(rule: str, number: int) -> OneUpdate:
    """The update of a rule on a problem, computed once."""
    return UPDATES[rule](number)


class StepByStep(Panel):
    """One update as a timeline of 24 stages: the tiles of every number so far, the equation, the sentence.

    Controls: rule, at (the stage), neuron and input (which weight is looked at), problem, and the buttons back, play
    and forward.
    """

    name = "step"
    title = "Step by step"
    lesson = STEP

    def __init__(self, **state: Any) -> None:
        self.rounds, self.matrices = rounds_figure(), matrices_figure()
        self.formula = Formula(alt="The equations of the rule; the term that acts now is marked")
        controls = _controls()
        for name, stages in (("back", -1), ("forward", 1)):
            controls[name].on_click(lambda _, stages=stages: self.go(stages))
        self.player = Player(controls["at"], controls["play"], lambda: PERIOD)
        super().__init__(controls, [self.rounds, self.matrices, self.formula], state)

    def go(self, stages: int) -> None:
        """So many stages on, or back; not beyond the ends."""
        self.controls["at"].value = min(max(self.controls["at"].value + stages, 0), LAST)

    def compute(self, rule: str, at: int, neuron: int, input: int, problem: int) -> Look:
        update = one_update(rule, problem)
        return Look(update, update.stages[at], update.seen(at), neuron - 1, input - 1)

    def draw(self, numbers: Look) -> None:
        rule = self.values["rule"]
        draw_tiles(self.rounds, self.matrices, rule, numbers)
        first, *others = EQUATIONS[rule]
        self.formula.show([say(first), with_numbers(rule, numbers), *map(say, others)], numbers.stage.name)
        at = self.values["at"]
        self.controls["back"].disabled, self.controls["forward"].disabled = at == 0, at == LAST

    def describe(self, numbers: Look) -> str:
        return sentence(self.values["rule"], numbers)

    def source(self, rule: str, at: int, neuron: int, input: int, problem: int) -> str:
        return f"""
            from workbench.watch import UPDATES

            update = UPDATES["{rule}"]({problem})
            stage = update.stages[{at}]
            print("round", stage.place + 1, "finds", stage.name)
            for name, values in stage.found.items():
                print(name, values)
            change = float(update.total({at})[{neuron - 1}, {input - 1}])
            print("change of the weight from input {input} to neuron {neuron} so far:", change)
        """


def _controls() -> dict[str, Any]:
    return {
        "rule": choice("rule", RULES, "whose update is made"),
        "at": whole_slider("stage", 11, 0, LAST, "how far the update has come: six stages in each of four rounds"),
        "neuron": whole_slider("neuron i", 1, 1, NEURONS, "where the weight that is looked at ends"),
        "input": whole_slider("input j", 1, 1, INPUTS, "where the weight that is looked at begins"),
        "problem": whole_slider("problem", 0, 0, 9, "other inputs, weights and labels"),
        "back": button("Back", "one stage back", "step-backward"),
        "play": button("Play", "walk through the stages by itself, or hold", "play"),
        "forward": button("Next", "one stage on", "step-forward"),
    }
