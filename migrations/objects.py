"""Views, functions and triggers: one object per file, ``sql/SCHEMA/NAME.sql``, edited in place.

They hold no data, so every upgrade recreates all of them after its revisions, in the same transaction.
``CREATE OR REPLACE`` cannot do everything: a revision that changes a function's arguments or result, or a
view's columns other than by appending some, must first drop the object by name, after dropping what depends
on it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent / "sql"
CITUS = FOLDER / "citus"
"""What is different where Citus distributes embeddings, search vectors and image factors."""

# Every object comes after those that it uses.
OBJECTS = (
    # arguments
    "tagdb_store.refuse",
    "tagdb_store.at_least_one",
    "tagdb_store.within",
    "tagdb_store.checked_embedding",
    # hashtags
    "tagdb_store.fold_hashtag",
    "tagdb_store.hashtag_problem",
    "tagdb_store.spelled_hashtag",
    "tagdb_store.fold_given",
    "tagdb_store.counting_as",
    "tagdb_store.counted_hashtags",
    "tagdb.fold_hashtag",
    "tagdb_store.refresh_spellings",
    "tagdb_store.refresh_statistics",
    "tagdb_store.count_changed_images",
    "tagdb_store.refresh_edited_statistics",
    "tagdb_store.edit_hashtags",
    "tagdb_store.undo_hashtag_edit",
    "tagdb_store.note_changed_images",
    "tagdb_store.images_added",
    "tagdb_store.images_changed",
    "tagdb_store.images_removed",
    "tagdb_store.image_hashtags_added",
    "tagdb_store.image_hashtags_removed",
    # backbones and the vector index
    "tagdb_store.follow_ef_search",
    "tagdb_store.ef_search_followed",
    "tagdb_store.add_backbone",
    "tagdb_store.activate_backbone",
    "tagdb_store.drop_backbone",
    "tagdb_store.projected",
    "tagdb_store.search_vector",
    "tagdb_store.new_projection",
    "tagdb_store.index_projection",
    "tagdb_store.attach_projection",
    "tagdb_store.activate_projection",
    "tagdb_store.attached_projections",
    "tagdb_store.retire_projection",
    "tagdb_store.drop_projections",
    # all that reads embeddings, search vectors and image factors, and nothing else
    "tagdb_store.spread",
    "tagdb_store.stored",
    "tagdb_store.active_backbone",
    "tagdb_store.active_run",
    "tagdb_store.candidates",
    "tagdb_store.candidates_among",
    "tagdb_store.exact_neighbours",
    "tagdb_store.has_few_factors",
    "tagdb_store.embedding_of",
    "tagdb_store.factors_of",
    "tagdb_store.has_embedding",
    "tagdb_store.has_factors",
    "tagdb_store.count_vectors",
    # feedback
    "tagdb_store.verdicts",
    "tagdb.give_feedback",
    "tagdb.withdraw_feedback",
    "tagdb.rejected_hashtags",
    "tagdb.find_image",
    # corrections
    "tagdb_store.claim_images",
    "tagdb.remove_images",
    "tagdb.remove_image",
    "tagdb.tag_image",
    "tagdb.untag_image",
    # factor runs
    "tagdb_store.interactions",
    "tagdb_store.new_factor_run",
    "tagdb_store.claim_factor_part",
    "tagdb_store.finish_factor_run",
    "tagdb_store.note_factor_run_metrics",
    "tagdb_store.attach_factor_run",
    "tagdb_store.activate_factor_run",
    "tagdb_store.discard_factor_run",
    "tagdb_store.discard_abandoned_factor_runs",
    "tagdb_store.prune_factor_run",
    # recommending
    "tagdb_store.neighbours",
    "tagdb_store.hashtag_place",
    "tagdb_store.best_hashtags",
    "tagdb_store.hashtag_likeness",
    "tagdb_store.diverse_hashtags",
    "tagdb_store.known_blend",
    "tagdb_store.recommend",
    "tagdb.recommend_for_embedding",
    "tagdb.recommend_for_image",
    "tagdb_store.explain",
    "tagdb.explain_recommendation",
    "tagdb.explain_recommendation_for_image",
    "tagdb.related_hashtags",
    "tagdb.complete_hashtags",
    "tagdb_store.similar",
    "tagdb.similar_images",
    "tagdb.similar_images_to",
    # photos by SQL
    "tagdb_store.live_workers",
    "tagdb_store.own_request",
    "tagdb.workers",
    "tagdb.submit_photo",
    "tagdb.request_state",
    "tagdb.answer",
    "tagdb.withdraw_photo",
    "tagdb.recommend_photo",
    # vectors and thumbnails
    "tagdb.thumbnail",
    "tagdb.embedding",
    "tagdb.image_factors",
    "tagdb.hashtag_factors",
    # tokens of tagdb serve
    "tagdb_store.token",
    "tagdb_store.note_token",
    "tagdb_store.has_tokens",
    # what is stored
    "tagdb.images",
    "tagdb.hashtags",
    "tagdb.image_hashtags",
    "tagdb.backbones",
    "tagdb.network",
    "tagdb.index_checks",
    "tagdb.factor_runs",
    "tagdb.coverage",
    "tagdb.acceptance",
    "tagdb.ingest_runs",
    "tagdb.ingest_errors",
    "tagdb.hashtag_edits",
    "tagdb.statistics",
    "tagdb_store.hashtag_ranks",
    "tagdb_store.at_least",
    "tagdb.hashtag_stats",
    "tagdb.hashtag_pairs",
    "tagdb.hashtag_trend_daily",
    "tagdb.hashtag_trend_weekly",
    "tagdb.hashtag_trend_monthly",
    "tagdb.hashtag_trend",
    "tagdb.hashtag_growth",
    "tagdb.collection_stats",
    "tagdb.collection_hashtags",
)

_MADE = re.compile(
    r"^CREATE OR REPLACE (?P<kind>VIEW|FUNCTION|PROCEDURE|TRIGGER) (?P<name>[\w.]+)"
    r"(?:[^;]*? (?P<table>ON tagdb\w*\.\w+))?",
    re.MULTILINE,
)


def read(name: str, distributed: bool = False) -> str:
    """Return the text of an SQL file, such as ``roles`` or ``tagdb.images``.

    A few objects have another body in a distributed database.
    """
    file = f"{name.replace('.', '/')}.sql"
    if distributed and (CITUS / file).exists():
        return (CITUS / file).read_text(encoding="utf-8")
    return (FOLDER / file).read_text(encoding="utf-8")


def made_by(text: str) -> tuple[str, str]:
    """Return the kind and name of the object that a file creates; a trigger with its table."""
    made = _MADE.search(text)
    assert made is not None
    return made["kind"], f"{made['name']} {made['table']}" if made["kind"] == "TRIGGER" else made["name"]


def statements(distributed: bool = False) -> Iterator[tuple[str, str]]:
    """Yield name and text of the files that recreate all objects, the roles and their rights, in order."""
    for name in ("search_path", "roles", *OBJECTS, "rights", "ef_search"):
        yield name, read(name, distributed)


def different() -> list[str]:
    """Return the objects that a distributed database has with another body, in order."""
    return [name for name in OBJECTS if (CITUS / f"{name.replace('.', '/')}.sql").exists()]


def drops() -> Iterator[str]:
    """Yield statements that drop all objects, each before those that it uses."""
    for name in reversed(OBJECTS):
        yield "DROP {} IF EXISTS {}".format(*made_by(read(name)))
