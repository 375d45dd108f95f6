"""The lesson of the panel Forgetting."""

from widgets.frame.lesson import Challenge, Lesson

LESSON = Lesson(
    question="What is left of the first task when the fifth has been learned?",
    first="Start a run, then start another with a different method.",
    see="One row for each task learned: read a column downwards to see a task fade. Below, the same as curves.",
    why="A network that learns one thing after another forgets, by default, nearly everything it could. Protecting "
    "directions keeps it.",
    main=("method", "stream", "tasks"),
    presets={
        "CODE-CL": {},
        "Fine-tuning: no protection": {"method": "fine-tuning", "stream": "pairs of clothes"},
        "Replay: some old samples": {"method": "replay", "stream": "pairs of clothes"},
        "All tasks at once (upper limit)": {"method": "joint training"},
    },
    challenges=(
        Challenge(
            "set up the run that forgets most.",
            lambda state, numbers: state["method"] == "fine-tuning" and state["stream"] == "pairs of clothes",
            {"method": "fine-tuning", "stream": "pairs of clothes"},
            "Plain training on pairs of clothes: start it, and compare with CODE-CL.",
        ),
    ),
    beside=True,
)
