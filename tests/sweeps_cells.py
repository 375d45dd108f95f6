"""Cells as their files would have them, without any training: for tests only."""

from workbench.sweeps.cell import FORMAT, Cell, settings_hash


def cell(rule, seed, value, experiment="sound", epochs=3, device="cpu"):
    """A cell with this score; its other numbers are round ones."""
    asked = Cell(experiment, rule, seed, epochs)
    return {
        "format": FORMAT,
        "cell": asked._asdict(),
        "settings": settings_hash(asked),
        "score": {"name": "accuracy", "value": value},
        "totals": {"seconds": 2.0 + seed, "peak_state_bytes": 1000, "saved_bytes": 3000},
        "curve": [{"epoch": epochs, "score": value, "loss": 1.0, "seconds": 1.0}],
        "macs": 2_000_000,
        "made": {"device": device, "processor": "Fast CPU (x86_64)"},
    }
