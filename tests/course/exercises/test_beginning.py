"""The exercise of notebook 00."""

from workbench.course.exercises.beginning import FOUR_QUESTIONS
from workbench.mixes import AXES, mix_named


def test_stllr_differs_from_bptt_in_time_alone():
    bptt, ours = mix_named("bptt"), mix_named("traces+backprop")
    differ = [axis for (axis, _), one, other in zip(AXES, bptt, ours, strict=True) if one != other]
    assert differ == ["time"]
    assert FOUR_QUESTIONS.lettered[FOUR_QUESTIONS.right[0]].text == "Time"
