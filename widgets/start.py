"""The start page: the four questions, what answers each, and the ways in."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from workbench.language import LANGUAGES, language, say


class Group(NamedTuple):
    """Panels under one question: its word, the question, the name of its colour, panels, what it is about, a sketch.

    The colours are those of widgets/static/app.css.
    """

    word: str
    question: str
    accent: str
    panels: tuple[str, ...]
    about: str
    sketch: str = ""


_LINE = 'fill="none" stroke="currentColor" stroke-width="2"'
_THICK = 'fill="none" stroke="var(--accent)" stroke-width="4" stroke-linecap="round"'

# a spike and the trace that it leaves
_DECAY = (
    f'<path {_LINE} d="M0 70H240"/><path {_LINE} d="M40 70V30M130 70V30"/>'
    f'<path {_THICK} d="M0 70H40V22C70 58 100 66 130 67V18C160 56 200 66 240 68"/>'
)
# layers, and an error that reaches each of them from beside it
_LAYERS = (
    "".join(f'<circle {_LINE} cx="{x}" cy="{y}" r="7"/>' for x in (30, 120, 210) for y in (16, 42, 68))
    + f'<path {_LINE} d="M40 42H108M130 42H198"/><path {_THICK} d="M120 84V78M210 84V78M30 84V78"/>'
)
# a large cube of numbers and the small core that is kept of it
_CORE = (
    f'<path {_LINE} d="M20 24H84V80H20ZM20 24L40 6H104L84 24M84 80L104 62V6"/>'
    f'<path {_LINE} d="M120 44H160M152 37L160 44L152 51"/>'
    f'<path {_THICK} d="M184 40H208V62H184ZM184 40L192 33H216L208 40M208 62L216 55V33"/>'
)
# an ellipse of what is taken, and a step beside it
_ELLIPSE = (
    f'<ellipse {_LINE} cx="104" cy="46" rx="86" ry="18" transform="rotate(-18 104 46)"/>'
    f'<path {_THICK} d="M104 46L122 92M104 46L150 28" stroke-dasharray="1 0"/>'
)
_TOGETHER = ""

GROUPS = (
    Group(
        "Time",
        "What is remembered?",
        "time",
        ("lif", "trace", "stdp", "eligibility"),
        "A spike is over at once. A synapse that is to learn from it must carry something on: a trace.",
        _DECAY,
    ),
    Group(
        "Space",
        "Who says “wrong”?",
        "space",
        ("surrogate", "basis", "locality"),
        "An error is known at the output. How does a layer far below come by a signal of its own?",
        _LAYERS,
    ),
    Group(
        "Memory",
        "What is kept?",
        "memory",
        ("compression", "memory", "cost"),
        "To change a weight one needs the activity of before. How little of it is enough?",
        _CORE,
    ),
    Group(
        "Direction",
        "Where may weights move?",
        "direction",
        ("conceptors", "overlap", "matrix"),
        "A new task must not undo the old ones. Which directions of a weight are still free?",
        _ELLIPSE,
    ),
    Group(
        "Together",
        "What does a network make of it?",
        "together",
        ("step", "training", "playground", "results"),
        "Choose one answer to each question, and watch a network learn.",
        _TOGETHER,
    ),
)


def start_page(groups: Sequence[Group], titles: Mapping[str, str]) -> str:
    """The page as HTML in the language of the page; `titles` are the words on the tabs of the panels that there are."""
    titles = {name: say(title) for name, title in titles.items()}
    questions = "".join(_question(group, titles) for group in groups if group.sketch)
    together = "".join(
        f'<a href="?tab={name}" data-tab="{name}">{escape(titles[name])}</a>'
        for group in groups
        if not group.sketch
        for name in group.panels
        if name in titles
    )
    lead = say(
        "Brains have no place to store a whole recording and no wire to send an error back through every layer. "
        "Five published rules learn without them. Each answers four questions; here you can take every answer in your "
        "hand."
    )
    return f"""<div class="workbench-start">
<h2>{say("How can a synapse learn from what is beside it?")}</h2>
<p class="lead">{lead}</p>
<div class="big"><button type="button" class="first" data-tour="1">{say("Start the tour: 12 minutes")}</button>
<a href="?tab=lif" data-tab="lif">{say("Begin with a neuron")}</a></div>
<div class="questions">{questions}</div>
<div class="big" aria-label="{say("All four together")}">{together}</div>
{_languages()}
</div>"""


def _languages() -> str:
    """The same page in the other languages, each named in its own."""
    others = (
        f'<a href="?lang={code}" hreflang="{code}" lang="{code}">{name}</a>'
        for code, name in LANGUAGES.items()
        if code != language()
    )
    return f'<p class="languages">{" ".join(others)}</p>'


def _question(group: Group, titles: Mapping[str, str]) -> str:
    links = "".join(
        f'<li><a href="?tab={name}" data-tab="{name}">{escape(titles[name])}</a></li>'
        for name in group.panels
        if name in titles
    )
    return f"""<section class="question" style="--accent: var(--{group.accent})">
<h3>{say(group.word).upper()}</h3><p><b>{say(group.question)}</b></p>
<svg viewBox="0 0 240 96" role="presentation" aria-hidden="true">{group.sketch}</svg>
<p>{say(group.about)}</p><ul>{links}</ul></section>"""
