"""One data set, one function."""
