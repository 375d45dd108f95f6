"""The two factors of a local rule: what a synapse remembers (eligibility), who tells it what was wrong (signals)."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.credit import bases, stepwise
    from workbench.credit.bases import (
        Basis,
        CloseRowsWarning,
        Closest,
        check_rows,
        closest_rows,
        judge_rows,
        row_cosines,
        synchrony,
    )
    from workbench.credit.block_pass import local_pass
    from workbench.credit.classifier import learn_from_outputs, train_classifier
    from workbench.credit.eligibility import Form, Traces, activation, past_spikes, run_layer
    from workbench.credit.signals import (
        BACKPROPAGATION,
        READOUT_ONLY,
        Local,
        Loss,
        Mask,
        Signal,
        Spikes,
        backpropagate,
        direct_feedback,
        direct_feedback_through,
        feedback_alignment,
        layer_shapes,
        local_classifiers,
        make_classifiers,
        masked_loss,
        sign_feedback,
        summed_cross_entropy,
        target_projection,
    )
    from workbench.credit.stepwise import Ran, Step, Stepwise, attach
    from workbench.credit.three_factor import OnlinePass, as_leaves, learning_chunks, through_standardisation

__all__ = [
    "BACKPROPAGATION",
    "READOUT_ONLY",
    "Basis",
    "CloseRowsWarning",
    "Closest",
    "Form",
    "Local",
    "Loss",
    "Mask",
    "OnlinePass",
    "Ran",
    "Signal",
    "Spikes",
    "Step",
    "Stepwise",
    "Traces",
    "activation",
    "as_leaves",
    "attach",
    "backpropagate",
    "bases",
    "check_rows",
    "closest_rows",
    "direct_feedback",
    "direct_feedback_through",
    "feedback_alignment",
    "judge_rows",
    "layer_shapes",
    "learn_from_outputs",
    "learning_chunks",
    "local_classifiers",
    "local_pass",
    "make_classifiers",
    "masked_loss",
    "past_spikes",
    "row_cosines",
    "run_layer",
    "sign_feedback",
    "stepwise",
    "summed_cross_entropy",
    "synchrony",
    "target_projection",
    "through_standardisation",
    "train_classifier",
]

lazy(__name__)
