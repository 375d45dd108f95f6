"""Exercises of notebook 00."""

from workbench.course.exercises.question import Option, Question

FOUR_QUESTIONS = Question(
    name="four_questions",
    notebook=0,
    title="Which question?",
    text="Backpropagation through time answers all four questions in the usual way. S-TLLR with backpropagation within "
    "the step gives one of them another answer. Which?",
    answers=(
        Option(
            "Space", "errors still come from the layers above: backpropagation within the step is the usual answer."
        ),
        Option("Time"),
        Option("Memory", "each layer still keeps its whole input for the weight gradient; LANCE would cut it."),
        Option("Direction", "weights may still move anywhere; CODE-CL and LANCE restrict where."),
    ),
    reasons=(
        Option("each layer hears from a fixed wave", "that is LLS's and TESS's answer in space, not S-TLLR's."),
        Option("a small core of the input is kept", "that is LANCE's answer about memory."),
        Option("a synapse keeps a fading trace instead of the unrolled past"),
        Option("old tasks are protected", "S-TLLR knows nothing of tasks."),
    ),
    hints=(
        "Go through the table of notebook 00 line by line: who tells, what is kept, where, and what is remembered?",
        "“Within the step” says that the errors of one step do come from above. So it is not space.",
        "The name says it: T is for timing. What does a synapse remember of it?",
    ),
)

EXERCISES = (FOUR_QUESTIONS,)
