"""Learning rules, one file each; `RULES` describes them all."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from workbench.rules import (
        backprop,
        bptt,
        direct_feedback,
        drtp,
        eprop,
        feedback_alignment,
        forward_forward,
        lls,
        local_classifier,
        ndot,
        ottt,
        stdp,
        stllr,
        tess,
        tp,
    )
    from workbench.rules.bptt import BPTT
    from workbench.rules.catalogue import RULES, rule_named, rule_of_form
    from workbench.rules.direct_feedback import DirectFeedback
    from workbench.rules.eprop import EProp
    from workbench.rules.feedback_alignment import FeedbackAlignment
    from workbench.rules.forward_forward import ForwardForward, goodness_logits
    from workbench.rules.lls import (
        LLS,
        local_head,
        local_signal,
        mixing,
        per_class,
        random_head,
        synchrony_by_block,
        unmodulated,
    )
    from workbench.rules.ndot import NDOT
    from workbench.rules.ottt import OTTT
    from workbench.rules.stdp import STDP
    from workbench.rules.stllr import STLLR
    from workbench.rules.tess import TESS, Head, make_heads
    from workbench.rules.tp import TP

__all__ = [
    "BPTT",
    "LLS",
    "NDOT",
    "OTTT",
    "RULES",
    "STDP",
    "STLLR",
    "TESS",
    "TP",
    "DirectFeedback",
    "EProp",
    "FeedbackAlignment",
    "ForwardForward",
    "Head",
    "backprop",
    "bptt",
    "direct_feedback",
    "drtp",
    "eprop",
    "feedback_alignment",
    "forward_forward",
    "goodness_logits",
    "lls",
    "local_classifier",
    "local_head",
    "local_signal",
    "make_heads",
    "mixing",
    "ndot",
    "ottt",
    "per_class",
    "random_head",
    "rule_named",
    "rule_of_form",
    "stdp",
    "stllr",
    "synchrony_by_block",
    "tess",
    "tp",
    "unmodulated",
]

lazy(__name__)
