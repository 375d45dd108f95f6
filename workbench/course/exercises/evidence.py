"""Exercises of notebook 17: is one rule better than another, or was it chance?"""

from itertools import permutations, product

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.course.exercises.question import Option, Question
from workbench.course.exercises.written import Mistake, Written


def chance(first: Float[Tensor, "seeds"], second: Float[Tensor, "seeds"]) -> Float[Tensor, ""]:
    """Share of all choices of signs of the differences whose |mean| is at least that of the differences."""
    d = first - second
    return (_flipped(d).abs() >= d.mean().abs() - 1e-9).double().mean()


def _flipped(d: Float[Tensor, "seeds"]) -> Float[Tensor, "choices"]:
    """The mean of d under each choice of signs."""
    signs = torch.tensor(list(product((1.0, -1.0), repeat=len(d))), dtype=d.dtype)
    return (signs * d).mean(1)


def _share(found: Tensor) -> Tensor:
    return found.double().mean()


def _shuffled(first: Tensor, second: Tensor) -> Tensor:
    """The mean difference for each order of the second rule's scores: pairs are torn apart."""
    return torch.stack([(first - second[list(order)]).mean() for order in permutations(range(len(second)))])


def _pooled(first: Tensor, second: Tensor) -> Tensor:
    """Share of all ways to deal the scores to the two rules, whatever their seeds, with as large a difference."""
    scores, n = torch.cat([first, second]), len(first)
    chosen = torch.tensor([each for each in product((True, False), repeat=2 * n) if sum(each) == n])
    means = torch.stack([scores[each].mean() - scores[~each].mean() for each in chosen])
    return _share(means.abs() >= (first - second).mean().abs() - 1e-9)


def _trials() -> list[tuple]:
    """Whole and half points, so that no two means differ by rounding only."""
    pairs = (
        ([82.0, 80.0, 78.0], [79.0, 79.0, 74.0]),
        ([77.0, 79.5, 72.0, 81.0, 80.5], [73.5, 74.5, 72.5, 73.5, 73.0]),
        ([70.0, 71.0, 69.0, 72.0], [73.0, 70.5, 71.0, 74.0]),
        ([60.0, 64.0], [61.0, 60.0]),
        ([50.0, 52.0, 51.0, 49.0, 55.0, 50.5], [49.0, 53.5, 50.5, 45.0, 52.0, 50.0]),
    )
    return [(torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)) for a, b in pairs]


CHANCE = Written(
    name="chance",
    notebook=17,
    title="Could it have been chance?",
    right=chance,
    mistakes=(
        Mistake("counted one side only", "a difference as large to the other side counts as well: compare |mean|.",
                lambda a, b: _share(_flipped(a - b) * torch.sign((a - b).mean()) >= (a - b).mean().abs() - 1e-9)),
        Mistake("left out what was measured", "the signs as they were measured are one of the choices: at least as "
                                              "large, not larger.",
                lambda a, b: _share(_flipped(a - b).abs() > (a - b).mean().abs() + 1e-9)),
        Mistake("lost the absolute value", "compare |mean| on both sides: a difference below 0 is one too.",
                lambda a, b: _share(_flipped(a - b) >= (a - b).mean() - 1e-9)),
        Mistake("gave the number, not the share", "this is how many; divide by the number of all choices.",
                lambda a, b: (_flipped(a - b).abs() >= (a - b).mean().abs() - 1e-9).double().sum()),
        Mistake("divided by the number of seeds", "there are 2ⁿ choices of signs, not n.",
                lambda a, b: (_flipped(a - b).abs() >= (a - b).mean().abs() - 1e-9).double().sum() / len(a)),
        Mistake("gave the rest", "this is the share of the smaller ones, 1 − p.", lambda a, b: 1 - chance(a, b)),
        Mistake("counted wins", "this is the share of seeds that the first rule wins.",
                lambda a, b: _share(a > b)),
        Mistake("flipped one sign at a time", "every sign can turn, together with any others: 2ⁿ choices.",
                lambda a, b: _share(torch.stack([((a - b) - 2 * (a - b) * row).mean() for row in
                                                 torch.eye(len(a), dtype=a.dtype)]).abs() >= (a - b).mean().abs())),
        Mistake("tore the pairs apart", "each seed belongs to both rules: keep the pairs, and turn their signs.",
                lambda a, b: _share(_shuffled(a, b).abs() >= (a - b).mean().abs() - 1e-9)),
        Mistake("dealt the scores anew", "this test forgets which scores share a seed. Take differences first.",
                _pooled),
        Mistake("compared a sum with a mean", "a sum on one side, a mean on the other: take the same on both.",
                lambda a, b: _share(len(a) * _flipped(a - b).abs() >= (a - b).mean().abs() - 1e-9)),
        Mistake("gave the mean", "this is the mean difference; asked is how often chance gives one as large.",
                lambda a, b: (a - b).mean()),
        Mistake("gave the effect", "this is the effect size; asked is how often chance gives such a mean.",
                lambda a, b: (a - b).mean() / (a - b).std()),
        Mistake("always found a difference", "0 says that chance never does it; the signs as measured always count.",
                lambda a, b: torch.tensor(0.0)),
    ),
    trials=_trials,
    hints=(
        "If the rules were equal, each difference could as well have had the other sign.",
        "itertools.product((1, -1), repeat=n) gives all 2ⁿ choices; for each take the mean of sign times difference.",
        "Count the choices whose |mean| is at least |mean(first − second)|, minus 1e-9 for rounding; divide by 2ⁿ.",
    ),
)  # fmt: skip

ONE_SEED = Question(
    name="one_seed",
    notebook=17,
    title="One seed",
    text="A friend trained two rules once, with seed 0: 79 and 75 % on 200 test samples. What do you write into the "
    "report?",
    answers=(
        Option("the first rule is 4 points better", "with another seed it may be behind; the picture above has one."),
        Option("the two rules are equally good", "that is not known either."),
        Option("with seed 0 it was 4 points ahead; whether the rule is better is not known"),
        Option("p = 0.05", "one difference has no spread, and no p."),
    ),
    reasons=(
        Option("200 samples are enough", "they tell how well this network does; another seed gives another network."),
        Option("one run says nothing of how far runs with other seeds lie apart"),
        Option("4 points are less than 5 %", "5 % belong to p, not to points."),
        Option("seed 0 is not random enough", "no seed is better than another."),
    ),
    hints=(
        "Look at the ten runs at the top of this notebook: how far apart are runs of one rule?",
        "What varies from seed to seed: the test set or the network?",
        "State what was measured, and what is not known: (c). Why is it not known?",
    ),
    afterwards="Train both with the same five seeds, and compare seed by seed.",
)

EXERCISES = (CHANCE, ONE_SEED)
