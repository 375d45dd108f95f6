"""Data sets, one function each, and the event camera that turns images into events."""
