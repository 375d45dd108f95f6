"""Time: what a synapse remembers.

instant   e[t] = ψ[t] x[t]                          nothing of the past
traces    α_pre ψ q + α_post x h                    S-TLLR's, causal and non-causal
eprop     ē[t] = κ ē[t−1] + ψ[t] q[t]               a number for each synapse, filtered as the readout filters
bptt      the graph through all steps               what a layer is told goes back through all its steps
"""

from functools import partial

from workbench.credit.signals import Signal
from workbench.mixes.axes import Time
from workbench.neurons.traces import Factors
from workbench.rule import Prepared, Steps
from workbench.rules import bptt, eprop, stllr
from workbench.rules.bptt import BPTT
from workbench.rules.eprop import EProp
from workbench.rules.stllr import STLLR

NO_PAST = Factors(lambda_post=0.0, lambda_pre=0.0, alpha_post=0.0, alpha_pre=1.0)


def with_factors(signal: Signal, steps: Steps, factors: stllr.LayerFactors | Factors = Factors()) -> Prepared:
    """S-TLLR's eligibility with these factors, or those that a function gives for each layer."""
    return stllr.prepared(STLLR(factors, steps.last, chunk=steps.at_once, signal=signal))


def filtered(signal: Signal, steps: Steps) -> Prepared:
    """e-prop's eligibility."""
    params = EProp(steps.last, signal)
    return Prepared(partial(eprop.gradients, params=params), partial(eprop.online, params=params))


def unrolled(signal: Signal, steps: Steps) -> Prepared:
    """The graph through time."""
    return Prepared(partial(bptt.gradients, params=BPTT(steps.last, signal=signal)))


INSTANT: Time = Time("instant", "one instant", partial(with_factors, factors=NO_PAST), for_blocks=True)
TRACES: Time = Time("traces", "S-TLLR traces", with_factors)
EPROP: Time = Time("eprop", "e-prop's filtered eligibility", filtered)
BPTT_GRAPH: Time = Time("bptt", "unrolled graph (BPTT)", unrolled)
TIMES: tuple[Time, ...] = (INSTANT, TRACES, EPROP, BPTT_GRAPH)
