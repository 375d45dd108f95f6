"""How bad input is searched for: for tests only."""

import math

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

QUICK = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
bad_numbers = st.sampled_from([math.nan, math.inf, -math.inf])


def refuses(words, call, *args, **options):
    with pytest.raises(ValueError, match=words):
        call(*args, **options)
