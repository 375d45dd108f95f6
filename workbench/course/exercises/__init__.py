"""Checks of the notebooks' exercises: an answer is compared with the right one and with the usual mistakes.

`check_*` functions take the student's function, try it on small inputs, and return one sentence: right, or the name of
the mistake that gives exactly these numbers, or where the first difference lies.
"""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.course.exercises.compression import check_low_rank_gradient, check_protected_gradient
    from workbench.course.exercises.continual import check_backward_transfer, check_conceptor, check_projected_step
    from workbench.course.exercises.diagnosis import NOT_YET, Answer, diagnose
    from workbench.course.exercises.learning_in_space import (
        check_local_in_time,
        check_local_signal,
        check_signal_macs,
        check_tess_update,
        check_wave,
    )
    from workbench.course.exercises.learning_in_time import check_endpoint_error, check_recurrent_trace, check_sign
    from workbench.course.exercises.mixes import check_trains
    from workbench.course.exercises.spikes import check_eligibility, check_lif, check_trace, check_window

__all__ = [
    "NOT_YET",
    "Answer",
    "check_backward_transfer",
    "check_conceptor",
    "check_eligibility",
    "check_endpoint_error",
    "check_lif",
    "check_local_in_time",
    "check_local_signal",
    "check_low_rank_gradient",
    "check_projected_step",
    "check_protected_gradient",
    "check_recurrent_trace",
    "check_sign",
    "check_signal_macs",
    "check_tess_update",
    "check_trace",
    "check_trains",
    "check_wave",
    "check_window",
    "diagnose",
]

lazy(__name__)
