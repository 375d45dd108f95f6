"""What a rule costs: by formula, counted, timed."""
