"""The rules that `workbench audit` knows, the problems they are audited on, and what their papers claim."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.audit.audit import Claim, Finding, audit
from workbench.audit.locality import StepUpdates, bptt_updates, online_updates
from workbench.credit.signals import direct_feedback as direct_signal
from workbench.data.sets.fashion_mnist import fashion_mnist_small
from workbench.data.sets.image_events import fashion_events
from workbench.experiments.lls import fashion_pictures
from workbench.networks.block_networks import mini_conv
from workbench.networks.blocks import HeadMaker
from workbench.networks.seeded import seeded
from workbench.networks.spiking import SpikingMLP
from workbench.neurons.lif import Neuron
from workbench.rule import Rule
from workbench.rules import backprop, bptt, direct_feedback, eprop, lls, ottt, stllr, tess
from workbench.rules.stllr import STLLR
from workbench.rules.tess import TESS

SAMPLES = 16
CHUNK = 4


class Problem(NamedTuple):
    """A network in float64 and a batch for it; `sequence` if the batch has steps."""

    network: Any
    x: Tensor
    y: Tensor
    sequence: bool


class Prepared(NamedTuple):
    """A rule for one network; updates: its ΔW[t], where it has a form that learns at every step."""

    rule: Rule
    updates: StepUpdates | None = None


class Subject(NamedTuple):
    """A rule to audit: what its paper claims, the problem, and the rule for the problem's network."""

    claim: Claim
    problem: Callable[[], Problem]
    prepare: Callable[[Problem], Prepared]
    reference: Rule


def events_problem() -> Problem:
    """16 simulated recordings of clothes, 20 steps, and a 578–128–128–10 network."""
    x, y = fashion_events(train_per_class=2, test_per_class=1).train.batch(torch.arange(SAMPLES))
    with seeded(0):
        network = SpikingMLP([578, 128, 128], 10, Neuron(0.8, 0.6), readout_decay=0.9).double()
    return Problem(network, x.flatten(2).double(), y, sequence=True)


def pictures_problem(make_head: HeadMaker | None = None) -> Problem:
    """16 photographs of clothes and a small convolutional network of four blocks."""
    x, y = fashion_pictures(fashion_mnist_small()).train.batch(torch.arange(SAMPLES))
    return Problem(mini_conv(10, 1, make_head).double(), x.double(), y, sequence=False)


def _stllr(params: STLLR) -> Prepared:
    return Prepared(partial(stllr.gradients, params=params), online_updates(partial(stllr.online, params=params)))


def _stllr_dfa(problem: Problem) -> Prepared:
    return _stllr(STLLR(chunk=CHUNK, signal=direct_signal(problem.network, problem.x)))


def _eprop(problem: Problem) -> Prepared:
    return Prepared(eprop.gradients, online_updates(eprop.online))


def _ottt(problem: Problem) -> Prepared:
    params = ottt.OTTT(chunk=CHUNK)
    return Prepared(partial(ottt.gradients, params=params), online_updates(partial(ottt.online, params=params)))


def tess_params(problem: Problem) -> TESS:
    """TESS with a head for every layer of the problem's network."""
    return TESS(tess.make_heads(problem.network, problem.x, classes=10), chunk=CHUNK)


def _tess(problem: Problem) -> Prepared:
    params = tess_params(problem)
    return Prepared(partial(tess.gradients, params=params), online_updates(partial(tess.online, params=params)))


def _tess_released(problem: Problem) -> Prepared:
    params = tess_params(problem)
    online = partial(stllr.online, params=tess.as_stllr(params, stllr.BACKPROPAGATION))
    return Prepared(partial(tess.released_gradients, params=params), online_updates(online))


def _dfa(problem: Problem) -> Prepared:
    feedback = direct_feedback.direct_feedback(problem.network, problem.x.shape[1:], 0)
    return Prepared(partial(direct_feedback.gradients, params=feedback))


_lls_problem = partial(pictures_problem, lls.local_head(10))

SUBJECTS: Mapping[str, Subject] = {
    "bptt": Subject(Claim(False, False, False), events_problem, lambda _: Prepared(bptt.gradients, bptt_updates),
                    bptt.gradients),
    "stllr": Subject(Claim(False, True, True), events_problem, lambda _: _stllr(STLLR(chunk=CHUNK)), bptt.gradients),
    "stllr-dfa": Subject(Claim(False, True, True), events_problem, _stllr_dfa, bptt.gradients),
    "eprop": Subject(Claim(False, True, True), events_problem, _eprop, bptt.gradients),
    "ottt": Subject(Claim(False, True, True), events_problem, _ottt, bptt.gradients),
    "tess": Subject(Claim(True, True, True), events_problem, _tess, bptt.gradients),
    "tess-released": Subject(Claim(True, True, True), events_problem, _tess_released, bptt.gradients),
    "bp": Subject(Claim(False), pictures_problem, lambda _: Prepared(backprop.gradients), backprop.gradients),
    "dfa": Subject(Claim(False), pictures_problem, _dfa, backprop.gradients),
    "lls": Subject(Claim(True), _lls_problem, lambda _: Prepared(lls.gradients), backprop.gradients),
}  # fmt: skip


def audit_rule(name: str) -> Finding:
    """Audit a rule by its name. Raises ValueError that lists the names there are."""
    subject = subject_of(name)
    problem = subject.problem()
    prepared = subject.prepare(problem)
    return audit(
        problem.network, problem.x, problem.y, prepared.rule, subject.reference, prepared.updates, problem.sequence
    )


def claims(names: Sequence[str] = tuple(SUBJECTS)) -> dict[str, Claim]:
    """What the papers claim of these rules. Raises ValueError for a name that is not there."""
    return {name: subject_of(name).claim for name in names}


def subject_of(name: str) -> Subject:
    """The rule of that name, or ValueError that lists the names there are."""
    if name not in SUBJECTS:
        raise ValueError(f"there is no rule '{name}' to audit; there are {', '.join(SUBJECTS)}")
    return SUBJECTS[name]
