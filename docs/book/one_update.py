"""One update of a rule as a list of stages: at each, the equation with the term that acts, its numbers, a sentence.

The numbers are those of the panel "Step by step", computed when the book is built. Without a script the stages stand
below one another; `static/book.js` shows one at a time.
"""

import html

from widgets.drawing.formula import lit
from widgets.panels.step_words import EQUATIONS, Look, sentence, with_numbers
from workbench.watch import UPDATES


def one_update(rule: str, problem: int = 0) -> str:
    """The stages as HTML, for the weight that this update moves most."""
    update = UPDATES[rule](problem)
    i, j = divmod(int(update.total().abs().argmax()), update.weight.shape[1])
    first, *others = EQUATIONS[rule]
    stages = []
    for at, stage in enumerate(update.stages):
        look = Look(update, stage, update.seen(at), i, j)
        lines = [first, with_numbers(rule, look), *others]
        formula = "".join(f"<p>{lit(line, stage.name)}</p>" for line in lines)
        told = html.escape(sentence(rule, look), quote=False)
        stages.append(f'<li><div class="workbench-formula" tabindex="0">{formula}</div><p>{told}</p></li>')
    shape = "×".join(map(str, update.weight.shape))
    about = (
        f"A layer of {shape} weights, the one from input {j + 1} to neuron {i + 1}: the term that acts is marked. "
        "The app shows the same with all numbers, for any weight: panel “Step by step”."
    )
    return f'<div class="one-update">\n<p>{about}</p>\n<ol>\n' + "\n".join(stages) + "\n</ol>\n</div>"
