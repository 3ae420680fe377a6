"""What factors are computed from: interactions in ranges of images, embeddings or search vectors."""

from __future__ import annotations

import numpy as np
import pytest

from tagdb import factors, store
from tagdb.learning import projecting
from tagdb.learning.settings import FactorSettings
from tagdb.postgres.database import Connection
from tagdb.store import index, runs
from tests.support import seed

IMAGES = 30
PLAN = FactorSettings(factors=4, alpha=2.0, regularization=0.1, min_hashtags=2, ridge=0.25, neighbours=5)


@pytest.fixture
def backbone_id(connection: Connection) -> int:
    """Images with three hashtags each, after some that are gone, and their embeddings."""
    number = store.backbones.add(connection, seed.identity())
    connection.execute("SELECT setval('tagdb_store.images_image_id_seq', 8190)")
    ids = seed.add_images(connection, IMAGES)
    seed.add_embeddings(connection, number, ids, seed.clustered(IMAGES))
    hashtags = seed.add_hashtags(connection, [f"word{n}" for n in range(7)])
    for n, image_id in enumerate(ids.tolist()):
        for m in (0, 1, 3):
            connection.execute(
                "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id) VALUES (%s, %s)",
                (image_id, int(hashtags[(n + m) % 7])),
            )
    return number


@pytest.mark.parametrize("images", [1, 7, IMAGES, 1000])
@pytest.mark.usefixtures("backbone_id")
def test_interactions_are_read_in_ranges(
    connection: Connection, images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "IMAGES_AT_ONCE", images)
    connection.execute("SELECT tagdb.give_feedback(8191, '{word2}', '{word0}')")
    found = store.runs.interactions(connection)
    rows = connection.execute(
        "SELECT image_id, hashtag_id, accepted::integer FROM tagdb_store.interactions"
    ).fetchall()
    assert 1 in found.accepted
    triples = zip(found.image_ids.tolist(), found.hashtag_ids.tolist(), found.accepted.tolist(), strict=True)
    assert sorted(triples) == sorted(rows)


def test_few_embeddings_are_taken_as_they_are(connection: Connection, backbone_id: int) -> None:
    seed.add_index(connection, backbone_id)
    found, stored = store.runs.vectors(connection), store.runs.embeddings(connection)
    assert found.axes is None
    assert np.array_equal(found.vectors, stored.vectors)
    assert np.array_equal(found.image_ids, stored.image_ids)


def test_of_many_the_search_vectors_are(
    connection: Connection, backbone_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed.add_index(connection, backbone_id)
    monkeypatch.setattr(runs, "EXACT", IMAGES - 1)
    found, stored = store.runs.vectors(connection), store.runs.embeddings(connection)
    assert found.axes is not None
    assert found.vectors.shape == (IMAGES, projecting.DIMENSIONS)
    assert np.array_equal(found.image_ids, stored.image_ids)
    assert np.array_equal(found.vectors, projecting.project(found.axes, stored.vectors))


@pytest.mark.parametrize("together", [1, 7, 1000])
def test_without_an_index_they_are_shortened_part_by_part(
    connection: Connection, backbone_id: int, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, whatever the size of the parts, of which no more than one is in memory."""
    monkeypatch.setattr(runs, "EXACT", IMAGES - 1)
    monkeypatch.setattr(index, "ROWS", together)
    sizes: list[int] = []
    project = projecting.project

    def watched(axes: np.ndarray, embeddings: np.ndarray) -> np.ndarray:
        sizes.append(len(embeddings))
        return project(axes, embeddings)

    stored = store.runs.embeddings(connection)
    expected = stored.shortened()
    monkeypatch.setattr(projecting, "project", watched)
    found = store.runs.vectors(connection)
    assert max(sizes) == min(together, IMAGES)
    assert found.axes is not None
    assert np.array_equal(found.image_ids, stored.image_ids)
    # axes may point either way, and those of no length anywhere: what counts is how near vectors are
    wide, other = found.vectors.astype(np.float64), expected.vectors.astype(np.float64)
    np.testing.assert_allclose(wide @ wide.T, other @ other.T, atol=2e-3)


def test_new_images_are_folded_in_by_search_vectors(
    connection: Connection, backbone_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run keeps its axes, also when the index has others by then, or is gone."""
    seed.add_index(connection, backbone_id)
    monkeypatch.setattr(runs, "EXACT", IMAGES - 1)
    factors.compute(connection, PLAN, quiet=True)
    used = store.runs.vectors(connection).axes
    store.index.drop(connection, backbone_id)
    run = store.runs.active_id(connection)
    assert run is not None
    maps = store.runs.maps(connection, run)
    assert maps.ridge is not None
    assert maps.ridge.axes is not None
    assert used is not None
    assert np.array_equal(maps.ridge.axes, used)
    assert maps.backbone_id == backbone_id

    new = seed.clustered(IMAGES + 1)[-1:]
    (image_id,) = connection.execute(
        "INSERT INTO tagdb_store.images (content_sha256, uri, media_type, width, height, bytes)"
        " VALUES (sha256('new'), 'file:///new.jpg', 'image/jpeg', 40, 30, 1000) RETURNING image_id"
    ).fetchone() or (0,)
    seed.add_embeddings(connection, backbone_id, np.array([image_id]), new)
    connection.execute(
        "INSERT INTO tagdb_store.image_hashtags (image_id, hashtag_id)"
        " SELECT %s, hashtag_id FROM tagdb_store.hashtags WHERE hashtag IN ('word1', 'word2')",
        (image_id,),
    )
    factors.activate(connection, run)
    with_ridge = store.runs.factors(connection)
    own = with_ridge.image_factors[with_ridge.image_ids == image_id][0].astype(np.float64)
    short = projecting.project(used, new).astype(np.float64)[0]
    predicted = (short - maps.ridge.mean) @ maps.ridge.matrix + maps.ridge.offset
    y = with_ridge.hashtag_factors.astype(np.float64)
    near = y[[with_ridge.hashtags.index(name) for name in ("word1", "word2")]]
    system = y.T @ y + PLAN.regularization * np.eye(4) + near.T @ near  # alpha is 2
    half_step = np.linalg.solve(system, 2 * near.sum(axis=0))
    np.testing.assert_allclose(own, 0.75 * half_step + 0.25 * predicted, rtol=5e-3, atol=2e-3)
