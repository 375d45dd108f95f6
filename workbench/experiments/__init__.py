"""Data, network and rules under a name that the command line, the app and the notebooks share."""
