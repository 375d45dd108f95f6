"""`Playground` shows what `workbench.watch.playground` tells, refuses with reasons, and runs one batch at a time."""

from functools import partial

import numpy as np
import pytest
from house import check_house_rules, drawn, run_code, wait_for_end, wait_for_rest

from widgets.drawing.rule_look import rule_line
from widgets.page.link import read_link, write_link
from widgets.panels import playground as panel_module
from widgets.panels.playground import Playground, contestants, rule_of, short, spoken
from workbench.cost.mixes import mix_cost
from workbench.mixes import NAMED, mix_named
from workbench.serving import Allowance, write_allowance
from workbench.serving.allowance import VARIABLE
from workbench.training.runner import RunState
from workbench.watch import playground
from workbench.watch.playground import film, play, play_sizes

pytestmark = pytest.mark.usefixtures("unchecked")

TURN = {"direction": "outside conceptors (CODE-CL)", "race": "traces+tess"}
REFUSED = {"memory": "computed twice (checkpointing)"}


@pytest.fixture(autouse=True)
def few_recordings(monkeypatch):
    """Runs of two batches for each task and epoch."""
    monkeypatch.setattr(playground, "play_tasks", partial(playground.play_tasks, per_class=8, held_out=2))


def started(**state):
    panel = Playground(epochs=1, **state)
    panel.controls["start"].click()
    wait_for_end(panel)
    return panel


def test_house_rules():
    check_house_rules(Playground)


def test_before_a_run_the_network_that_has_learned_nothing_is_shown():
    panel = Playground(recording="dress", seed=3)
    seen = playground.see(playground.play_network(False, 3), film(3).x)
    assert np.array_equal(panel.layers[1].array(), seen.spikes[1].T)
    wrong, right = (np.array(bar.y) for bar in panel.answer.data)
    assert wrong + right == pytest.approx(seen.scores.numpy())
    assert right.argmax() == 3
    frames = film(3).frames
    assert panel.film.array().shape == (139, 174)
    on, off = (panel.film.array() == code for code in (1, 2))
    assert on.sum() == frames[:, 1].sum()
    assert off.sum() == (frames[:, 0] & ~frames[:, 1]).sum()
    assert panel.inputs.array().any(1).sum() == (film(3).x.sum(0) > 0).sum()
    assert (panel.tiles.array() != 128).any()
    panel.state = {"weights": "what learning changed"}
    assert (panel.tiles.array() == 128).all()
    assert (panel.matrix.array() == 128).all()


def test_the_cost_is_told_before_anything_runs():
    panel = Playground(time="unrolled graph (BPTT)", race="tess")
    cost = mix_cost(mix_named("bptt+tess"), play_sizes(), 20).cost
    assert f"{cost.macs / 1e6:.2f} million MACs and keeps {cost.memory / 1e3:.1f} kB" in panel.text
    assert "It runs against TESS (0.34 million MACs and keeps 2.0 kB)" in panel.text
    panel.state = {"memory": "core on fixed bases (LANCE)"}
    assert "keeps at most 19.7 kB" in panel.text


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (REFUSED, "TESS + checkpointing cannot train this network: with S-TLLR traces nothing of the past waits"),
        ({"race": "eprop+tess+asi"}, "periodic basis (TESS) + ASI cannot train this network: e-prop carries a number"),
        ({"race": "traces+tes"}, "in the race, the axis space has no answer 'tes'"),
        ({"race": "bptt, stllr, eprop, tess+"}, "in the race"),
        ({"race": "bptt, stllr, eprop, instant+lls"}, "4 mixes at most run side by side, and there are 5"),
    ],
)
def test_what_cannot_run_says_why_and_cannot_be_started(state, reason):
    panel = Playground(**state)
    assert panel.text.startswith("This cannot start:")
    assert reason in panel.text
    for name in ("start", "step"):
        assert panel.controls[name].disabled
        panel.controls[name].click()
    assert panel.race is None


def test_every_answer_of_every_axis_is_drawn():
    panel = Playground()
    for axis in ("time", "space", "memory", "direction"):
        for label, _ in panel.controls[axis].options:
            panel.state = {axis: label}
            assert panel.text
        panel.state = {axis: Playground().state[axis]}


def test_mixes_wait_in_the_race():
    panel = Playground()
    panel.controls["add"].click()
    assert panel.state["race"] == "traces+tess"
    assert panel.controls["add"].disabled  # it stands there already
    panel.state = {"time": "one instant"}
    panel.controls["add"].click()
    panel.state = {"time": "e-prop's filtered eligibility"}
    panel.controls["add"].click()
    assert panel.state["race"] == "traces+tess, instant+tess, eprop+tess"
    panel.state = {"time": "unrolled graph (BPTT)"}
    assert panel.controls["add"].disabled  # four run: three that wait, and the chosen one
    assert [short(lane.mix) for lane in panel.numbers.lanes] == [
        "bptt+tess",
        "traces+tess",
        "instant+tess",
        "eprop+tess",
    ]
    panel.controls["clear"].click()
    assert panel.state["race"] == ""
    assert len(panel.numbers.lanes) == 1


def test_a_run_draws_what_its_moments_tell():
    panel = started(race="bptt")
    for k, words in enumerate(("traces+tess", "bptt")):
        moments = list(play(mix_named(words), epochs=1))
        lane = panel.numbers.lanes[k]
        assert lane.state is RunState.FINISHED
        assert [moment.loss for moment in lane.moments] == [moment.loss for moment in moments]
        first, _, loss, kept = panel.curves.data[4 * k : 4 * k + 4]
        tested = [moment for moment in moments if moment.accuracies is not None]
        assert list(first.x) == [moment.step + 1 for moment in tested]
        assert list(first.y) == pytest.approx([100 * moment.accuracies[0] for moment in tested])
        assert list(kept.y) == [moment.kept_bytes for moment in moments]
        assert loss.y[0] == pytest.approx(moments[0].loss)
        assert first.line.color == rule_line({"traces+tess": "tess", "bptt": "bptt"}[words])["color"]
    assert panel.curves.data[0].line.dash != panel.curves.data[4].line.dash
    assert not panel.curves.data[8].visible
    assert np.array_equal(panel.layers[0].array(), panel.numbers.lanes[0].moments[-1].seen.spikes[0].T)
    assert "TESS finished, batch 2 of 2:" in panel.text
    assert "kB kept. BPTT finished" in panel.text
    assert panel.png().startswith(b"\x89PNG")
    panel.state = {"seed": 4}
    assert panel.text.endswith("Start trains with the new ones.")


def test_tasks_in_turn_are_told_and_judged():
    panel = Playground(**TURN)
    assert "Start learns two kinds of clothes, then two others" in panel.text
    panel = started(recording="pullover", **TURN)
    assert panel.numbers.in_turn
    assert len(panel.answer.data[0].x) == 2
    assert list(panel.answer.layout.xaxis.ticktext) == ["pullover", "dress"]
    lanes = panel.numbers.lanes
    lost = ", ".join(f"{spoken(lane.mix)} {lane.forgotten:.0f}" for lane in lanes)
    assert panel.text.endswith(f"Points of task 1 that task 2 cost: {lost}.")
    assert all(len(lane.moments[-1].accuracies) == 2 for lane in lanes)
    assert drawn(panel.curves, "TESS, task 2")[0][-1] == 2


def test_one_batch_at_a_time():
    panel = Playground(race="bptt", epochs=2)
    panel.controls["step"].click()
    wait_for_rest(panel)
    assert [len(records) for records in panel.race.records] == [1, 1]
    panel.controls["step"].click()
    wait_for_rest(panel)
    assert [len(records) for records in panel.race.records] == [2, 2]
    assert "paused, batch 2 of 4" in panel.text
    assert panel.controls["pause"].description == "Resume"
    assert all(panel.controls[name].disabled for name in ("time", "race", "start", "add"))
    panel.pause()
    wait_for_end(panel)
    assert [len(records) for records in panel.race.records] == [4, 4]


def test_the_code_trains_the_same():
    panel = started(race="bptt+tess")
    names = run_code(panel)
    assert names["name"] == "bptt+tess"
    assert names["moments"][-1].loss == panel.numbers.lanes[1].moments[-1].loss
    assert "reason" in run_code(Playground(**REFUSED))


def test_a_link_holds_all_that_was_chosen():
    panel = Playground(epochs=2, seed=5, recording="dress", **TURN)
    changed = {name: value for name, value in panel.state.items() if value != panel.defaults[name]}
    _, states = read_link(write_link("playground", {"playground": changed}))
    other = Playground(**states["playground"])
    assert other.state == panel.state
    assert other.text == panel.text


def test_a_server_may_refuse_what_is_too_large(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    one, four = Playground(), Playground(race="bptt, stllr, eprop")
    assert four.price().seconds > 3 * one.price().seconds
    monkeypatch.setenv(VARIABLE, "")
    write_allowance(Allowance(seconds=one.price().seconds * 1.5))
    four.controls["start"].click()
    assert four.race is None
    assert "a visitor of this server has" in four.text


def test_mixes_without_a_rule_of_their_name_are_grey():
    assert rule_of(mix_named("eprop+tess")) is None
    for name in ("bptt", "stllr", "eprop", "tess", "stllr-dfa"):
        assert rule_of(NAMED[name]) == name
    found, reason = contestants(mix_named("tess"), "traces+tess, bptt, bptt")
    assert [str(mix) for mix in found] == [str(mix_named("tess")), str(mix_named("bptt"))]
    assert not reason
    assert panel_module.LANES == 4
