"""The confidences of :mod:`tagdb.learning.als` in terms of Spark's. Pure.

For the same preferences of 1, implicit's confidence in an interaction is c, and that in all others 1. Spark's
are 1 + α·r, with ratings r above 0, and 1. So r = (c - 1) / α, and α is so small that a c of 1 is one, too.
"""

import numpy as np
from numpy.typing import NDArray

from tagdb.errors import FactorsError

ALPHA = 1e-6
"""Spark's alpha."""
LEAST = 1e-3
"""The rating of a confidence of 1; Spark takes 0 for no preference."""
ROUNDING = 1e-6
"""Confidences are float32."""


def ratings(confidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return Spark's ratings, float32 (n,), for confidences of 1 or more, (n,)."""
    return np.maximum((confidence.astype(np.float64) - 1) / ALPHA, LEAST).astype(np.float32)


def require_expressible(least: float) -> None:
    """Raise FactorsError if the least confidence is below 1."""
    if least < 1 - ROUNDING:
        raise FactorsError(
            f"Spark knows no confidence below 1, and the least would be {least:.3g}; raise --alpha "
            f"to {1 / least:.3g} times as much, or leave --engine out"
        )
