"""What a mix costs by formula: the formulas of the rules taken apart into their answers in time and in space.

For one sample, M_l multiply-accumulate operations (MACs) of layer l for one step, N_l neurons, C classes, T steps, K of
which learn; hidden layers are those between the input and the readout. MACs are the sum of two parts:

    weight gradient   instant K Σ M     traces 2 K Σ M    e-prop (T + K) Σ M    BPTT T Σ M
    learning signal   through the layers K Σ M            direct feedback, target projection K C Σ N_hidden
                      waves 2 K C Σ N_hidden              local classifiers 3 K C Σ N_hidden      reward K Σ N_hidden
                      (BPTT has T for K)

    values kept       instant Σ N       traces 2 Σ N      e-prop Σ N + Σ M      BPTT T Σ N,
                      in pieces of k steps (k + T / k) Σ N

So S-TLLR, TESS, e-prop and BPTT come out as their own files have them. A core or a list of events keeps less of the
inputs than is counted here; how much less depends on the data.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from workbench.checks import COUNT, check_number
from workbench.mixes import (
    BPTT_GRAPH,
    CHECKPOINT,
    CLASSIFIER,
    DFA,
    DRTP,
    EPROP,
    INSTANT,
    LLS_M,
    LLS_MXM,
    LLS_SPACE,
    REWARD_SPACE,
    SDFA,
    TESS_SPACE,
    TRACES,
    Mix,
)
from workbench.mixes.memory import ALL
from workbench.rule import BYTES, Cost, LayerSize

PRODUCTS = {DFA.name: 1, SDFA.name: 1, DRTP.name: 1, CLASSIFIER.name: 3}  # with C numbers for each hidden neuron
PRODUCTS |= {space.name: 2 for space in (LLS_SPACE, LLS_M, LLS_MXM, TESS_SPACE)}


class MixCost(NamedTuple):
    """MACs and bytes of one sample; at_most: the memory of the mix keeps less than that, by how much the data say."""

    cost: Cost
    at_most: bool


def mix_cost(
    mix: Mix, sizes: Sequence[LayerSize], steps: int, learning_steps: int | None = None, at_once: int = 4
) -> MixCost:
    """By formula, for the input and all layers of `sizes` (`layer_sizes`, `dense_sizes`), the readout last.

    >>> from workbench.cost import dense_sizes
    >>> from workbench.mixes import mix_named
    >>> mix_cost(mix_named("traces+tess"), dense_sizes(10, 4, 2, 3), steps=20).cost
    Cost(macs=3680, memory=168)
    """
    for name, value in (("steps", steps), ("at_once", at_once)):
        check_number(value, name, COUNT)
    K, T = learning_steps or steps, steps
    macs, neurons = sum(size.macs for size in sizes), sum(size.neurons for size in sizes)
    weight = {INSTANT.name: K, TRACES.name: 2 * K, EPROP.name: T + K, BPTT_GRAPH.name: T}[mix.time.name] * macs
    signal = _signal(mix, sizes, T if mix.time.name == BPTT_GRAPH.name else K)
    pieces = at_once + math.ceil(T / at_once)
    kept = {
        INSTANT.name: neurons,
        TRACES.name: 2 * neurons,
        EPROP.name: neurons + macs,
        BPTT_GRAPH.name: neurons * (pieces if mix.memory == CHECKPOINT else T),
    }[mix.time.name]
    return MixCost(Cost(weight + signal, BYTES * kept), mix.memory not in (ALL, CHECKPOINT))


def _signal(mix: Mix, sizes: Sequence[LayerSize], steps: int) -> int:
    """MACs of the learning signal."""
    hidden, classes = sum(size.neurons for size in sizes[1:-1]), sizes[-1].neurons
    if mix.space.name == REWARD_SPACE.name:
        return steps * hidden
    products = PRODUCTS.get(mix.space.name)
    return steps * (sum(size.macs for size in sizes) if products is None else products * classes * hidden)
