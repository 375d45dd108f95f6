"""`SynchronizationBasis`: rows, cosines, circle, one sample and training are drawn from the pure functions."""

import numpy as np
import pytest
import torch
from few_images import few_images
from house import (
    check_house_rules,
    drawn,
    equal,
    look,
    run_code,
    same,
    wait_for_end,
    wait_for_rest,
    walk_and_compare,
)

from widgets.panels.basis import SynchronizationBasis
from workbench.credit import bases
from workbench.experiments.lls import BLOCK_RULES
from workbench.rules.lls import LLS, local_signal
from workbench.training.runner import RunState
from workbench.watch.synchronization import leads, watch

pytestmark = pytest.mark.usefixtures("unchecked")


def panel(**state):
    return SynchronizationBasis(few_images, **state)


def test_house_rules():
    check_house_rules(panel)


def test_rows_cosines_and_circle_are_drawn():
    it = panel(waveform="sine", classes=12, latents=160, phase=0.5, label=4)
    rows = bases.sine(12, 160, phase=0.5)
    first, second = it.numbers.basis.closest[1:]
    for trace, row in zip(it.waves.data, (4, first, second), strict=True):
        assert same(trace.y, rows[row])
    assert it.waves.layout.yaxis2.title.text == f"class {first}"
    assert np.allclose(it.rows.data[0].z, rows[:, :128])
    assert np.allclose(it.cosines.data[0].z, bases.row_cosines(rows))
    x, y = drawn(it.cosines, "frequency of a class")
    folded = np.arctan2(y, x)
    assert np.allclose(np.sin(np.outer(folded, np.arange(160) + 0.0)), bases.sine(12, 160), atol=1e-8)
    x, y = drawn(it.cosines, "closest pair")
    assert np.allclose(np.arctan2(y, x), folded[[first, second]])


def test_the_sample_is_drawn_and_told():
    it = panel(view="one sample", latents=64, label=7, share=0.2)
    direction, push = (
        torch.tensor(drawn(it.sample, name)[1]) for name in ("latents z / ‖z‖", "learning signal −∂L/∂z")
    )
    rows = bases.square(10, 64)
    signal = local_signal(direction[None], rows, torch.tensor([7]), LLS())
    cosine = torch.nn.functional.cosine_similarity(-signal.latents[0], push, dim=0)
    assert float(cosine) == pytest.approx(1.0)
    assert f"with probability {float(torch.exp(-signal.loss)):.2f}" in it.text
    assert "in step with its wave by 0.20" in it.text
    assert "1 of the latents can tell no class from another" in it.text
    it.state = {"phase": 0.5}
    assert "can tell no class" not in it.text


def test_the_refusal_is_words_and_not_an_error():
    it = panel(waveform="sine", classes=114, latents=1024)
    assert "LLS refuses this basis: |cosine| between the basis rows of classes 40 and 80 is 1.000" in it.text
    assert "be drawn" not in it.text
    it.state = {"waveform": "DCT", "latents": 32, "classes": 64}
    assert it.text.startswith("There is no such basis: 32 latents have the frequencies 1..31, but 64 were asked for")
    assert it.rows.data[0].visible is False
    assert not drawn(it.cosines, "frequency of a class")[0].size
    it.state = {"latents": 96}
    assert "The classes can be told apart." in it.text
    assert it.rows.data[0].visible


def test_each_view_shows_its_pictures_in_two_lines_of_text():
    it, seen = panel(), []
    assert it.text.startswith("The closest of 10 rows")
    for view, count, live in (("waves", 3, "classes"), ("one sample", 1, "share"), ("training", 2, "start")):
        it.state = {"view": view}
        assert len(it.in_view) == count
        seen += [it.pictures.index(picture) for picture in it.in_view]
        assert it.controls[live].layout.display != "none"
        assert len(it.text) < 2 * 135
    assert sorted(seen) == list(range(6))
    assert it.controls["classes"].layout.display == "none"


def test_the_first_sample_has_something_to_learn():
    lesson = panel(view="one sample").numbers.lesson
    assert 0.2 < lesson.probability < 0.8
    assert float(lesson.push.abs().max()) > 1


def test_a_class_that_does_not_exist_is_refused_and_the_slider_ends_at_the_last():
    it = panel(classes=5)
    assert it.controls["label"].max == 4
    with pytest.raises(ValueError, match="label must lie from 0 to 4, got 9"):
        it.state = {"label": 9}
    it.state = {"label": 9, "classes": 12}
    assert it.controls["label"].max == 11
    it.controls["classes"].value = 7
    assert (it.controls["label"].max, it.values["label"]) == (6, 6)
    assert set(it.faults({"label": 200})) == {"label"}
    assert not it.faults({"label": 200, "classes": 201})


def test_only_what_a_run_fills_is_recorded():
    it = panel()
    assert it.pinned is False
    assert set(it.named_figures) == {it.blocks.subject, it.course.subject}
    assert len(it.waves.data) == 3


@pytest.mark.parametrize("view", ["waves", "one sample", "training"])
def test_every_control_at_both_ends_and_its_code(view):
    def compare(it, names):
        assert equal(it.numbers.basis.rows, names["basis"].rows)
        assert names["basis"].words == it.numbers.basis.words
        if len(it.numbers.basis.rows):
            assert equal(it.numbers.frequencies, names["frequencies"])
            assert equal(it.numbers.lesson.push, names["lesson"].push)

    walk_and_compare(panel(view=view, latents=64), compare)


def test_training_is_drawn_and_told():
    it = panel(view="training", seed=3, epochs=4)
    assert "Not trained: Start trains four blocks on Fashion-MNIST." in it.text
    it.controls["start"].click()
    wait_for_end(it)
    expected = list(watch(few_images(BLOCK_RULES["lls"], 3), epochs=4, seed=3))
    assert it.numbers.state is RunState.FINISHED
    heights = leads(expected)
    for k in range(4):
        x, y = drawn(it.course, f"block {k + 1}")
        assert x.tolist() == [look.record.step + 1 for look in expected]
        assert np.allclose(y, heights[:, k])
        assert np.allclose(it.blocks.data[k].z, expected[-1].synchrony[k])
    assert (
        f"finished at step 8 of 8: blocks 1 to 4 are closer to the wave of their own class by {heights[-1, 0]:.2f}"
        in it.text
    )
    assert f"{100 * expected[-1].record.held_out_score:.1f} % of held-out images right" in it.text
    it.state = {"waveform": "sine"}
    assert it.text.endswith("The settings were changed since; Start trains with the new ones.")


def test_training_takes_waveform_and_phase():
    finals = []
    for change in ({}, {"phase": 0.5}, {"waveform": "DCT"}):
        it = panel(epochs=1, **change)
        it.start()
        wait_for_end(it)
        finals.append(tuple(it.numbers.looks[-1].synchrony[0].flatten().tolist()))
    assert len(set(finals)) == 3


def test_pause_resume_and_stop(gate):
    def prepare(rule, seed):
        setting = few_images(rule, seed)
        return setting._replace(rule=gate.before(setting.rule))

    it = SynchronizationBasis(prepare, epochs=10)
    gate.told = lambda: it.text
    it.start()
    gate.pass_(1)
    look(it)
    assert len(it.numbers.looks) == 1
    it.controls["pause"].click()
    assert it.controls["pause"].description == "Resume"
    assert it.controls["waveform"].disabled
    gate.let(5)  # it looks at the sixth step, and holds there
    wait_for_rest(it)
    assert len(it.numbers.looks) == 2
    assert "Training paused at step 6 of 20" in it.text
    it.controls["pause"].click()
    gate.pass_(1)
    assert it.controls["pause"].description == "Pause"
    it.controls["stop"].click()
    assert it.numbers.state is RunState.STOPPED
    assert "Training stopped at step 6 of 20" in it.text
    assert not it.controls["start"].disabled
    gate.open()
    wait_for_end(it)
    assert len(it.numbers.looks) == 2
    assert gate.passed == 11  # to the next look, where it sees that it was stopped
    assert not run_code(it).get("failed")


def test_an_error_of_the_run_is_told():
    def broken(rule, seed):
        raise ValueError("no images here")

    it = SynchronizationBasis(broken)
    it.start()
    wait_for_end(it)
    assert "Training came to an error: no images here" in it.text
