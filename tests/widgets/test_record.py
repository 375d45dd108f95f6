"""The recorded runs are made by running."""

import json

from counting_panel import Counting
from wave_panel import Wave

from widgets.record import make


def test_it_runs_the_panels_that_train_and_writes_what_they_show(tmp_path, gate):
    gate.open()
    (file,) = make(tmp_path / "recorded", [Wave, lambda: Counting(gate)], seconds=60)
    assert json.loads(file.read_text()) == {"words": "to 3", "traces": {"A picture of nothing much": []}}
    assert [path.name for path in file.parent.iterdir()] == ["counting.json"]
