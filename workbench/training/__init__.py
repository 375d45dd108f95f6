"""The loop as a generator of records, and what stops, resumes and evaluates it."""
