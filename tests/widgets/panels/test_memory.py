"""`MemoryTimeline` draws the bytes that the hooks see."""

from house import check_house_rules, drawn, run_code, same

from widgets.panels.memory import MemoryTimeline
from workbench.experiments.new_clothes import new_clothes
from workbench.watch.bytes_in_a_step import STEP_RULES, bytes_in_a_step


def test_house_rules():
    check_house_rules(MemoryTimeline)


def test_it_draws_every_way_to_take_the_step():
    panel = MemoryTimeline(batch_size="16", energy=0.8)
    task = new_clothes(every=7)
    for k, (name, rule) in enumerate(STEP_RULES.items()):
        expected = bytes_in_a_step(task, rule, 16, 0.8)
        x, y = drawn(panel.timeline, name)
        assert same(x, expected.places)
        assert same(y * 1024, expected.bytes)
        assert same(panel.peaks.data[k].y, [expected.peak / 1024])
    highest = max(panel.numbers.alive.values(), key=lambda steps: steps.peak)
    x, y = drawn(panel.timeline, "peak")
    assert y[0] * 1024 == highest.peak
    assert x[0] == highest.places[list(highest.bytes).index(highest.peak)]
    assert [word.text for word in panel.timeline.layout.annotations] == ["forwards →", "→ backwards"]
    peaks = {name: steps.peak for name, steps in panel.numbers.alive.items()}
    assert f"LANCE keeps {peaks['backpropagation'] / peaks['LANCE']:.0f} times less than backpropagation" in panel.text


def test_its_code_finds_the_same():
    panel = MemoryTimeline(batch_size="16", energy=0.9, axis="logarithmic")
    assert panel.timeline.layout.yaxis.type == "log"
    alive = run_code(panel)["alive"]
    assert {n: a.peak for n, a in alive.items()} == {n: a.peak for n, a in panel.numbers.alive.items()}
