"""Is a rule really local? Measured, and held against what its paper claims."""
