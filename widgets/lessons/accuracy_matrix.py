"""The lesson of the panel Forgetting."""

from widgets.frame.lesson import Challenge, Lesson, Place
from workbench.continual.metrics import backward_transfer

ACCURACY_MATRIX: Lesson = Lesson(
    question="What is left of the first task when the fifth has been learned?",
    first="Start a run, then start another with a different method.",
    see="One row for each task learned: read a column downwards to see a task fade. Beside it the same as curves, "
    "and the clothes: a class that the network takes for another loses its tick.",
    why="A network that learns one thing after another forgets, by default, nearly everything it could. Protecting "
    "directions keeps it.",
    main=("method", "stream", "tasks"),
    presets={
        "Fine-tuning: no protection": {},
        "CODE-CL: conceptors": {"method": "CODE-CL"},
        "Replay: some old samples": {"method": "replay"},
        "All tasks at once (upper limit)": {"method": "joint training"},
        "Permuted pixels": {"stream": "permuted pixels", "method": "CODE-CL"},
    },
    challenges=(
        Challenge(
            "start a run, and then another that loses less than 2 points (BWT) of what it had learned.",
            lambda state, numbers: numbers.learned == len(numbers.A) and backward_transfer(numbers.A) > -0.02,
            {"method": "CODE-CL"},
            "The first tasks stay where they were: their directions were kept free of later steps.",
            runs=True,
        ),
    ),
    place=Place(("a b", "a c"), rows=(1.0, 1.1)),
)
