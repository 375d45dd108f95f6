"""An experiment while it runs: the numbers behind a live picture."""
