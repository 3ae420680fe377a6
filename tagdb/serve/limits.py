"""How often somebody may ask."""

import math
import time


class Rates:
    """A bucket for each key that fills steadily, and that each request takes one from."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._rate, self._burst = per_second, max(burst, 1.0)
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> int:
        """Take one; return 0, or the number of seconds after which there is one again."""
        if wait := self.empty(key):
            return wait
        level, now = self._level(key)
        if len(self._buckets) > 10_000:  # those of clients that ask no more are full again
            self._buckets = {name: (old, at) for name, (old, at) in self._buckets.items() if now - at < 60}
        self._buckets[key] = level - 1, now
        return 0

    def empty(self, key: str) -> int:
        """Return the number of seconds after which there is one again; 0 if there is."""
        level, _ = self._level(key)
        return 0 if level >= 1 else math.ceil((1 - level) / self._rate)

    def _level(self, key: str) -> tuple[float, float]:
        now = time.monotonic()
        level, at = self._buckets.get(key, (self._burst, now))
        return min(self._burst, level + (now - at) * self._rate), now
