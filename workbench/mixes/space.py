"""Space: who tells a layer what was wrong, in a spiking network and in a network of blocks.

The signals are those of `workbench.credit`; LLS's, which the paper has for blocks, is taken here to the spikes of each
step, as TESS takes its own: latents are the layer's spikes, images pooled to 2 × 2 cells.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from workbench.credit.bases import build, square
from workbench.credit.reward import REWARD
from workbench.credit.signals import (
    BACKPROPAGATION,
    Mask,
    Signal,
    backpropagate,
    direct_feedback,
    feedback_alignment,
    local_classifiers,
    make_classifiers,
    sign_feedback,
    target_projection,
)
from workbench.mixes.axes import Space
from workbench.networks.blocks import HeadMaker
from workbench.networks.layers import SpikingLayer
from workbench.networks.seeded import seeded
from workbench.networks.spiking import spiking_layers
from workbench.rule import ForBlocks, Rule
from workbench.rules import (
    backprop,
    drtp,
    lls,
    local_classifier,
    reward,
    tess,
)
from workbench.rules import (
    direct_feedback as dfa,
)
from workbench.rules import (
    feedback_alignment as fa,
)
from workbench.rules.lls import LLS, LocalHead, local_head, local_signal

TESS_FORM = LLS(temperature=1.0, normalized=False)  # with B / √n: m = Bᵀ(softmax(B z) − y*)


def backpropagation(network: nn.Module, x: Float[Tensor, "..."], classes: int, seed: int) -> Signal:
    """Through all layers within the step."""
    return BACKPROPAGATION


def aligned(network: nn.Module, x: Float[Tensor, "..."], classes: int, seed: int) -> Signal:
    """Down through fixed random weights."""
    return feedback_alignment(network, seed)


def from_input(make: Callable[..., Signal]) -> Callable[[nn.Module, Tensor, int, int], Signal]:
    """For signals that need an input for the layers' shapes."""
    return lambda network, x, classes, seed: make(network, x, seed)


def classifiers(network: nn.Module, x: Float[Tensor, "..."], classes: int, seed: int) -> Signal:
    """A classifier of its own for each layer, kept there as `layer.head`."""
    with seeded(seed):
        heads = dict(zip(spiking_layers(network).values(), make_classifiers(network, x, classes), strict=True))
    for layer, head in heads.items():
        layer.head = head
    return local_classifiers(heads)


def tess_waves(network: nn.Module, x: Float[Tensor, "..."], classes: int, seed: int) -> Signal:
    """TESS's own: Bᵀ(softmax(B s) − y*)."""
    heads = tess.make_heads(network, x, classes, basis=tess.distinct)
    return tess.local_stllr(network, tess.TESS(heads)).signal


def lls_waves(modulation: lls.Modulation, network: Any, x: Float[Tensor, "..."], classes: int, seed: int) -> Signal:
    """LLS's: the direction of the layer's spikes compared with waves, each step on its own.

    What LLS-M and LLS-MxM train is kept as `layer.head`.
    """
    heads, trained = tess.make_heads(network, x, classes, basis=tess.distinct), {}
    for layer, head in heads.items():
        with seeded(seed):
            m = modulation(len(head.rows), classes)
        layer.head = None if m is None else nn.ParameterList([m]).to(head.rows)
        trained[layer] = None if layer.head is None else layer.head[0]

    def local(layer: SpikingLayer, z: Tensor, y: Tensor, learning: Mask = None) -> None:
        head, m = heads[layer], trained[layer]
        s, labels = tess.latents(z, head), y.expand(len(z), -1)
        s, labels = (s.flatten(0, 1), labels.flatten()) if learning is None else (s[learning], labels[learning])
        signal = local_signal(s.detach(), head.rows, labels, LLS(), lls.detached(m))
        share = len(labels) / len(y)  # a mean over the batch and a sum over the steps
        s.backward(signal.latents * share)
        if m is not None and signal.modulation is not None and m.requires_grad:
            m.backward(signal.modulation * share)

    return Signal(backpropagate, cut=True, local=local)


def scaled_head(classes: int) -> HeadMaker:
    """TESS's waves on a block: square waves / √n."""
    return lambda latents, index: LocalHead(build(square, classes, latents) / latents**0.5)


def with_rule(rule: Rule) -> Callable[[Any, Sequence[int], int], Rule]:
    """For rules that need nothing of a network."""
    return lambda network, input_shape, seed: rule


def signs(network: Any, input_shape: Sequence[int], seed: int) -> Rule:
    """sDFA on blocks."""
    params = dfa.direct_feedback(network, input_shape, seed)._replace(signs=True)
    return partial(dfa.gradients, params=params)


def blocks_of(module: Any) -> ForBlocks:
    """How a rule's file says that it trains blocks."""
    assert module.RULE.for_blocks is not None
    return module.RULE.for_blocks


def lls_blocks(modulation: lls.Modulation) -> ForBlocks:
    """LLS with this modulation."""
    return ForBlocks(with_rule(lls.gradients), partial(local_head, modulation=modulation))


BACKPROP: Space = Space("backprop", "backpropagation within the step", backpropagation, blocks_of(backprop))
FA: Space = Space("fa", "feedback alignment", aligned, blocks_of(fa))
DFA: Space = Space("dfa", "direct feedback (DFA)", from_input(direct_feedback), blocks_of(dfa))
SDFA: Space = Space("sdfa", "signs of errors (sDFA)", from_input(sign_feedback), ForBlocks(signs))
DRTP: Space = Space("drtp", "target projection (DRTP)", from_input(target_projection), blocks_of(drtp), local=True)
CLASSIFIER: Space = Space("classifier", "local classifier", classifiers, blocks_of(local_classifier), local=True)


def lls_space(name: str, label: str, modulation: lls.Modulation) -> Space:
    """A periodic basis with this modulation."""
    return Space(name, label, partial(lls_waves, modulation), lls_blocks(modulation), local=True)


LLS_SPACE: Space = lls_space("lls", "periodic basis (LLS)", lls.unmodulated)
LLS_M: Space = lls_space("lls-m", "periodic basis, modulated (LLS-M)", lls.per_class)
LLS_MXM: Space = lls_space("lls-mxm", "periodic basis, mixed (LLS-MxM)", lls.mixing)
TESS_SPACE: Space = Space(
    "tess",
    "periodic basis (TESS)",
    tess_waves,
    ForBlocks(with_rule(partial(lls.gradients, params=TESS_FORM)), scaled_head),
    local=True,
)
REWARD_SPACE: Space = Space("reward", "reward, one number for all", lambda *_: REWARD, blocks_of(reward))
SPACES: tuple[Space, ...] = (
    BACKPROP,
    FA,
    DFA,
    SDFA,
    DRTP,
    CLASSIFIER,
    LLS_SPACE,
    LLS_M,
    LLS_MXM,
    TESS_SPACE,
    REWARD_SPACE,
)
