"""What the page computes is what Python computes, and Python has the last word."""

import math
import os
import random
from itertools import compress
from typing import NamedTuple

import numpy as np
import pytest

from widgets.drawing.twin import twin_script
from widgets.panels.basis import SynchronizationBasis
from widgets.panels.basis_pictures import SAMPLE_VIEW, WAVES_VIEW
from widgets.panels.conceptors import ConceptorSubspaces
from widgets.panels.eligibility import EligibilityTimeline
from widgets.panels.lif import RESETS, STEPS, LIFExplorer
from widgets.panels.locality import LocalityMap
from widgets.panels.stdp import STDPWindow
from widgets.panels.surrogate import SurrogateExplorer
from widgets.panels.traces import TraceDecay
from workbench.neurons.lif import run_lif
from workbench.neurons.stimuli import spikes_at
from workbench.neurons.traces import run_trace

CLOSE = 1e-6
RUN = f"""(cases) => {{ {twin_script()}
  const plain = (value) => (Number.isFinite(value) || typeof value === "string" ? value : null);
  const listed = (trace) => Object.entries(trace).map(([key, values]) => [key, [values].flat(2).map(plain)]);
  return cases.map(([name, values, given]) => {{
    const traces = TWINS[name](values, given);
    return traces && Object.entries(traces).flatMap(([k, trace]) => listed(trace).map((pair) => [+k, ...pair]));
  }}) }}"""


def drawn_state(controls: dict, draw: random.Random) -> dict:
    """Any values of the controls, ends and zeros more often than by chance."""
    state = {}
    for name, control in controls.items():
        if hasattr(control, "_options_labels"):
            state[name] = draw.choice(control._options_labels)
        elif isinstance(control.value, bool):
            state[name] = draw.random() < 0.7
        else:
            steps = round((control.max - control.min) / control.step)
            step = draw.choice([0, steps, draw.randint(0, steps), draw.randint(0, steps), draw.randint(0, steps)])
            value = min(control.min + step * control.step, control.max)
            state[name] = type(control.value)(float(f"{value:.12g}"))
    return state


def cases_of(panel, count: int, **fixed) -> list:
    """Values, what is given, the traces that Python drew, and what of them is sure, for each figure with a twin."""
    draw, cases = random.Random(0), []
    settings = {name: panel.controls[name] for name in panel.state}
    for _ in range(count):
        state = drawn_state(settings, draw) | fixed
        ends = panel.limits(state)
        panel.state = state | {name: draw.randint(int(low), int(high)) for name, (low, high) in ends.items()}
        for figure in panel.in_view:
            if figure.twin is not None:
                drawn = [trace.to_plotly_json() for trace in figure.data]
                sure = getattr(panel, "sure", {}).get(figure.twin.function, {})
                if sure is not None:
                    cases.append((figure.twin.function, dict(figure._answered), dict(figure.given), drawn, sure))
    return cases


class SureNeuron(LIFExplorer):
    """The panel without what hangs on the last digit: a membrane at its threshold fires here or there."""

    def draw(self, numbers):
        super().draw(numbers)
        neuron = numbers.neuron
        level, reset = neuron.threshold, RESETS[self.values["reset"]]
        inputs = numbers.currents.expand(STEPS, -1), numbers.current
        membranes = (run_lif(each, neuron, reset=reset).potential for each in inputs)
        curve, here = (~((u - level).abs() < 1e-9).any(0) for u in membranes)
        self.sure = {"neuronRate": {0: curve.tolist(), 2: [bool(here)]}, "neuronTime": {} if here else None}


class SureBasis(SynchronizationBasis):
    """The panel without two pairs of rows that are equally close: which of them is shown hangs on the last digit."""

    def draw(self, numbers):
        super().draw(numbers)
        cosines = numbers.basis.cosines.abs().triu(1).flatten().sort(descending=True).values
        tied = len(cosines) < 4 or float(cosines[0] - cosines[1]) < 1e-9
        self.sure = {"basisWaves": None if tied else {}, "basisCosines": None if tied else {}}


class Plain(NamedTuple):
    """What a trace has, in whatever form: its numbers, with NaN for gaps and words, and its words."""

    numbers: list[float]
    words: list[str]


def plain(values) -> Plain:
    found = Plain([], [])
    for value in [] if values is None else np.array(values, dtype=object).ravel().tolist():
        try:
            found.numbers.append(math.nan if value is None else float(value))
        except ValueError:
            found.numbers.append(math.nan)
            found.words.append(value)
    return found


@pytest.mark.parametrize(
    ("make", "count", "fixed"),
    [
        (TraceDecay, 70, {}),
        (STDPWindow, 70, {}),
        (SynchronizationBasis, 60, {"view": SAMPLE_VIEW, "latents": 64}),
        (SureBasis, 40, {"view": WAVES_VIEW, "classes": 12}),
        (SureBasis, 20, {"view": WAVES_VIEW, "latents": 32}),
        (ConceptorSubspaces, 60, {}),
        (SureNeuron, 70, {}),
        (SurrogateExplorer, 40, {}),
        (EligibilityTimeline, 60, {}),
        (LocalityMap, 10, {}),
    ],
)
def test_the_page_computes_what_python_computes(bare_page, make, count, fixed):
    cases = cases_of(make(), count, **fixed)
    answers = bare_page.evaluate(RUN, [case[:3] for case in cases])
    for (function, values, _, drawn, sure), answer in zip(cases, answers, strict=True):
        for k, key, computed in answer or []:
            (by_page, words), (truth, true_words) = plain(computed), plain(drawn[k].get(key))
            if key == "y" and k in sure:
                by_page, truth = (list(compress(each, sure[k])) for each in (by_page, truth))
            near = CLOSE if key != "text" else 0.0101  # a last digit may be rounded the other way
            place = function, k, key, values
            assert by_page == pytest.approx(truth, rel=CLOSE, abs=near, nan_ok=True), place
            assert words == true_words, place
    assert sum(answer is None for answer in answers) < len(cases) / 3


STATIC_STEPS = 80
STATIC = f"""<!doctype html><input type="range" min="0" max="1" step="0.01" value="0.9"><svg><path></path></svg>
<script>{twin_script()}
  const slider = document.querySelector("input");
  const draw = () => {{
    const placed = {{ spikes: "placed", count: 2, first: 10, second: 20, third: 0, decay_post: 0.5 }};
    const {{ 1: q }} = TWINS.traces({{ ...placed, decay_pre: +slider.value }}, {{ x: Array({STATIC_STEPS}).fill(0) }});
    document.querySelector("path").setAttribute("d", "M" + q.y.map((y, t) => `${{t}},${{y}}`).join("L"));
  }};
  slider.oninput = draw;
  draw();
</script>"""


def test_a_twin_moves_a_picture_on_a_page_without_a_kernel(bare_page):
    bare_page.set_content(STATIC)
    for decay in (0.9, 0.35):
        bare_page.locator("input").fill(str(decay))
        path = bare_page.locator("path").get_attribute("d").removeprefix("M").split("L")
        drawn = [float(point.split(",")[1]) for point in path]
        assert drawn == pytest.approx(run_trace(spikes_at([10, 20], STATIC_STEPS), decay).tolist(), abs=CLOSE)


ALL = """import ipywidgets
from widgets.panels import basis, conceptors, eligibility, lif, locality, stdp, surrogate, traces
panels = [stdp.STDPWindow(), traces.TraceDecay(), basis.SynchronizationBasis(view="one sample"),
  conceptors.ConceptorSubspaces(), lif.LIFExplorer(), surrogate.SurrogateExplorer(), eligibility.EligibilityTimeline(),
  locality.LocalityMap(), basis.SynchronizationBasis(phase=0.5)]
ipywidgets.VBox([panel.view for panel in panels])"""
# Press a key on a slider; what the figure shows before anything can have come from the kernel, and whether it moved.
# How soon the kernel answers does not matter: the timer of the rest, after which axes follow, never runs out.
PRESS = """([alt, trace, name, key]) => {
  const figure = [...document.querySelectorAll('.workbench-figure')].find((each) =>
    each.offsetParent && each.ariaLabel.startsWith(alt));
  const panel = figure.closest('.workbench-panel');
  const sentence = () => panel.querySelector('.workbench-status').innerText;
  const numbers = () => JSON.stringify([...figure.data[trace].y]);
  const [words, before, drawn] = [sentence(), numbers(), { alone: 0, whole: 0 }];
  figure.on('plotly_animated', () => { drawn.alone++; });
  figure.on('plotly_update', () => { drawn.whole++; });
  window.afterwards = () => drawn.alone && sentence() !== words && { ...drawn, numbers: numbers() };
  const handle = [...panel.querySelectorAll('[role=slider]')].find((each) => each.ariaLabel === name);
  const [later, kept] = [window.setTimeout, []];
  window.setTimeout = (run, ...others) => (run.name === 'settle' ? kept.push(run) : later(run, ...others));
  handle.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  return Promise.resolve().then(() => {
    window.setTimeout = later;
    return { moved: numbers() !== before, numbers: numbers(), kept: kept.length > 0 };
  });
}"""
MOVES = [
    ("Weight change of one pair", 1, "amplitude A₊", "ArrowRight"),
    ("Spikes over time", 1, "decay λ_pre", "ArrowRight"),
    ("Latents of one sample", 0, "in step by", "ArrowRight"),
    ("Left both clouds", 5, "aperture α", "ArrowRight"),
    ("Singular values", 0, "aperture α", "ArrowRight"),
    ("Three rows over time", 1, "strength I", "ArrowLeft"),
    ("Firing rate", 2, "strength I", "ArrowRight"),
    ("Secondary activations", 0, "width", "ArrowRight"),
    ("The membrane of a neuron over time", 0, "width", "ArrowRight"),
    ("Spikes of two neurons", 3, "decay λ_pre", "ArrowRight"),
    ("How much the chosen layer", 2, "step t", "ArrowRight"),
    ("The rule:", 3, "step t", "ArrowRight"),
    ("Three rows of the basis", 0, "phase φ (latents)", "ArrowRight"),
]
BOUND = "(count) => document.querySelectorAll('[data-twin]').length === count"


def test_the_picture_moves_before_the_kernel_knows_and_is_not_drawn_again(page_of, open_page):
    page = open_page(page_of(ALL))
    page.wait_for_function(BOUND, arg=8 + 2 + 2 + 3 + 2 * 3 + 1)
    for alt, *move in MOVES:
        at_once = page.evaluate(PRESS, [alt, *move])
        assert at_once["moved"], alt
        assert at_once["kept"], alt
        answered = page.wait_for_function("() => afterwards()").json_value()
        assert (answered["alone"], answered["whole"], answered["numbers"]) == (1, 0, at_once["numbers"]), alt


OTHERWISE = """from widgets.panels.stdp import REACH, STDPWindow
class Otherwise(STDPWindow):
    held = True
    def draw(self, numbers):
        super().draw(numbers)
        self.window.data[1].y = numbers.window[REACH:].numpy() + 0.225
        if self.held and float(numbers.window[REACH]) < 1.0:
            self.held = False
            open("{gate}").read()  # until the test has opened the other end
Otherwise()"""
FIRST = "() => document.querySelector('.js-plotly-plot')?.data?.[1]?.y?.[0]"
# Eight keys, a frame apart, on a slider that may wait behind "more settings"; frame by frame what is seen.
EIGHT = f"""async (name) => {{
  const handle = [...document.querySelectorAll('[role=slider]')].find((each) => each.ariaLabel === name);
  window.seen = [];
  const look = () => {{ seen.push(({FIRST})()); requestAnimationFrame(look); }};
  look();
  for (let k = 0; k < 8; k++) {{
    handle.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'ArrowLeft', bubbles: true }}));
    await new Promise(requestAnimationFrame);
  }} }}"""


def test_python_has_the_last_word_and_what_it_said_before_is_not_shown(page_of, open_page, tmp_path):
    os.mkfifo(gate := tmp_path / "gate")
    page = open_page(page_of(OTHERWISE.format(gate=gate)))
    page.wait_for_function(f"() => Math.abs(({FIRST})() - 1.225) < 1e-9")
    page.wait_for_function(BOUND, arg=2)
    page.evaluate(EIGHT, "amplitude A₊")
    with gate.open("w"):  # Python answers the first key now, after the last
        pass
    page.wait_for_function(f"() => Math.abs(({FIRST})() - 0.825) < 1e-9")
    seen = {round(value, 9) for value in page.evaluate("() => seen")}
    by_page, by_python = ({round(1.0 - 0.05 * k + of, 9) for k in range(9)} for of in (0.0, 0.225))
    assert len(seen & by_page) > 3
    assert seen & by_python == {1.225, 0.825}
    assert not seen - by_page - by_python
