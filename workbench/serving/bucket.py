"""How often something may happen: a bucket of tokens that fills at a steady rate (token bucket, RFC 2697)."""


class Bucket:
    """Lets `burst` through at once and `rate` a second in the long run; the caller brings the clock.

    >>> bucket = Bucket(rate=1.0, burst=2.0)
    >>> [bucket.take(1, now) for now in (0.0, 0.0, 0.0, 1.0)]
    [True, True, False, True]
    """

    def __init__(self, rate: float, burst: float) -> None:
        if not (rate > 0 and burst > 0):
            raise ValueError(f"rate and burst are numbers above 0, got {rate} and {burst}")
        self._rate, self._burst, self._left = rate, burst, burst
        self._last: float | None = None

    def take(self, amount: float, now: float) -> bool:
        """Whether `amount` may pass at the time `now` (seconds that never go back); what may not is not counted."""
        passed = 0.0 if self._last is None else now - self._last
        self._left, self._last = min(self._burst, self._left + passed * self._rate), now
        if amount > self._left:
            return False
        self._left -= amount
        return True
