"""One choice of S-TLLR at a time, everything else as in `fashion-events` and `sound`: how deep the network is, how many
steps learn (T_l), and what the non-causal trace is worth (α_post).

Only the rules that are compared are there. The S-TLLR paper varies T_l and α_post in its tables 2 to 6, the TESS paper
α_post in its table III; neither varies the depth.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from workbench.experiments.events import FASHION_FACTORS, FASHION_RULES, fashion_events_setting, fashion_rule
from workbench.experiments.experiment import Experiment
from workbench.experiments.overrides import set_rate
from workbench.experiments.sound import SOUND_FACTORS, SOUND_RULES, sound_rule, sound_setting
from workbench.experiments.spiking_rules import WINDOWS, MakeRule
from workbench.neurons.traces import Factors
from workbench.rules import stllr
from workbench.training.setting import Setting


def _ablated(make: Callable[..., MakeRule], factors: Factors, last: tuple[int, ...]) -> Mapping[str, MakeRule]:
    """S-TLLR with other windows, and with fewer steps that learn."""
    own = {f"stllr-last{n}": make(partial(stllr.prepare, factors=factors), last=n) for n in last}
    windows = {
        name: make(partial(stllr.prepare, factors=factors._replace(alpha_post=a))) for name, a in WINDOWS.items()
    }
    return own | windows


class RatedRule(NamedTuple):
    """What makes a rule for a network, and its learning rate."""

    make: MakeRule
    rate: float = 2e-3


def depth_setting(rule: RatedRule, seed: int, layers: int) -> Setting:
    """`fashion_events_setting` with so many hidden layers, at the rate of the rule."""
    setting = fashion_events_setting(rule.make, seed, layers)
    set_rate(setting.optimizer, rule.rate)
    return setting


DEPTH_RULES: Mapping[str, RatedRule] = {
    **{rule: RatedRule(FASHION_RULES[rule]) for rule in ("stllr", "tess", "bptt")},
    "tess-fast": RatedRule(FASHION_RULES["tess"], 1e-2),  # waves want another rate than errors: that of `tess-events`
}
ONE_LAYER = Experiment(
    name="events-depth-1",
    summary="as fashion-events, with one hidden layer of 200 neurons",
    rules=DEPTH_RULES,
    epochs=3,
    prepare=partial(depth_setting, layers=1),
)
TWO_LAYERS = ONE_LAYER._replace(
    name="events-depth-2",
    summary="as fashion-events, with two hidden layers of 200 neurons",
    prepare=partial(depth_setting, layers=2),
)
THREE_LAYERS = ONE_LAYER._replace(
    name="events-depth-3",
    summary="as fashion-events, with three hidden layers of 200 neurons",
    prepare=partial(depth_setting, layers=3),
)
FOUR_LAYERS = ONE_LAYER._replace(
    name="events-depth-4",
    summary="as fashion-events, with four hidden layers of 200 neurons",
    prepare=partial(depth_setting, layers=4),
)
# the same network, deeper and deeper
DEPTHS = (ONE_LAYER, TWO_LAYERS, THREE_LAYERS, FOUR_LAYERS)
EVENTS_ABLATION = Experiment(
    name="events-ablation",
    summary="as fashion-events: the last 1 to 10 of 20 steps learn, and three windows",
    rules={"stllr": FASHION_RULES["stllr"], **_ablated(fashion_rule, FASHION_FACTORS, (10, 5, 2, 1))},
    epochs=3,
    prepare=fashion_events_setting,
)
SOUND_ABLATION = Experiment(
    name="sound-ablation",
    summary="as sound: the last 1 to 30 of 60 steps learn, and three windows",
    rules={"stllr": SOUND_RULES["stllr"], **_ablated(sound_rule, SOUND_FACTORS, (30, 10, 5, 1))},
    epochs=15,
    prepare=sound_setting,
)
# all of them, in this order
ABLATIONS = (*DEPTHS, EVENTS_ABLATION, SOUND_ABLATION)
