"""A bucket of tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.serving.bucket import Bucket


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 3)), max_size=50))
def test_a_bucket_never_lets_more_through_than_it_holds_and_gets(steps):
    bucket, now, passed = Bucket(rate=2.0, burst=5.0), 0.0, 0.0
    for wait, amount in steps:
        now += wait
        if bucket.take(amount, now):
            passed += amount
        assert passed <= 5.0 + 2.0 * now + 1e-9


def test_a_bucket_refuses_a_rate_of_nothing():
    with pytest.raises(ValueError, match="above 0, got 0"):
        Bucket(0, 1)
