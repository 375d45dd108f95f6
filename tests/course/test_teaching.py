"""The teacher's guide: each link opens the app in the state that is talked about; numbers of the exam are right."""

import math
import re
from functools import cache
from pathlib import Path

import pytest
import torch

from widgets.app import PANELS
from widgets.page.link import read_link
from workbench.course import BUILDS
from workbench.course.build import lessons_of
from workbench.course.exercises import exercises
from workbench.neurons import Neuron, PairRule, run_lif, run_trace, stdp_pair_sum
from workbench.shipped import notebooks_folder

PAGES = sorted((Path(__file__).resolve().parents[2] / "docs" / "teaching").glob("*.md"))
LINK = re.compile(r"\(http://localhost:8866/(\?[^)]+)\)")
LINKS = [(page.stem, query) for page in PAGES for query in LINK.findall(page.read_text("utf-8"))]


@cache
def panel(name):
    return next(later for later in PANELS if later.name == name)()


@pytest.mark.parametrize(("page", "query"), LINKS)
def test_each_link_opens_the_state_that_is_talked_about(page, query):
    tab, states = read_link(query)
    assert "&present" in query
    assert set(states) == {tab}
    panel(tab).state = states[tab]
    assert {key: panel(tab).state[key] for key in states[tab]} == states[tab]


def test_every_step_of_the_lecture_has_a_link():
    text = next(page for page in PAGES if page.stem == "lecture").read_text("utf-8")
    steps = re.findall(r"^\| (\d+)–(\d+) \|(.*)\|.*\|$", text, re.M)
    assert [int(start) for start, _, _ in steps] == [0, *(int(end) for _, end, _ in steps[:-1])]
    assert steps[-1][1] == "45"
    assert all(LINK.search(what) for _, _, what in steps[:-1])
    for name in re.findall(r"`(\w+)`", text.split("Exercises that go with it")[1]):
        assert exercises()[name].kind == "predict and explain"


def test_points_of_the_module_are_those_of_the_grader():
    text = next(page for page in PAGES if page.stem == "module").read_text("utf-8")
    lessons = lessons_of(notebooks_folder())
    told = dict(re.findall(r"`(\d\d_\w+)` \((\d+)\)", text))
    for name, points in told.items():
        made = BUILDS["nbgrader"](name, lessons[name])
        assert sum(cell.metadata["nbgrader"].get("points", 0) for cell in made.cells) == int(points), name
    assert len(told) >= 14


def test_answers_of_the_exam_are_right():
    for current, fires in ((0.12, False), (0.125, True)):
        assert bool(run_lif(torch.full((200,), current), Neuron(0.8, 0.6)).spikes.any()) is fires
    assert run_trace(torch.tensor([1.0, 1, 0, 1, 0]), 0.5).tolist() == [1, 1.5, 0.75, 1.375, 0.6875]
    rule = PairRule(tau_plus=10.0, tau_minus=10.0)
    assert stdp_pair_sum(torch.tensor([10.0, 30.0]), torch.tensor([20.0]), rule).abs() < 1e-6
    assert math.isclose(math.sin((2 * math.pi - 1) * 5), -math.sin(5), abs_tol=1e-9)
    assert [value / (value + 1) for value in (4, 0.25)] == [0.8, 0.2]
    X, G = torch.tensor([[3.0], [1.0]]), torch.tensor([[1.0], [-2.0]])
    assert (G.T @ X).item() == 1
    assert (G.T @ X.mean(0).expand_as(X)).item() == -2
