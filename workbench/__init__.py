"""Local learning rules: neurons, traces, learning signals, rules, data and training."""
