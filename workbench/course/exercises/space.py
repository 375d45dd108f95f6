"""Exercises of notebooks 07 and 08: waves, local signals, blocks."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn import functional as F

from workbench.course.exercises.design import Design, Goal, Reals, Whole
from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.written import Mistake, Written
from workbench.credit.bases import cosine, sine, square
from workbench.rules.lls import LLS, local_signal


def waves(frequencies: Float64[Tensor, "classes"], latents: int) -> Float64[Tensor, "classes latents"]:
    """B_ck = sin(f_c k), k = 0..n−1."""
    return sine(len(frequencies), latents, frequencies)


def frequencies() -> list[tuple]:
    """Frequencies small and beyond 2π, more and fewer classes than latents, one of each."""
    rows = [[0.3, 0.7, 1.9], [0.5, 1.0], [50.0, 280.0, 512.0], [0.1], [1.0, 2.0, 3.0, 4.0, 5.0]]
    return [(torch.tensor(row, dtype=torch.float64), n) for row, n in zip(rows, (8, 5, 6, 4, 3), strict=True)]


WAVE = Written(
    name="wave",
    notebook=7,
    title="Write the waves",
    right=waves,
    mistakes=(
        Mistake("exchanged rows and columns", "rows and columns are exchanged: one row per class.",
                lambda f, n: waves(f, n).T),
        Mistake("counted latents from 1", "k starts at 1: the first latent is k = 0.",
                lambda f, n: sine(len(f), n, f, phase=1.0)),
        Mistake("took the cosine", "this is the cosine.", lambda f, n: cosine(len(f), n, f)),
        Mistake("put in 2π", "f is in radians per latent already: no 2π.", lambda f, n: waves(2.0 * math.pi * f, n)),
        Mistake("took the square wave", "this is the square wave, the sign of the sine.",
                lambda f, n: waves(f, n).sign()),
        Mistake("divided by the number of latents", "k is not divided by n: f is in radians per latent.",
                lambda f, n: waves(f / n, n)),
        Mistake("normalised the rows", "rows are not normalised.", lambda f, n: F.normalize(waves(f, n), dim=1)),
        Mistake("put in half a latent of phase", "there is no phase here: sin(f k), with k = 0 first.",
                lambda f, n: sine(len(f), n, f, phase=0.5)),
        Mistake("used the number of the class", "use the frequency f_c, not the number c of the class.",
                lambda f, n: waves(torch.arange(len(f)).double(), n)),
        Mistake("took π for 1", "f is in radians per latent already: no π.", lambda f, n: waves(math.pi * f, n)),
        Mistake("forgot the sine", "the sine is missing.", lambda f, n: f[:, None] * torch.arange(n)),
        Mistake("divided by the frequency", "f multiplies k: a higher frequency swings faster.",
                lambda f, n: torch.sin(torch.arange(n) / f[:, None])),
    ),
    trials=frequencies,
    hints=(
        "A table with a row for each class and a column for each latent: a column vector times a row vector.",
        "frequencies[:, None] has shape (classes, 1); torch.arange(latents) has shape (latents,).",
        "torch.sin(frequencies[:, None] * torch.arange(latents))",
    ),
)  # fmt: skip


def signal(
    z: Float64[Tensor, "n"], basis: Float64[Tensor, "classes n"], label: int, tau: float
) -> Float64[Tensor, "n"]:
    """∂L/∂z of LLS for one sample."""
    return _signal(z, basis, label, tau)


def _signal(z: Tensor, basis: Tensor, label: int, tau: float, normalized: bool = True) -> Tensor:
    params = LLS(temperature=tau, normalized=normalized)
    return local_signal(z[None], basis, torch.tensor([label]), params).latents[0]


def _with_radial_part(z: Tensor, basis: Tensor, label: int, tau: float) -> Tensor:
    return _pull(z, basis, label, tau) / tau / z.norm()


def _pull(z: Tensor, basis: Tensor, label: int, tau: float) -> Tensor:
    return (_softmax(z, basis, tau) - _hot(basis, label)) @ basis


def _softmax(z: Tensor, basis: Tensor, tau: float) -> Tensor:
    return torch.softmax(basis @ z / z.norm() / tau, 0)


def _hot(basis: Tensor, label: int) -> Tensor:
    return F.one_hot(torch.tensor(label), len(basis)).double()


def latents() -> list[tuple]:
    """Latents of several lengths and sizes, waves with a phase, each class, temperatures."""
    draw = torch.Generator().manual_seed(0)
    sizes = ((6, 3, 0, 0.5), (6, 3, 2, 0.5), (5, 4, 1, 0.2), (8, 2, 1, 2.0), (4, 3, 2, 1.0))
    return [
        (torch.randn(n, generator=draw).double() * (1 + c), square(classes, n, phase=0.5), c, tau)
        for n, classes, c, tau in sizes
    ]


LOCAL_SIGNAL = Written(
    name="local_signal",
    notebook=7,
    title="Write the learning signal of LLS",
    right=signal,
    mistakes=(
        Mistake("got the sign wrong", "the sign is wrong: ∂L/∂z has p − y, not y − p.", lambda *trial: -signal(*trial)),
        Mistake("forgot the temperature", "τ is missing: d = (p − y) / τ.",
                lambda z, basis, label, tau: tau * signal(z, basis, label, tau)),
        Mistake("kept the part along z", "the part along z is still there: subtract (d · s) ẑ.", _with_radial_part),
        Mistake("forgot the length of z", "it is not divided by ‖z‖.", lambda z, *rest: z.norm() * signal(z, *rest)),
        Mistake("did not normalise z", "z is not normalised: compare ẑ = z / ‖z‖ with the rows.",
                lambda *trial: _signal(*trial, normalized=False)),
        Mistake("forgot the label", "the label is missing: subtract 1 at the right class.",
                lambda z, basis, label, tau: _tangent(z, _softmax(z, basis, tau) @ basis / tau) / z.norm()),
        Mistake("gave the error of the scores", "you give p − y, one number per class: send it back through the waves.",
                lambda z, basis, label, tau: _softmax(z, basis, tau) - _hot(basis, label)),
        Mistake("left τ out of the softmax", "the softmax is of s / τ.",
                lambda z, basis, label, tau: _tangent(z, _pull(z, basis, label, 1.0)) / tau / z.norm()),
        Mistake("added the part along z", "the part along z is added; it is subtracted.",
                lambda *trial: 2 * _with_radial_part(*trial) - signal(*trial)),
        Mistake("pulled at the right wave only", "the other waves count too: p for each of them.",
                lambda z, basis, label, tau: _tangent(z, -basis[label] / tau) / z.norm()),
    ),
    trials=latents,
    hints=(
        "Scores s = B ẑ, probabilities softmax(s / τ), error p − y, and back through B; then through ẑ = z / ‖z‖.",
        "With d = (p − y) / τ: d B is the pull on ẑ. Only what is at right angles to ẑ turns it.",
        "(d @ basis - (d @ s) * direction) / z.norm(), with direction = z / z.norm()",
    ),
)  # fmt: skip


def _tangent(z: Tensor, pull: Tensor) -> Tensor:
    direction = z / z.norm()
    return pull - (pull @ direction) * direction


def apart(frequencies: Sequence[float], latents: int) -> dict[str, Any]:
    """The largest |cosine| between two of the waves, and the bytes of the basis in float32."""
    rows = F.normalize(sine(len(frequencies), latents, torch.tensor(list(frequencies), dtype=torch.float64)), dim=1)
    alike = (rows @ rows.T).abs().fill_diagonal_(0.0).max().item()
    silent = int((rows.norm(dim=1) < 0.5).sum())
    return {"cosine": round(alike, 3), "bytes": 4 * len(frequencies) * latents, "silent": silent}


APART = Design(
    name="apart",
    notebook=7,
    title="Ten waves that do not meet",
    settings={"frequencies": Reals(10, 0.0, 512.0), "latents": Whole(1, 4096)},
    measure=apart,
    goals=(
        Goal("went over the budget", "the basis takes {bytes:,} bytes; the budget is 1,280: ten waves of at most 32 "
                                     "latents.",
             lambda found: found["bytes"] <= 1280),
        Goal("took a wave that is 0", "{silent} of the waves are 0 at every latent: at which frequencies is sin(f k) "
                                      "= 0?",
             lambda found: not found["silent"]),
        Goal("let two waves coincide", "two waves are the same up to the sign (|cosine| {cosine}): f, −f and f + 2π "
                                       "are "
             "one wave.", lambda found: found["cosine"] < 0.99),
        Goal("let waves come too close", "two waves have |cosine| {cosine}; at most 0.05 is asked for.",
             lambda found: found["cosine"] <= 0.05),
    ),
    hints=(
        "Frequencies count modulo 2π, and f and −f are one wave: only 0 to π is left.",
        "Spread ten frequencies evenly between 0 and π, without the ends; waves that fit a whole number of half "
        "turns into "
        "the latents are at right angles.",
        "f_c = π (c + 1) / 31 with latents = 31: sin(π j k / n) for j = 1, 2, … are at right angles over k = 0 … n − "
        "1.",
    ),
)  # fmt: skip


def macs(latents: Sequence[int], classes: int) -> int:
    """Multiplications of LLS's error signal for one sample, all blocks."""
    return sum(2 * classes * n for n in latents)


SIGNAL_MACS = Written(
    name="signal_macs",
    notebook=8,
    title="Count the multiplications of a signal",
    right=macs,
    mistakes=(
        Mistake("forgot the way back", "the way back is missing: the error also goes from the C rows to the n latents.",
                lambda latents, classes: sum(latents) * classes),
        Mistake("forgot the classes", "the number of classes is missing: every latent meets every row.",
                lambda latents, classes: 2 * sum(latents)),
        Mistake("counted the last block only", "only one block is counted: sum over all blocks.",
                lambda latents, classes: 2 * classes * latents[-1]),
        Mistake("counted the first block only", "only the first block is counted: sum over all blocks.",
                lambda latents, classes: 2 * classes * latents[0]),
        Mistake("counted the largest block only", "only the largest block is counted: sum over all blocks.",
                lambda latents, classes: 2 * classes * max(latents)),
        Mistake("averaged over the blocks", "this is the mean of the blocks; the sum is asked for.",
                lambda latents, classes: 2 * classes * sum(latents) / len(latents)),
        Mistake("squared the latents", "latents meet rows, not each other.",
                lambda latents, classes: 2 * classes * sum(n * n for n in latents)),
        Mistake("joined neighbouring blocks", "blocks do not speak to each other: that is backpropagation.",
                lambda latents, classes: sum(a * b for a, b in zip(latents, [*latents[1:], classes], strict=True))),
        Mistake("counted each class twice", "count C once on the way to the scores and once on the way back.",
                lambda latents, classes: 4 * classes * sum(latents)),
        Mistake("gave one number per block", "add the blocks up.",
                lambda latents, classes: [2 * classes * n for n in latents]),
        Mistake("multiplied the blocks", "blocks stand side by side: add, do not multiply.",
                lambda latents, classes: 2 * classes * math.prod(latents)),
        Mistake("squared the classes", "each latent meets C rows, not C².",
                lambda latents, classes: 2 * classes**2 * sum(latents)),
        Mistake("counted blocks instead of latents", "count the latents of a block, not the blocks.",
                lambda latents, classes: 2 * classes * len(latents)),
        Mistake("added the classes", "every latent meets every row: multiply.",
                lambda latents, classes: 2 * sum(n + classes for n in latents)),
    ),
    trials=lambda: [([512, 256, 128], 10), ([32, 64, 8], 3), ([100], 7), ([16, 16, 16, 16], 2), ([5, 1], 4)],
    hints=(
        "One block first: how many products make the C scores of n latents?",
        "C times n for the scores, and as many to bring the error of the scores back to the latents.",
        "sum(2 * classes * n for n in latents)",
    ),
)  # fmt: skip


def block_gradients(
    x: Float[Tensor, "n"],
    first: Float[Tensor, "n n"],
    second: Float[Tensor, "n n"],
    basis: Float[Tensor, "classes n"],
    label: int,
) -> Float[Tensor, "n n"]:
    """ΔW of the first of two linear blocks, each with a cross-entropy of its own against the waves."""
    with torch.enable_grad():
        first, second = (weight.detach().clone().requires_grad_() for weight in (first, second))
        loss, h = torch.zeros(()), x
        for weight in (first, second):
            h = (weight @ h).relu()
            loss = loss + F.cross_entropy(basis @ h, torch.tensor(label))
            h = h.detach()
        return torch.autograd.grad(loss, first)[0]


def _broken_block_gradients(x: Tensor, first: Tensor, second: Tensor, basis: Tensor, label: int) -> Tensor:
    """The graph is not cut between the blocks."""
    return _blocks(x, first, second, basis, label, cut=False)


def _blocks(x: Tensor, first: Tensor, second: Tensor, basis: Tensor, label: int, cut: bool = True, blocks: str = "12",
            relu: bool = True) -> Tensor:  # fmt: skip
    """The same with one thing done otherwise: the graph not cut, one loss left out, no ReLU."""
    with torch.enable_grad():
        weight = first.detach().clone().requires_grad_()
        h = (weight @ x).relu() if relu else weight @ x
        losses = {"1": F.cross_entropy(basis @ h, torch.tensor(label))}
        losses["2"] = F.cross_entropy(basis @ (second @ (h.detach() if cut else h)).relu(), torch.tensor(label))
        return torch.autograd.grad(sum(losses[key] for key in blocks) + 0 * weight.sum(), weight)[0]


def two_blocks() -> list[tuple]:
    """An input, two square weights, waves of three classes, each label."""
    draw = torch.Generator().manual_seed(5)
    basis = square(3, 4, phase=0.5).float()
    return [
        (torch.rand(4, generator=draw), *(0.3 + torch.randn(2, 4, 4, generator=draw)), basis, c % 3) for c in range(5)
    ]


LEAKING_BLOCK = Written(
    name="leaking_block",
    notebook=8,
    title="Find the bug: a block that hears from above",
    right=block_gradients,
    broken=Mistake("left the bug", "the bug is still there: the update of the first block changes with the weights "
                                   "of the "
                   "second. What does the second block get as its input?", _broken_block_gradients),
    mistakes=(
        Mistake("dropped the first loss", "the first block has lost its own loss: nothing teaches it now.",
                lambda *trial: _blocks(*trial, blocks="2")),
        Mistake("taught from above only", "the first block learns from the loss of the second only: the reverse is "
                                          "meant.",
                lambda *trial: _blocks(*trial, cut=False, blocks="2")),
        Mistake("took the gradient of the second block", "this is the update of the second block.",
                lambda x, first, second, basis, label: _blocks((first @ x).relu(), second, second, basis, label)),
        Mistake("dropped the ReLU", "the ReLU got lost.", lambda *trial: _blocks(*trial, relu=False)),
        Mistake("got the sign wrong", "the gradient is asked for, not the step.",
                lambda *trial: -block_gradients(*trial)),
        Mistake("cut too early", "the input of the second block is cut before the ReLU, or replaced by x.",
                lambda x, first, second, basis, label: _blocks(x, first, second, basis, label, blocks="1") * 2),
        Mistake("exchanged rows and columns", "rows and columns are exchanged: the shape is that of the weight.",
                lambda *trial: block_gradients(*trial).T),
        Mistake("averaged the two blocks", "do not average over the blocks.",
                lambda *trial: block_gradients(*trial) / 2),
        Mistake("taught another class", "the label is another class now.",
                lambda x, first, second, basis, label: block_gradients(x, first, second, basis, (label + 1) % 3)),
    ),
    trials=two_blocks,
    hints=(
        "Change the second weight and look whether the update of the first one changes.",
        "Backward goes through everything that hangs together. Where should the graph be cut?",
        "After the loss of a block: h = h.detach()",
    ),
)  # fmt: skip

TEMPERATURE = Question(
    name="temperature",
    notebook=8,
    title="A warm block",
    text="The temperature τ of LLS is raised from 0.5 to 5, on the same layer and batch. What happens to the size of "
    "the "
    "learning signal?",
    answers=(
        Option("it becomes ten times larger", "τ stands in the denominator."),
        Option("it becomes about ten times smaller"),
        Option("it stays", "the loss looks less sharply at the scores: p moves, and so does (p − y) / τ."),
        Option("it becomes exactly 0", "p approaches 1 / C, which is not the label."),
    ),
    reasons=(
        Option("softmax of equal scores is the label", "it is 1 / C for every class."),
        Option("the waves become shorter", "waves do not depend on τ."),
        Option("the signal has (p − y) / τ, and p − y does not vanish when all p become alike"),
        Option("the scores are multiplied by τ", "they are divided by it."),
    ),
    hints=(
        "Write down d and look where τ stands.",
        "It stands in the softmax and in front. In the softmax it makes all p alike.",
        "p − y stays between 1 / C and 1, and is divided by 5 instead of 0.5.",
    ),
)

EXERCISES = (WAVE, LOCAL_SIGNAL, APART, SIGNAL_MACS, LEAKING_BLOCK, TEMPERATURE)
