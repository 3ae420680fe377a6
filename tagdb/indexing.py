"""The vector index: build it with enough memory, measure it, and choose its settings."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tagdb import store
from tagdb.errors import TagdbError
from tagdb.postgres.database import Connection, require_writable
from tagdb.postgres.machine import Machine
from tagdb.postgres.pooled import require_session
from tagdb.progress import Report, track
from tagdb.store.index import Progress, SearchStatus
from tagdb.store.index_checks import Effort, IndexCheck

CANDIDATES = (200, 300, 400, 600)
"""Numbers of candidates that a check tries, for 50 neighbours. Its queries are nearer to the stored images
than new photos are, and need fewer: of 100,000 images, 100 candidates contained .99 of the neighbours of such
queries, but .93 of those of photos; of a million, 150 contained .96 and .94 (benchmarks/recommend.py)."""
EF_SEARCH = (100, 200, 400, 600, 800, 1000)
"""Values tried with each of them where they make sense; pgvector allows at most 1000."""
ABOUT = 0.005
"""Difference in recall that is not worth extra time."""
AS_FAST = 1.1
"""Ratio of two times that counts as equal, because the machine has other load too."""
RECALL = 0.96
"""Recall that a search should have: 0.95, plus a margin for the luck of a sample."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory that building the index may use, and that it needs, in bytes."""

    used: int
    needed: int

    @property
    def enough(self) -> bool:
        """Whether the whole index can be built in memory."""
        return self.used >= self.needed


@dataclass(frozen=True, slots=True)
class Examined:
    """Result of a check of the index."""

    images: int
    queries: int
    neighbours: int
    now: IndexCheck
    """Measurement with the settings in use."""
    tried: list[IndexCheck]
    """All measurements, including the one with the settings in use."""
    suggested: IndexCheck
    """See :func:`suggested`."""
    enough: bool
    """Whether the suggested settings reach the required recall."""


def status(connection: Connection) -> SearchStatus:
    """Return how images are searched.

    Raises
    ------
    TagdbError
        There are no embeddings yet.
    """
    search = store.index.status(connection)
    if search is None:
        raise TagdbError("the database holds no images yet; run: tagdb ingest SOURCE")
    return search


def memory_for(connection: Connection, embeddings: int, machine: Machine | None, asked: int | None) -> Memory:
    """Return the memory to build the index with.

    Parameters
    ----------
    machine
        What the server can use, if known; then up to a quarter of the machine's memory may be used, even if
        the server's own setting is lower.
    asked
        Limit given by the user, in bytes.
    """
    needed = store.index.memory_needed(embeddings)
    if asked is not None:
        return Memory(asked, needed)
    most = store.index.memory_set(connection)
    if machine is not None:
        shared = machine.memory if machine.shared_memory is None else machine.shared_memory
        most = max(most, min(machine.memory // 4, shared // 2))
    return Memory(min(needed, most), needed)


def ensure(connection: Connection, quiet: bool = False) -> bool:
    """Build the active backbone's vector index if there are enough embeddings; return whether it was."""
    search = store.index.status(connection)
    if search is None:
        return False
    with phases("vectors", quiet) as progress:
        return store.index.ensure(connection, search.backbone_id, progress)


def build(connection: Connection, memory: Memory, quiet: bool = False) -> SearchStatus:
    """Rebuild the vector index. Searches and ingests continue."""
    require_writable(connection)
    require_session(connection, "building the index")
    before = status(connection)
    with phases("vectors", quiet) as progress:
        store.index.build(connection, before.backbone_id, progress, memory.used)
    return status(connection)


def check(
    connection: Connection,
    queries: int = 100,
    neighbours: int = 50,
    recall: float = RECALL,
    quiet: bool = False,
) -> Examined | None:
    """Measure the recall of several settings and record it.

    Settings that are slower than others that find enough are left out: measuring takes most of the time.

    Returns None without a vector index: then searches scan all embeddings, and recall is 1.

    Raises
    ------
    TagdbError
        There are no embeddings yet.
    """
    require_writable(connection)
    require_session(connection, "checking the index")
    search = status(connection)
    if search.projection_id is None:
        return None
    backbone_id = search.backbone_id
    with phases("embeddings", quiet) as progress:
        asked = store.index_checks.sample_queries(connection, backbone_id, search.embeddings, queries)
        truth = store.index_checks.true_neighbours(
            connection, backbone_id, asked, neighbours, progress, search.embeddings
        )
    in_use = Effort(search.candidates, search.ef_search)
    pairs = {Effort(c, e): None for c in CANDIDATES for e in EF_SEARCH if e * 2 >= c}
    efforts = [in_use, *(effort for effort in pairs if effort != in_use)]
    tried: list[IndexCheck] = []
    store.index_checks.measure(
        connection, backbone_id, efforts[0], asked, truth
    )  # fills the caches for the others
    with track("measuring", len(efforts), "settings", quiet) as report:
        for done, effort in enumerate(efforts, 1):
            enough = (one for one in tried[1:] if one.recall >= recall)
            if not any(
                one.candidates <= effort.candidates and one.ef_search <= effort.ef_search for one in enough
            ):
                tried.append(store.index_checks.measure(connection, backbone_id, effort, asked, truth))
            report(done)
    store.index_checks.note(
        connection, search.projection_id, search.embeddings, len(asked), neighbours, tried
    )
    best = suggested([one for one in tried if Effort(one.candidates, one.ef_search) in pairs], recall)
    return Examined(search.embeddings, len(asked), neighbours, tried[0], tried, best, best.recall >= recall)


def suggested(tried: Sequence[IndexCheck], recall: float) -> IndexCheck:
    """The fastest of those that find enough, or else of those that find about as much as the best.

    Among equally fast settings, the one with the highest recall.
    """
    least = min(recall, max(one.recall for one in tried) - ABOUT)
    enough = [one for one in tried if one.recall >= recall] or [one for one in tried if one.recall >= least]
    fastest = min(one.milliseconds for one in enough)
    return max(
        (one for one in enough if one.milliseconds <= AS_FAST * fastest),
        key=lambda one: (one.recall, -one.milliseconds),
    )


def apply(connection: Connection, one: IndexCheck) -> None:
    """Use these settings from now on. They belong to the database and apply to all its users."""
    effort = Effort(one.candidates, one.ef_search)
    store.index_checks.set_effort(connection, status(connection).backbone_id, effort)


def _silent(done: int) -> None:
    """Discard a report."""


@contextmanager
def phases(unit: str, quiet: bool = False) -> Iterator[Progress]:
    """Show the progress of work in several phases, each with its own bar."""
    with ExitStack() as stack:
        phase = ""
        report: Report = _silent

        def progress(what: str, done: int, total: int) -> None:
            nonlocal phase, report
            if what != phase:
                stack.close()
                phase, report = what, stack.enter_context(track(what, total, unit, quiet))
            report(done)

        yield progress
