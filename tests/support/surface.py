"""Every function of the database, with arguments to try it with, and something for each to find."""

from __future__ import annotations

from hashlib import sha256

from psycopg import sql
from psycopg.types.json import Jsonb

from tagdb import store
from tagdb.learning.settings import FactorSettings
from tagdb.postgres.database import Connection
from tagdb.store import index
from tests.support import seed

QUERY = seed.literal(seed.features(1, 99)[0])
FACTORS = "[1,2,3,4]"
PUBLIC: dict[str, tuple[object, ...]] = {
    "recommend_for_embedding": (QUERY,),
    "recommend_for_image": (1,),
    "similar_images": (QUERY,),
    "similar_images_to": (1,),
    "related_hashtags": ("tag1",),
    "explain_recommendation": (QUERY, "tag1"),
    "explain_recommendation_for_image": (1, "tag1"),
    "complete_hashtags": ("t",),
    "hashtag_trend": ("{tag1}",),
    "fold_hashtag": ("#Tag1",),
    "find_image": (sha256(b"1").digest(),),
    "rejected_hashtags": (sha256(b"1").digest(),),
    "give_feedback": (1, "{tag1}", "{tag2}"),
    "withdraw_feedback": (1, "{tag1,tag2}"),
    "remove_image": (1,),
    "remove_images": ("{1,2}",),
    "tag_image": (1, "{#New}"),
    "untag_image": (1, "{tag1}"),
    "thumbnail": (1,),
    "network": (1,),
    "embedding": (1,),
    "image_factors": (1,),
    "hashtag_factors": ("tag1",),
    "workers": (),
    "submit_photo": (b"photo",),
    "request_state": (1,),
    "answer": (1,),
    "withdraw_photo": (1,),
    "recommend_photo": (b"photo",),
}
"""Every public function, and arguments that give rows in a world."""
WRITING = {
    "give_feedback", "withdraw_feedback", "remove_image", "remove_images", "tag_image", "untag_image",
}  # fmt: skip
"""Those of them that write: for writers only."""
ASKING = {"submit_photo", "withdraw_photo", "recommend_photo"}
"""Those that write requests: for askers, and so for everybody with a role."""
ANALYSING = {"thumbnail", "embedding", "image_factors", "hashtag_factors"}
"""Those of them that give out pictures and vectors: for analysts and writers."""
VIEWING = {"at_least", "count_vectors", "has_embedding", "has_factors"}
"""Those that views call: for readers."""
INTERNAL: dict[str, tuple[object, ...]] = {
    "activate_backbone": (1, None),
    "activate_factor_run": (1,),
    "active_run": (),
    "add_backbone": ("another", 96, b"0" * 32, 8, b"network"),
    "activate_projection": (2, 1.0),
    "at_least": (3, 0.5),
    "at_least_one": ("top", 1),
    "attach_factor_run": (1,),
    "attach_projection": (2,),
    "attached_projections": (1,),
    "best_hashtags": (1, FACTORS, False, "{1}", 10, 0.5, 0.0),
    "active_backbone": (),
    "candidates": (1, 1, QUERY, None, None, None, 5, None),
    "candidates_among": (1, 1, QUERY, None, 1, None, 5, None),
    "count_vectors": (1, 1),
    "embedding_of": (1,),
    "exact_neighbours": (1, QUERY, None, 1, None, 5, None),
    "factors_of": (1,),
    "has_embedding": (1,),
    "spread": ("embeddings_1",),
    "stored": ("embeddings_1",),
    "has_factors": (1,),
    "has_few_factors": (1,),
    "claim_factor_part": (2, 1),
    "claim_images": ("{1,2}",),
    "checked_embedding": (QUERY,),
    "count_changed_images": (),
    "counting_as": ("{tag1}",),
    "discard_abandoned_factor_runs": (),
    "discard_factor_run": (2,),
    "diverse_hashtags": (1, "{1,2}", "{1,0.5}", 0.5, 2),
    "drop_backbone": (1,),
    "drop_projections": (),
    "edit_hashtags": ("ban", "{tag3}"),
    "fold_hashtag": ("#Tag1",),
    "fold_given": ("#Tag1",),
    "explain": (QUERY, None, "tag1", 5),
    "finish_factor_run": (2, 1, 1, 1, 1.0, 1),
    "has_tokens": (),
    "hashtag_likeness": (1, "{1,2}", 1),
    "hashtag_place": (FACTORS, FACTORS, False, 0.0, 1.0),
    "hashtag_problem": ("tag1",),
    "index_projection": (2,),
    "live_workers": (),
    "known_blend": (1, FACTORS, "{1}", 0.5),
    "neighbours": (1, QUERY, None, 5, None),
    "new_factor_run": (Jsonb(FactorSettings(factors=4).values()), "{}"),
    "new_projection": (1, 10, 0.9),
    "note_factor_run_metrics": (1, "{}"),
    "note_token": (b"0" * 32,),
    "own_request": (1,),
    "projected": (1, QUERY),
    "prune_factor_run": (1,),
    "recommend": (None, QUERY, None, 10, 5, "{}", "{}", None, None, None, None, "cats"),
    "refresh_edited_statistics": ('[{"hashtag_id": 1}]',),
    "refresh_spellings": (),
    "refresh_statistics": (),
    "refuse": ("no",),
    "retire_projection": (1,),
    "search_vector": (1, QUERY),
    "similar": (QUERY, None, 10),
    "spelled_hashtag": ("#Tag1",),
    "token": (b"0" * 32,),
    "undo_hashtag_edit": (),
    "within": ("diversity", 0.5, 0, 1),
}
"""Every function of tagdb_store, and arguments that it can be tried with."""


def call(schema: str, name: str) -> str:
    """A query that calls a function."""
    arguments = {"tagdb": PUBLIC, "tagdb_store": INTERNAL}[schema]
    assert name in arguments, f"say above with what arguments to try {schema}.{name}"
    listed = sql.SQL(", ").join(map(sql.Literal, arguments[name])).as_string()
    if name == "recommend_photo":
        return f"CALL {schema}.{name}({listed})"
    return f"SELECT * FROM {schema}.{name}({listed})"


def fill(connection: Connection) -> None:
    """Store something of everything: each view and function gives rows, each kind of table is there."""
    world = seed.world(connection)
    store.backbones.add(connection, seed.identity(), b"network")
    run = store.ingest_runs.begin(connection, ["here"])
    batch = [seed.image(n, "tag1", "tag2", collection="cats") for n in range(2)]
    store.batches.save(
        connection, run, world.backbone_id, batch, [store.batches.Rejected("m", 1, "bad", "invalid_record")]
    )
    store.tags.edit(connection, "alias", ["tag6"], "tag5")
    store.tags.edit(connection, "ban", ["tag7"])
    connection.execute("SELECT tagdb.give_feedback(1, '{tag1,new}', '{tag2}')")
    connection.execute("INSERT INTO tagdb_store.image_files (image_id, thumbnail) VALUES (1, 'thumbnail')")
    store.statistics.refresh(connection)
    connection.execute("SELECT tagdb.submit_photo('photo')")
    assert store.requests.begin(connection, 1)
    (request,) = store.requests.take(connection, 1, 1)
    store.requests.answer(connection, request, [store.answers.Recommendation(1, "tag1", 0.5)], None)
    connection.execute("SELECT pg_advisory_unlock_all()")
    seed.begin_run(connection, 4)
    seed.add_index(connection, world.backbone_id)
    index._new_projection(connection, world.backbone_id, 20)
