"""The lesson of the panel Basis."""

from widgets.frame.lesson import Challenge, Lesson

BASIS: Lesson = Lesson(
    question="Can a layer learn from waves that nobody ever trained?",
    first="Choose another waveform and watch how alike the rows become; then look at one sample.",
    see="Each class has a wave of its own. A layer is right when its activity beats in step with the wave of the true "
    "class. The view of one sample shows the signal that pulls it there, that of training a network that learns so.",
    why="LLS gives each layer its own error without a backward pass and without weights for it: the waves are computed "
    "from the number of the class.",
    main=("view", "waveform", "classes", "share"),
    presets={
        "Square waves, as published": {},
        "Cosine waves": {"waveform": "cosine"},
        "Too many classes for the latents": {"classes": 256, "latents": 128},
        "A sample that is hardly in step": {"view": "one sample"},
        "A sample that has learned": {"view": "one sample", "share": 0.4},
        "Four blocks in training": {"view": "training"},
    },
    challenges=(
        Challenge(
            "find a basis in which two classes cannot be told apart.",
            lambda state, numbers: state["classes"] > state["latents"],
            {"classes": 256, "latents": 128},
            "More waves than latents: some must look alike when they are sampled so coarsely (aliasing).",
        ),
        Challenge(
            "bring all rows closer to a right angle: 512 latents or more with 10 classes.",
            lambda state, numbers: state["latents"] >= 512 and state["classes"] == 10,
            {"latents": 512},
            "Long waves of different frequency hardly resemble one another.",
        ),
    ),
)
