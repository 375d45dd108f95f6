"""What every panel is made of: controls, state, text line, runs."""
