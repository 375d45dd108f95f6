"""Adding a rule is one file and one line: done to a copy of the package, and then looked for everywhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from workbench.networks.block_networks import dense_network
from workbench.networks.blocks import block_logits
from workbench.rule import LearningRule
from workbench.rules import (
    RULES,
    backprop,
    direct_feedback,
    drtp,
    feedback_alignment,
    forward_forward,
    local_classifier,
    rule_named,
)

ROOT = Path(__file__).resolve().parents[2]
TOY = '''
"""Toy: S-TLLR without any memory."""

from workbench.neurons.traces import Factors
from workbench.rule import Cost, LearningRule, Prepared, Steps
from workbench.rules import stllr


def cost(sizes, steps, learning_steps) -> Cost:
    """Seven MACs a step."""
    return Cost(7 * steps, 44)


def prepare(network, x, classes, steps: Steps = Steps()) -> Prepared:
    """Nothing is remembered."""
    return stllr.prepared(stllr.STLLR(Factors(0.0, 0.0, 0.0, 1.0), steps.last, chunk=steps.at_once))


RULE = LearningRule(name="toy", label="Toy", paper="nobody 2000", cost=cost, for_spiking=prepare)
'''
FIND = '''
import contextlib, io, json
from workbench.cli.main import main

def said(*arguments):
    """What a command prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(arguments) == 0, arguments
    return out.getvalue()

import workbench
assert workbench.__file__.startswith(FOLDER), workbench.__file__

lines = {line.split()[0]: rules for line, rules in zip(*[iter(said("list").splitlines())] * 2)}
for name in ("fashion-events", "sound", "tess-events", "tess-still"):
    assert "toy" in lines[name], lines[name]

trained = json.loads(said("train", "sound", "--rule", "toy", "--epochs", "1", "--json").splitlines()[-1])
assert trained["rule"] == "toy" and trained["loss"] > 0, trained

audited = said("audit", "toy").splitlines()
assert audited[1].startswith("toy") and audited[1].endswith("no claim"), audited

from workbench.cost import dense_sizes, rule_costs, timed_costs
assert rule_costs(dense_sizes(8, 6, 1, 3), 5, 5)["Toy"] == (35, 44)
assert "Toy" in {cost.rule for cost in timed_costs(8, 6, 1, 3, 5, 5, repeats=1)}

from widgets.panels.cost import CostExplorer
panel = CostExplorer(steps=5)
curves = {trace.name: trace.line for trace in panel.macs.data if trace.mode == "lines"}
looks = [(line.color, line.dash, line.width) for line in curves.values()]
assert "Toy" in curves and len(set(looks)) == len(looks), looks
assert "Toy" in panel.pairs.layout.yaxis.ticktext
assert panel.numbers.chosen["Toy"].macs == 35

from workbench.watch.dependence import dependence, mapped_rules
assert "toy" in {rule.name for rule in mapped_rules()}
assert dependence("toy").time.later == 0 < dependence("toy").space.later

from widgets.panels.locality import LocalityMap
assert LocalityMap(rule="Toy").text.startswith("Toy: the update of layer 2")

from widgets.drawing.rule_look import rule_line
from widgets.panels.training import TrainingMonitor
from workbench.experiments.named import SOUND
monitor = TrainingMonitor(SOUND, samples=160, left="toy")
assert "Start trains Toy (left)" in monitor.text, monitor.text
assert monitor.learning.data[0].line.color == rule_line("toy")["color"]
print("found everywhere")
'''
LEARNERS = {
    "bp": (backprop.gradients, lambda net: {}),
    "fa": (feedback_alignment.gradients, lambda net: {"params": feedback_alignment.feedback_weights(net)}),
    "dfa": (direct_feedback.gradients, lambda net: {"params": direct_feedback.direct_feedback(net, (64,))}),
    "drtp": (drtp.gradients, lambda net: {"params": direct_feedback.direct_feedback(net, (64,))}),
    "local-classifiers": (local_classifier.gradients, lambda net: {}),
    "forward-forward": (forward_forward.gradients, lambda net: {}),
}


def with_one_file_and_one_line(folder: Path) -> None:
    """A copy of the package in `folder`, with the toy rule."""
    shutil.copytree(ROOT / "workbench", folder / "workbench", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "data_cache").symlink_to(ROOT / "data_cache")
    (folder / "workbench/rules/toy.py").write_text(TOY)
    catalogue = folder / "workbench/rules/catalogue.py"
    before = catalogue.read_text()
    last = "    rules.forward_forward.RULE,\n"
    assert before.count(last) == 1
    catalogue.write_text(before.replace(last, f"{last}    rules.toy.RULE,\n"))


@pytest.mark.slow
def test_a_rule_of_one_file_and_one_line_is_found_everywhere(tmp_path):
    with_one_file_and_one_line(tmp_path)
    code = FIND.replace("FOLDER", repr(str(tmp_path)))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.endswith("found everywhere\n")


def test_names_and_labels_are_unique_and_every_rule_can_train_something():
    assert all(isinstance(rule, LearningRule) for rule in RULES)
    for field in ("name", "label"):
        assert len({getattr(rule, field) for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.for_spiking is not None or rule.for_blocks is not None
        assert rule.paper
        assert rule.claim is None or len(rule.claim.place) > 10


FULLY, ONLINE, WHOLE = (True, True, True), (False, True, True), (False, False, False)
CLAIMED = {  # local in space, in time, and memory that does not grow with time; None where there is no time
    "bptt": WHOLE,
    "stllr": ONLINE,
    "stllr-causal": ONLINE,
    "ottt": ONLINE,
    "eprop": ONLINE,
    "ndot": ONLINE,
    "tess": FULLY,
    "tess-released": FULLY,
    "stllr-dfa": FULLY,
    "tp": FULLY,
    "bp": (False, None, None),
    "dfa": (False, None, None),
    "lls": (True, None, None),
}


def test_what_the_papers_claim_of_locality():
    assert {rule.name: tuple(rule.claim.local) for rule in RULES if rule.claim is not None} == CLAIMED


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ValueError, match="no rule 'telepathy'; there are bptt, stllr, stllr-causal"):
        rule_named("telepathy")


def test_a_rule_of_ones_own_is_found_by_its_module():
    assert rule_named("workbench.rules.lls:RULE") is rule_named("lls")
    for name, words in (
        ("nowhere:RULE", "no rule at 'nowhere:RULE': No module named 'nowhere'"),
        ("workbench.rules.lls:TELEPATHY", "no rule at .*TELEPATHY"),
        ("workbench.rules.lls:gradients", "is a function, expected a LearningRule"),
        (":", "expected module:NAME"),
    ):
        with pytest.raises(ValueError, match=words):
            rule_named(name)


@pytest.mark.parametrize("name", LEARNERS)
def test_every_rule_learns_two_separate_clouds(name):
    torch.manual_seed(0)
    rule, options = LEARNERS[name]
    centres = torch.randn(4, 64)
    y = torch.arange(80) % 4
    x = centres[y] + 0.3 * torch.randn(80, 64)
    net = dense_network([64, 40, 40], 4, local_classifier.trained_head(4), normalize=name != "forward-forward")
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    arguments = options(net)
    for _ in range(40):
        optimizer.zero_grad()
        rule(net, x, y, **arguments)
        optimizer.step()
    logits = forward_forward.goodness_logits if name == "forward-forward" else block_logits
    fresh = centres[y] + 0.3 * torch.randn(80, 64)
    assert (logits(net, fresh).argmax(1) == y).float().mean() > 0.9
