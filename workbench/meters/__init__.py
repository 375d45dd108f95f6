"""Instruments: bytes counted while something runs; none of them knows a rule or a network."""
