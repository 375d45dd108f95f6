"""Makes the recorded runs anew: `python -m widgets.record` starts each panel that trains, waits, and writes."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from widgets.app import PANELS
from widgets.frame.panel import Panel
from widgets.frame.race_panel import RacePanel
from widgets.frame.recorded import record
from workbench.data.delivery.storage import written_unlocked
from workbench.language import speak


def make(folder: Path, panels: Iterable[Callable[[], Panel]] = PANELS, seconds: float = 600.0) -> list[Path]:
    """Run every panel that trains with its first settings and write what it shows; the files that were written.

    Raises TimeoutError where a run takes longer than `seconds`; the file of that panel is then as it was.
    """
    written = []
    folder.mkdir(exist_ok=True)
    for maker in panels:
        panel = maker()
        if not isinstance(panel, RacePanel):
            continue
        panel.forget_recorded()
        panel.start()
        assert panel.race is not None
        panel.race.wait(seconds)
        panel.redraw()
        file = folder / f"{panel.name}.json"
        text = json.dumps(record(panel.named_figures, panel.text), separators=(",", ":"))
        with written_unlocked(file) as part:
            part.write_text(f"{text}\n", "utf-8")
        written.append(file)
    return written


if __name__ == "__main__":
    speak("en")  # what is recorded is shown in any language
    for path in make(Path(__file__).parent / "recorded"):
        print(path.name, path.stat().st_size, "bytes")
