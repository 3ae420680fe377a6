"""What there is to know of Spark without having it: its ratings, and its errors in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from tagdb.errors import FactorsError
from tagdb.learning import als
from tagdb.spark import cluster, ratings


@pytest.mark.parametrize("confidence", [1.0, 1.0000002, 1.5, 40.0, 1e6])
def test_a_confidence_is_the_same_to_spark(confidence: float) -> None:
    """As MLlib's ALS computes it: 1 + alpha * rating, for a preference of 1 if the rating is above 0."""
    (rating,) = ratings.ratings(np.array([confidence], np.float32))
    assert rating.dtype == np.float32
    assert rating > 0
    assert 1 + ratings.ALPHA * float(rating) == pytest.approx(confidence, rel=2e-7)


def test_the_normal_equations_are_the_same() -> None:
    rng = np.random.default_rng(1)
    other = rng.standard_normal((6, 3)).astype(np.float32)
    weight = np.array([1.0, 2.5, 7.0], np.float32)
    places = np.array([0, 2, 5])
    gram, near = other.T @ other, other[places].astype(np.float64)
    (expected,) = als.fold_in(other, gram, [places], [weight], 3.0, 0.01)
    more = ratings.ALPHA * ratings.ratings(3 * weight)
    left = gram + near.T @ (more[:, None] * near) + 0.01 * np.eye(3)
    np.testing.assert_allclose(np.linalg.solve(left, (1 + more) @ near), expected, rtol=1e-4)


@pytest.mark.parametrize("least", [1.0, 0.9999999, 5.0])
def test_confidences_that_spark_knows(least: float) -> None:
    ratings.require_expressible(least)


def test_a_confidence_that_it_does_not_know() -> None:
    with pytest.raises(FactorsError, match=r"the least would be 0\.25; raise --alpha to 4 times"):
        ratings.require_expressible(0.25)


PYTHON = """An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, \
most recent failure: Lost task 0.3 in stage 0.0 (TID 3) (10.0.0.1 executor 1): \
org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "worker.py", line 1, in main
    process()
{error}

\tat org.apache.spark.api.python.BasePythonRunner.handlePythonException(PythonRunner.scala:1)
"""


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            PYTHON.format(error="tagdb.errors.DatabaseGone: cannot connect to db: refused; check the URL"),
            "cannot connect to db: refused; check the URL",
        ),
        (
            PYTHON.format(error="ModuleNotFoundError: No module named 'tagdb'"),
            "the executors' Python has no tagdb; install it on the workers, or name another Python by "
            "PYSPARK_PYTHON (docs/scale.md says more)",
        ),
        (PYTHON.format(error="ValueError: no"), "Spark failed: ValueError: no"),
        (
            "An error occurred while calling o1.fit.\n: org.apache.spark.SparkException: Job 3 cancelled\n",
            "Spark failed: org.apache.spark.SparkException: Job 3 cancelled",
        ),
        ("", "Spark failed: no reason given"),
    ],
)
def test_what_spark_says_is_one_sentence(message: str, expected: str) -> None:
    assert cluster.sentence(message) == expected
