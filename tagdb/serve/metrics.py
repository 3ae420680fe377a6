"""What Prometheus is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counters of one service."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "tagdb_requests", "Answered requests.", ["method", "route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "tagdb_request_seconds", "Time from the request to its answer.", ["route"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.step_seconds = Histogram(
            "tagdb_step_seconds",
            "Time of a step: embed (waiting, decoding and embedding), query (in PostgreSQL).",
            ["step"], buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.in_progress = Gauge("tagdb_requests_in_progress", "Requests being answered.", registry=registry)
        self.waiting = Gauge(
            "tagdb_photos_in_queue", "Photos being embedded or waiting for it.", registry=registry
        )
        self.refused = Counter(
            "tagdb_photos_rejected", "Photos that could not be decoded.", registry=registry
        )
        self.turned_away = Counter(
            "tagdb_requests_turned_away", "Requests that found a full queue or too high a rate.",
            ["why"], registry=registry,
        )  # fmt: skip
        self.connections = Gauge(
            "tagdb_database_connections",
            "Open connections to PostgreSQL.",
            ["role", "state"],
            registry=registry,
        )
        self.images = Gauge("tagdb_images", "Stored images.", registry=registry)
        self.run = Gauge("tagdb_factor_run", "Number of the active factor run.", registry=registry)
        self.run_age = Gauge("tagdb_factor_run_age_seconds", "Time since it was computed.", registry=registry)
        self.recall = Gauge(
            "tagdb_index_recall", "Recall of the vector index when it was last measured.", registry=registry
        )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step."""
        started = perf_counter()
        try:
            yield
        finally:
            self.step_seconds.labels(name).observe(perf_counter() - started)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)
