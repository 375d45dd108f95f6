"""One method against forgetting, one file."""
