"""The two factors of a local rule: what a synapse remembers (eligibility), who tells it what was wrong (signals)."""
