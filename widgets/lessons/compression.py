"""The lesson of the panel Compression."""

from widgets.frame.lesson import Challenge, Lesson, Place

COMPRESSION: Lesson = Lesson(
    question="How little of an activation is enough to learn from it?",
    first="Lower the energy ε and watch the channels blur while the gradient keeps its direction.",
    see="A mode is one way to slice the activation: by sample, by channel, by row or by column of the picture. The "
    "energy ε is the share of its squared size that each cut mode keeps. Left an image and its channels before and "
    "after, then the singular values, then what is saved and the cosine of the gradient with the exact one.",
    why="LANCE keeps a small core (a Tucker decomposition) of each activation in place of all of it. Fine-tuning "
    "then fits on devices that could not hold the activations.",
    main=("energy", "batch", "space"),
    presets={
        "As LANCE trains": {},
        "Only the channels are cut": {"space": False},
        "The batch is cut too": {"batch": True},
        "Nearly everything kept": {"energy": 0.99},
    },
    challenges=(
        Challenge(
            "keep at least 100 times less with a gradient whose cosine stays above 0.8.",
            lambda state, numbers: _factor(numbers) >= 100 and numbers.finding.cosine > 0.8,
            {"energy": 0.6},
            "The activation is badly restored and the gradient hardly suffers: it needs only the main directions.",
        ),
        Challenge(
            "bring the cosine above 0.99.",
            lambda state, numbers: numbers.finding.cosine > 0.99,
            {"energy": 0.99},
            "The last per cent of the energy costs most of the memory.",
        ),
    ),
    place=Place(("a b c",), (1.4, 1.0, 1.0)),
)


def _factor(numbers) -> float:
    return numbers.finding.input_bytes / numbers.finding.kept_bytes
