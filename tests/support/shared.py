"""Real photos and weights, which development may read and which are not part of the project."""

from pathlib import Path

SHARED = Path(__file__).parents[3] / "shared"
"""Their folder; tests that need it are skipped without it."""
