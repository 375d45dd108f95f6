"""The lesson of the panel Results."""

from widgets.frame.lesson import Challenge, Lesson, Place

RESULTS: Lesson = Lesson(
    question="Do the papers' numbers come out again?",
    first="Choose a paper, and look for rows in which our mark lies beside the grey band.",
    see="First each claim of the paper: its number (diamond) beside ours, mean ± standard deviation, and the grey band "
    "that counts as reproduced; the band is our choice. Then what a rule reaches against what it costs: on the red "
    "line no other one reaches more for less.",
    why="A claim is worth as much as the runs behind it. What is shown was trained here, on smaller data than the "
    "papers'.",
    main=("paper", "measure", "seeds"),
    presets={
        "S-TLLR beside BPTT": {},
        "LLS: how far from backpropagation": {"paper": "LLS"},
        "TESS: what it costs": {"paper": "TESS", "measure": "cost and error, ratio"},
        "CODE-CL: what was not run": {"paper": "CODE-CL", "measure": "not run, hours"},
        "LANCE: products": {"paper": "LANCE", "cost": "products"},
    },
    challenges=(
        Challenge(
            "find a claim about cost that is missed by more than a hundred times.",
            lambda state, numbers: any(each.short > 100 for each in numbers.rows),
            {"paper": "LLS", "measure": "cost and error, ratio"},
            "The paper counts the products of the error signal alone; an update needs forward and weight products too.",
        ),
        Challenge(
            "find the paper whose missing rows would take longest.",
            lambda state, numbers: state["measure"] == "not run, hours" and numbers.longest,
            {"paper": "TESS", "measure": "not run, hours"},
            "Four data sets with three values of α_post each, for hundreds of epochs: not a matter of an evening.",
        ),
        Challenge(
            "find a claim for which one seed would have told the opposite of the mean.",
            lambda state, numbers: (
                state["seeds"] and any(min(each.values) < 0 < each.mean and each.verdict for each in numbers.rows)
            ),
            {"seeds": True},
            "S-TLLR leads BPTT on voices by points, yet with one of five seeds it is behind.",
        ),
    ),
    place=Place(("a b",), (1.15, 1.0)),
)
