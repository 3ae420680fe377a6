"""What HTTP answers is what SQL and the other faces answer, to the last digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tagdb
from tagdb import store
from tests.support.served import Served

STEERING: list[dict[str, Any]] = [
    {},
    {"top": 3},
    {"neighbours": 5, "known": ["food"], "exclude": ["yummy"]},
    {"known": ["travel", "sea"], "known_weight": 0.9},
    {"diversity": 0.5, "popularity_discount": 0.3, "min_score": 0.01},
    {"collection": "cars"},
]
SQL = (
    "SELECT rank, hashtag, score FROM tagdb.recommend_for_image({}, top => %s, neighbours => %s, known => %s,"
    " exclude => %s, known_weight => %s, diversity => %s, popularity_discount => %s, min_score => %s,"
    " collection => %s)"
)


def values(steering: dict[str, Any]) -> list[Any]:
    """Arguments of the SQL function."""
    names = (
        "top", "neighbours", "known", "exclude", "known_weight", "diversity", "popularity_discount",
        "min_score", "collection",
    )  # fmt: skip
    return [steering.get(name, [] if name in ("known", "exclude") else None) for name in names]


def triples(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Rank, hashtag and score of each recommendation."""
    return [(each["rank"], each["hashtag"], each["score"]) for each in answer["hashtags"]]


@pytest.mark.parametrize("steering", STEERING)
def test_recommending_by_every_face(shared: Served, drawn: Path, steering: dict[str, Any]) -> None:
    photo = drawn / "food-03.jpg"
    with tagdb.connect(shared.database_url, home=shared.home) as db, shared.client() as client:
        by_python = db.recommend(photo, **steering)
        content = photo.read_bytes()
        body = client.post("/recommend", params=steering, content=content).json()
        form = client.post("/recommend", data=steering, files={"photo": content}).json()["photos"][0]
        embedding = client.post("/embed", content=content).json()["embedding"]
        embedded = client.post("/recommend_for_embedding", json={"embedding": embedding, **steering}).json()
        stored = client.get("/images/5/recommend", params=steering).json()
    assert triples(body) == [(each.rank, each.hashtag, each.score) for each in by_python]
    assert triples(body)
    assert triples(form) == triples(embedded) == triples(body)
    assert triples(stored) == shared.rows(SQL.format(5), *values(steering))


def test_similar_and_why(shared: Served, drawn: Path) -> None:
    content = (drawn / "cars-01.jpg").read_bytes()
    with shared.client() as client:
        embedding = client.post("/embed", content=content).json()["embedding"]
        near = client.post("/similar", params={"top": 4}, content=content).json()["images"]
        again = client.post("/similar_to_embedding", json={"embedding": embedding, "top": 4}).json()["images"]
        best = client.post("/recommend", content=content).json()["hashtags"][0]
        why = client.post(
            "/explain_embedding", json={"embedding": embedding, "hashtag": best["hashtag"]}
        ).json()
        beside = client.get("/images/7/similar", params={"top": 4}).json()["images"]
        stored = client.get("/images/7/recommend", params={"top": 1}).json()["hashtags"][0]
        reasons = client.get("/images/7/explain", params={"hashtag": stored["hashtag"]}).json()
    assert near == again
    assert near[0]["similarity"] > 0.99  # it is stored
    assert sum(each["contribution"] for each in why["contributions"]) == pytest.approx(best["score"])
    query = "SELECT rank, image_id, uri, similarity FROM tagdb.similar_images_to(7, 4)"
    assert [tuple(each.values()) for each in beside] == shared.rows(query)
    assert reasons["score"] == pytest.approx(stored["score"], abs=1e-6)
    assert 7 not in {each["image_id"] for each in reasons["contributions"]}  # never its own neighbour


def test_images_in_pages(shared: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with shared.client() as client:

        def all_of(**which: Any) -> list[int]:
            seen: list[int] = []
            cursor: str | None = None
            while True:
                page = client.get(
                    "/images", params={**which, "limit": 7} | ({"cursor": cursor} if cursor else {})
                )
                assert page.status_code == 200, page.text
                seen += [each["image_id"] for each in page.json()["images"]]
                cursor = page.json()["next"]
                if cursor is None:
                    return seen

        everything = [row[0] for row in shared.rows("SELECT image_id FROM tagdb.images ORDER BY 1 DESC")]
        assert all_of() == everything
        taken = "SELECT image_id FROM tagdb.images {} ORDER BY coalesce(taken_at, ingested_at) DESC, 1 DESC"
        assert all_of(order="taken") == [row[0] for row in shared.rows(taken.format(""))]
        cars = [row[0] for row in shared.rows(taken.format("WHERE collection = 'cars'"))]
        assert all_of(order="taken", collection="cars") == cars
        tagged = "SELECT image_id FROM tagdb.image_hashtags WHERE hashtag = 'cars' ORDER BY 1 DESC"
        assert all_of(hashtag="#Cars") == [row[0] for row in shared.rows(tagged)]
        assert sorted(all_of(hashtag="#Cars", order="taken")) == sorted(all_of(hashtag="cars"))
        both = {
            "hashtag": "cars",
            "content_sha256": client.get(f"/images/{cars[0]}").json()["content_sha256"],
        }
        assert all_of(**both) == cars[:1]
        assert all_of(**both | {"hashtag": "nobodyhasthis"}) == []
        monkeypatch.setattr(store.images, "RARE", 1)  # as if all were frequent
        assert all_of(hashtag="#Cars") == [row[0] for row in shared.rows(tagged)]
        assert all_of(**both) == cars[:1]
        march = all_of(taken_from="2025-03-01T00:00:00Z", taken_to="2025-04-01T00:00:00Z")
        assert len(march) == 4
        one = client.get(f"/images/{march[0]}").json()
        assert one["taken_at"].startswith("2025-03-03")
        assert client.get("/images", params={"content_sha256": one["content_sha256"]}).json()["images"][
            0
        ] == {name: one[name] for name in client.get("/images").json()["images"][0]}
        assert {each["source"] for each in one["hashtags"]} == {"ingest"}


def test_thumbnails_and_caching(shared: Served) -> None:
    (expected,) = shared.rows("SELECT tagdb.thumbnail(3)")
    with shared.client() as client:
        answer = client.get("/images/3/thumbnail")
        assert (answer.content, answer.headers["content-type"]) == (expected[0], "image/jpeg")
        again = client.get("/images/3/thumbnail", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_hashtags(shared: Served) -> None:
    with shared.client() as client:
        most = client.get("/hashtags", params={"limit": 5}).json()["hashtags"]
        query = "SELECT hashtag, images FROM tagdb.hashtag_stats ORDER BY images DESC, hashtag LIMIT 5"
        assert [(each["hashtag"], each["images"]) for each in most] == shared.rows(query)
        complete = client.get("/hashtags", params={"prefix": "#C", "known": "cars", "limit": 4}).json()[
            "hashtags"
        ]
        query = "SELECT hashtag, score FROM tagdb.complete_hashtags('#C', known => '{cars}', top => 4)"
        assert [(each["spelling"], each["score"]) for each in complete] == shared.rows(query)
        food = client.get("/hashtags/%23FOOD").json()
        assert food["hashtag"] == "food"
        query = "SELECT rank, hashtag, score FROM tagdb.related_hashtags('food')"
        assert [tuple(each.values()) for each in food["related"]] == shared.rows(query)
        assert sum(month["images"] for month in food["trend"]) == food["images"]
        assert client.get("/hashtags/nobodyhasthis").status_code == 404
        assert all(each["hashtag"] < each["with_hashtag"] for each in client.get("/pairs").json()["pairs"])
        grown = client.get("/hashtags", params={"order": "growing"}).json()["hashtags"]
        assert all(each["growth"] > 1 for each in grown)


def test_a_form_of_several_photos(shared: Served, drawn: Path) -> None:
    names = ["food-01.jpg", "cars-02.jpg", "animals-03.jpg"]
    files = [("photo", (name, (drawn / name).read_bytes())) for name in names]
    files.insert(1, ("photo", ("notes.txt", b"no picture")))
    with shared.client() as client:
        photos = client.post("/recommend", files=files, data={"top": "2"}).json()["photos"]
        alone = [
            client.post("/recommend?top=2", content=(drawn / name).read_bytes()).json() for name in names
        ]
    assert [each["photo"] for each in photos] == ["food-01.jpg", "notes.txt", "cars-02.jpg", "animals-03.jpg"]
    assert "not an image" in photos[1]["error"]
    assert photos[1]["reason_code"] == "not_a_photo"
    assert [each["hashtags"] for each in photos if "hashtags" in each] == [each["hashtags"] for each in alone]


def test_state(shared: Served) -> None:
    with shared.client() as client:
        status = client.get("/status").json()
        assert status["images"] == 48
        assert status["factor_run"]["factor_run_id"] == 1
        assert client.get("/readyz").json() == {"ready": True, "reason": None}
        for view in (
            "coverage",
            "factor_runs",
            "ingest_runs",
            "ingest_errors",
            "collection_stats",
            "acceptance",
        ):
            rows = client.get(f"/views/{view}").json()["rows"]
            (count,) = shared.rows(f"SELECT count(*) FROM tagdb.{view}")
            assert len(rows) == count[0], view
        metrics = client.get("/metrics").text
        assert "tagdb_images 48.0" in metrics
        assert 'tagdb_step_seconds_count{step="query"}' in metrics
        assert json.loads(client.get("/openapi.json").text)["info"]["title"] == "tagdb"
