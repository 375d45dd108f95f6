"""`LocalityMap`: which layers and which time steps the update of a layer depends on, for each rule."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor

from widgets.drawing.twin import Twin
from widgets.frame.controls import choice, whole_slider
from widgets.frame.panel import Panel
from widgets.lessons.locality import LOCALITY
from widgets.panels.locality_pictures import PLACES, TIMES, chosen_figure, frame, ink, map_figure
from workbench.language import say
from workbench.watch.dependence import LAYERS, STEPS, Dependence, dependence, mapped_rules, shade


class Seen(NamedTuple):
    """The dependences of the rule and of the one beside it, and those of the chosen update: of layers, of steps."""

    found: Dependence
    beside: Dependence
    layer: int
    step: int
    layers: Tensor
    steps: Tensor


class LocalityMap(Panel):
    """A layer and a step are chosen, by click or by control; every other layer and step shows whether it matters, for
    two rules.

    Controls: rule, beside (another rule to compare with), layer (whose update is looked at), step (when it is made).
    """

    name = "locality"
    title = "Locality"
    lesson = LOCALITY

    def __init__(self, **state: Any) -> None:
        what = (
            "change of every layer's update by every layer replaced, and of every step's update by every step replaced"
        )
        self.chosen = chosen_figure()
        self.maps = [map_figure(f"{which}: {what}") for which in ("The rule", "The rule beside it")]
        self.chosen.twin = Twin("localityChosen", ("step",))
        for each in self.maps:
            each.twin, each.given = Twin("localityRow", ("step",)), {"steps": STEPS}
        self._drawn: list[tuple[Any, int]] = [(None, 0), (None, 0)]  # matrices stand still while the step moves
        rules = {rule.label: rule.name for rule in mapped_rules()}
        layers = {name: k for k, name in enumerate(LAYERS)}
        controls = {
            "rule": choice("rule", rules, "how the network learns", "TESS"),
            "beside": choice("beside it", rules, "another rule to compare with", "BPTT"),
            "layer": choice(
                "layer l", layers, "whose update is looked at; a click on a layer does the same", "layer 2"
            ),
            "step": whole_slider("step t", STEPS // 2, 0, STEPS - 1, "when the update is made; or click on a step"),
        }
        super().__init__(controls, [self.chosen, *self.maps], state)
        boxes, touch, earlier, later = self.chosen.data[:4]
        for trace in (boxes, *(each.data[0] for each in self.maps)):
            trace.on_click(lambda _, points, __: self._choose("layer", points.ys))
        for trace in (touch, earlier, later):
            trace.on_click(lambda _, points, __: self._choose("step", points.xs))
        for each in self.maps:
            each.data[1].on_click(lambda _, points, __: self._choose("step", points.ys))

    def _choose(self, control: str, places: Sequence[float]) -> None:
        if places:
            self.controls[control].value = round(places[0])

    def compute(self, rule: str, beside: str, layer: int, step: int) -> Seen:
        found = dependence(rule)
        return Seen(found, dependence(beside), layer, step, found.of_layers(layer), found.of_steps(layer)[step])

    def draw(self, numbers: Seen) -> None:
        found, beside, layer, step, of_layers, of_steps = numbers
        boxes, touch, earlier, later, box, at_step, words = self.chosen.data
        self.chosen.given = {"changes": found.of_steps(layer).tolist()}
        touch.text = _words(of_steps, "no")
        boxes.z, boxes.text = shade(of_layers)[:, None].numpy(), _words(of_layers[:, None], "no")
        _write(words, [0], PLACES, of_layers)
        earlier.y, later.y = of_steps[: step + 1].numpy(), of_steps[step + 1 :].numpy()
        earlier.x, later.x = list(range(step + 1)), list(range(step + 1, STEPS))
        earlier.text, later.text = (_no(part) for part in (of_steps[: step + 1], of_steps[step + 1 :]))
        box.x, box.y = frame(1, layer)
        at_step.x = [step]
        names = [self.controls[name].label for name in ("rule", "beside")]
        for k, (figure, name, each) in enumerate(zip(self.maps, names, (found, beside), strict=True)):
            space, time, of_layer, of_step, in_space, in_time = figure.data
            if self._drawn[k][0] is not each or self._drawn[k][1] != layer:
                self._drawn[k], changes = (each, layer), each.of_steps(layer)
                space.update(z=shade(each.space.change).numpy(), text=_words(each.space.change, "no"))
                time.update(z=shade(changes).numpy(), text=_words(changes, "no"))
                _write(in_space, PLACES, PLACES, each.space.change)
                _write(in_time, TIMES, TIMES, changes)
                figure.layout.annotations[0].text = say("{rule}: how much the update changes, D", rule=f"<b>{name}</b>")
            for trace, size, row in ((of_layer, len(LAYERS), layer), (of_step, STEPS, step)):
                trace.x, trace.y = frame(size, row)

    def describe(self, numbers: Seen) -> str:
        rule, beside = self.controls["rule"].label, self.controls["beside"].label
        found, other, layer, step, *_ = numbers
        told = f"{rule}: {_space(found, layer)} {_time(found, layer, step)}"
        if rule == "BPTT":
            return f"{told} {say('BPTT waits until the recording ends and then goes back through all of it.')}"
        if other is found:
            return told
        layers, steps = _names(other.of_layers(layer), 0), _steps(other.of_steps(layer)[step])
        under = say("Under {rule} it depends on {layers}, and on {steps}.", rule=beside, layers=layers, steps=steps)
        return f"{told} {under}"

    def source(self, rule: str, beside: str, layer: int, step: int) -> str:
        return f"""
            from workbench.watch import dependence

            found, beside = dependence("{rule}"), dependence("{beside}")
            layers = found.of_layers({layer})
            steps = found.of_steps({layer})[{step}]
            print("change of the update when each layer is replaced:", layers)
            print("change of the update at step {step} when each step's input is replaced:", steps)
            print("largest from a later layer, from a later step:", found.space.later, found.time.later)
        """


def _write(words: Any, x: Sequence[int], y: Sequence[int], change: Tensor) -> None:
    """Put the word of each cell into its middle, in a colour that is legible there."""
    cells = [(column, row) for row in y for column in x]
    words.update(x=[column for column, _ in cells], y=[row for _, row in cells], text=_words(change.flatten(), "no"))
    words.textfont.color = ink(change)


def _words(change: Tensor, none: str) -> Any:
    """Each number with two digits, `none` for exactly zero, in lists as deep as the tensor."""
    if change.ndim:
        return [_words(part, none) for part in change]
    return none if change == 0 else "<.01" if change < 0.01 else f"{change:.2f}"


def _no(change: Tensor) -> list[str]:
    return ["no" if value == 0 else "" for value in change.tolist()]


def _space(found: Dependence, layer: int) -> str:
    """What the update of a layer depends on, of the layers, and what that says of the rule."""
    row, local = found.of_layers(layer), found.space.later == 0
    below, above = _names(row[:layer], 0), _names(row[layer + 1 :], layer + 1)
    told = say("the update of {layer} depends on itself", layer=_the(layer))
    told += say(" and on {below} below it", below=below) if below else ""
    if layer == len(LAYERS) - 1 and local:
        more = say("; nothing lies above it, and no other update depends on a layer above")
    elif layer == len(LAYERS) - 1:
        more = say("; nothing lies above it, but other updates depend on layers above")
    elif above:
        most = float(row[layer + 1 :].max())
        more = say(", and on {above} above it, by up to D = {most:.2f}", above=above, most=most)
    else:
        more = say(", but on no layer above it")
    return f"{told}{more}: {say('local in space') if local else say('not local in space')}."


def _time(found: Dependence, layer: int, step: int) -> str:
    """The same of the steps."""
    row, local = found.of_steps(layer)[step], found.time.later == 0
    later = row[step + 1 :]
    if step == STEPS - 1:
        more = say("; no step is later")
        more += "" if local else say(", but the updates before it do depend on later steps")
    elif later.any():
        steps, most = _steps(later, step + 1), float(later.max())
        more = say(", and of the later {steps}, by up to D = {most:.2f}", steps=steps, most=most)
    else:
        more = say(", but of no later step")
    steps = _steps(row[: step + 1])
    told = say("Its part made at step {step} depends on the input of {steps}", step=step, steps=steps)
    return f"{told}{more}: {say('local in time') if local else say('not local in time')}."


def _the(layer: int) -> str:
    return say("the readout") if layer == len(LAYERS) - 1 else say("layer {number}", number=layer + 1)


def _names(change: Tensor, first: int) -> str:
    """The layers that matter, in words; `change` begins with layer number `first`."""
    names = [_the(first + k) for k in change.nonzero()[:, 0].tolist()]
    return say(" and ").join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _steps(change: Tensor, first: int = 0) -> str:
    """The steps that matter, in words."""
    places = [first + k for k in change.nonzero()[:, 0].tolist()]
    if not places:
        return say("no step")
    if len(places) == 1:
        return say("step {steps}", steps=places[0])
    if places == list(range(places[0], places[-1] + 1)):
        return say("steps {first} to {last}", first=places[0], last=places[-1])
    return say("steps {steps}", steps=", ".join(map(str, places)))
