"""The Python API: what the commands print and what SQL answers, as objects."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tagdb as api
from tagdb.postgres.database import Connection
from tests.support.commands import Run, parsed, write_csv
from tests.support.documents import DOCS, blocks
from tests.support.pictures import photo


@pytest.fixture
def db(database_url: str, home: Path) -> Iterator[api.Database]:
    """The same database as the command line's."""
    with api.connect(database_url, home=home) as opened:
        yield opened


def test_importing_tagdb_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import tagdb; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    own = {name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names}
    assert own == {"tagdb"}


def test_every_public_name_is_there() -> None:
    for name in api.__all__:
        assert getattr(api, name) is not None
    assert {*api.__all__} <= {*dir(api)}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        api.nothing  # noqa: B018


def test_the_command_line_sql_and_python_recommend_the_same(
    filled: Path, tagdb: Run, connection: Connection, db: api.Database
) -> None:
    path = filled / "04.jpg"
    answer = [asdict(each) for each in db.recommend(path, 3, known=["#Sea"], diversity=0.3)]
    assert len(answer) == 3
    printed = tagdb("recommend", path, "-n", 3, "--known", "sea", "--diversity", 0.3, "--json")
    assert parsed(printed)[0]["hashtags"] == answer
    rows = connection.execute(
        "SELECT r.rank, r.hashtag, r.score FROM tagdb.images i"
        " JOIN tagdb_store.embeddings e USING (image_id)"
        " CROSS JOIN tagdb.recommend_for_embedding(e.embedding, 3, known => '{sea}', diversity => 0.3) r"
        " WHERE i.uri LIKE '%/04.jpg' ORDER BY r.rank"
    ).fetchall()
    assert [tuple(each.values()) for each in answer] == rows


def test_hashtags_are_a_text_or_several(filled: Path, db: api.Database) -> None:
    path = filled / "04.jpg"
    assert db.recommend(path, known="#sea sun") == db.recommend(path, known=["sea", "sun"])
    assert db.recommend(path, known="sea") != db.recommend(path)
    assert db.complete("s", known="sea") == db.complete("s", known=["sea"])
    assert db.ban("night").hashtags == ["night"]
    assert db.feedback(path, accepted="beach, sea", rejected="city").accepted == 2
    with pytest.raises(api.RejectedInput, match="no hashtag in"):
        db.recommend(path, exclude="")


@pytest.mark.parametrize("wrong", [["04.jpg"], None, 4.5, object()])
def test_what_is_no_photo(filled: Path, db: api.Database, wrong: object) -> None:
    with pytest.raises(api.RejectedInput, match="a photo is a path, its bytes, a Pillow image"):
        db.recommend(wrong)
    with pytest.raises(api.RejectedInput, match=r"nowhere\.jpg: cannot be read: No such file"):
        db.similar("nowhere.jpg")


def test_a_photo_is_a_path_bytes_a_picture_or_a_stored_image(
    filled: Path, connection: Connection, db: api.Database, tmp_path: Path
) -> None:
    path = filled / "04.jpg"
    by_path = db.recommend(str(path))
    assert by_path == db.recommend(path) == db.recommend(path.read_bytes())
    lossless = tmp_path / "04.png"
    Image.open(path).save(lossless)
    assert db.recommend(Image.open(lossless)) == db.recommend(lossless)
    (number,) = connection.execute(
        "SELECT image_id FROM tagdb.images WHERE uri LIKE '%/04.jpg'"
    ).fetchone() or (0,)
    asked = "SELECT rank, hashtag, score FROM tagdb.recommend_for_image(%s, 2)"
    expected = connection.execute(asked, (number,)).fetchall()
    assert [tuple(asdict(each).values()) for each in db.recommend(number, 2)] == expected
    assert np.array_equal(db.embed(number), db.embed(path).astype(np.float16))


def test_similar_is_what_the_command_prints(
    filled: Path, tagdb: Run, connection: Connection, db: api.Database
) -> None:
    path = filled / "02.jpg"
    answer = [asdict(each) for each in db.similar(path, 4)]
    assert parsed(tagdb("similar", path, "-n", 4, "--json"))[0]["images"] == answer
    own = answer[0]["image_id"]
    rows = connection.execute("SELECT * FROM tagdb.similar_images_to(%s, 3)", (own,)).fetchall()
    assert [tuple(asdict(each).values()) for each in db.similar(own, 3)] == rows


def test_contributions_add_up_to_the_score(filled: Path, db: api.Database) -> None:
    best = db.recommend(filled / "04.jpg")[0]
    contributions = db.explain(filled / "04.jpg", f"#{best.hashtag.upper()}")
    assert sum(each.weight for each in contributions) == pytest.approx(1, abs=1e-6)
    assert sum(each.contribution for each in contributions) == pytest.approx(best.score, abs=2e-3)


def test_corrections_are_those_of_the_commands(
    filled: Path, connection: Connection, db: api.Database
) -> None:
    path = filled / "02.jpg"
    tagged = db.tag(path, "#Sea city")
    assert (tagged.added, tagged.already) == (["sea"], ["city"])
    untagged = db.untag(path.read_bytes(), ["sea", "none"])
    assert (untagged.image_id, untagged.removed, untagged.absent) == (tagged.image_id, ["sea"], ["none"])
    with pytest.raises(api.TagdbError, match="one of these"):
        db.remove()
    with pytest.raises(api.TagdbError, match="the photo is not stored"):
        db.remove(path, b"another")
    assert db.remove(path, tagged.image_id).images == 1
    assert db.remove(uri=(filled / "03").as_uri()).images == 1
    with pytest.raises(api.TagdbError, match="there is no collection"):
        db.remove(collection="none")


def test_a_source_is_followed(
    photos: Path, database_url: str, home: Path, chosen: tuple[object, ...]
) -> None:
    weights = str(chosen[1])
    with api.connect(database_url, home=home, backbone=weights) as db:
        assert db.sync(photos / "photos.csv", input_size=96).summary.counts.new == 12
        write_csv(photos / "photos.csv", ["file_name", "hashtags"], [["00.jpg", "#other"]])
        assert db.ingest(photos / "photos.csv").counts.differing == 1
        assert db.ingest(photos / "photos.csv", update=True).counts.updated == 1
        assert len(db.difference(photos / "photos.csv").gone) == 11
        with pytest.raises(api.TagdbError, match="more than half"):
            db.sync(photos / "photos.csv")
        write_csv(photos / "photos.csv", ["file_name", "hashtags"], [["00.jpg", "#new"]])
        with pytest.raises(api.TagdbError, match="not 3"):
            db.sync(photos / "photos.csv", remove=3)
        assert db.difference(photos / "photos.csv").counts.updated == 1  # nothing was changed
        assert db.sync(photos / "photos.csv", remove=11).removed == 11


def test_feedback_counts_for_the_next_recommendation(
    filled: Path, connection: Connection, db: api.Database
) -> None:
    path = filled / "01.jpg"
    worst = db.recommend(path)[-1].hashtag
    done = db.feedback(path, accepted=["#New"], rejected=[worst])
    assert (done.accepted, done.rejected) == (1, 1)
    assert worst not in [each.hashtag for each in db.recommend(path)]
    assert db.feedback(done.image_id, accepted=["newer"]).image_id == done.image_id
    carried = "SELECT hashtag FROM tagdb.image_hashtags WHERE image_id = %s"
    assert {"new", "newer"} <= {row[0] for row in connection.execute(carried, (done.image_id,))}


def test_from_photos_to_factors(home: Path, backbone_file: Path, database_url: str, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.jpg").write_bytes(photo(number))
    rows = [[f"{number}.jpg", "#a #b #c"] for number in range(6)] + [["missing.jpg", "#a"]]
    write_csv(tmp_path / "list.csv", ["file_name", "hashtags"], rows)
    rejected: list[str] = []
    with api.connect(database_url, home=home, backbone=str(backbone_file)) as db:
        with pytest.raises(api.TagdbError, match="the database holds no images yet"):
            db.recommend(tmp_path / "0.jpg")
        summary = db.ingest(tmp_path / "list.csv", on_rejected=lambda each: rejected.append(str(each)))
        assert (summary.counts.new, summary.counts.rejected) == (6, 1)
        assert rejected == [f"{tmp_path}/list.csv:8: no such file: missing.jpg"]
        with pytest.raises(api.TagdbError, match="there are no factors yet"):
            db.recommend(tmp_path / "0.jpg")
        assert db.compute_factors(factors=4, min_images=1).hashtags == 3
        (run,) = db.factor_runs()
        assert (run.status, run.settings.factors, run.images) == ("active", 4, 6)
        with pytest.raises(api.TagdbError, match="there is no setting 'factor'"):
            db.compute_factors(factor=4)
        factors = db.factors()
        assert factors.image_factors.shape == (6, 4)
        assert sorted(factors.hashtags) == ["a", "b", "c"]
        embeddings = db.embeddings()
        assert embeddings.vectors.shape == (6, 1280)
        assert embeddings.image_ids.tolist() == factors.image_ids.tolist()
        db.ban(["c"])
        assert {each.hashtag for each in db.recommend(tmp_path / "0.jpg")} == {"a", "b"}
        db.undo()
        assert {each.hashtag for each in db.recommend(tmp_path / "0.jpg")} == {"a", "b", "c"}
        second = db.compute_factors("ancestor", activate=False)
        assert not second.active
        db.activate(second.factor_run_id)
        assert [each.status for each in db.factor_runs()] == ["retired", "active"]
        assert db.refresh_statistics().images == 6


def test_rows_of_a_view(filled: Path, connection: Connection, db: api.Database) -> None:
    rows = db.rows("hashtag_stats")
    assert {row["hashtag"]: row["images"] for row in rows} == dict(
        connection.execute("SELECT hashtag, images FROM tagdb.hashtag_stats").fetchall()
    )
    with pytest.raises(api.TagdbError, match="there is no view 'images; DROP' in schema tagdb; there are: "):
        db.rows("images; DROP")


def test_threads_share_a_database(filled: Path, db: api.Database) -> None:
    paths = sorted(filled.glob("*.jpg"))
    expected = [db.recommend(path) for path in paths]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(db.recommend, paths * 4)) == expected * 4


def test_feedback_is_taken_back(filled: Path, tagdb: Run, db: api.Database) -> None:
    path = filled / "00.jpg"
    worst = db.recommend(path)[0].hashtag
    db.feedback(path, rejected=worst)
    assert worst not in {each.hashtag for each in db.recommend(path)}
    assert db.withdraw_feedback(path, f"#{worst} never").hashtags == [worst.lower()]
    assert worst in {each.hashtag for each in db.recommend(path)}
    db.feedback(path, rejected=worst)
    done = tagdb("feedback", path, "--withdraw", worst)
    assert (done.exit_code, done.stdout) == (0, f"{path}: withdrew #{worst.lower()}\n")
    assert worst in {each.hashtag for each in db.recommend(path)}
    assert "nothing, there was none" in tagdb("feedback", path, "--withdraw", worst).stdout
    assert tagdb("feedback", path, "--withdraw", worst, "--accepted", "a").exit_code == 2


def test_a_connection_that_broke_is_replaced(filled: Path, connection: Connection, db: api.Database) -> None:
    """Before what may not be done twice, too, such as giving feedback."""
    expected = db.recommend(filled / "00.jpg")
    end_others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    connection.execute(end_others)
    assert db.recommend(filled / "00.jpg") == expected
    connection.execute(end_others)
    assert db.feedback(filled / "00.jpg", accepted="fresh").accepted == 1


def test_another_backbone_is_noticed(filled: Path, tagdb: Run, db: api.Database) -> None:
    before = db.embed(filled / "00.jpg")
    assert tagdb("backbone", "reembed", "bundled", "--quiet").exit_code == 0
    assert not np.allclose(db.embed(filled / "00.jpg"), before)
    assert db.similar(filled / "00.jpg", 1)[0].similarity == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("bad", [b"", b"no picture", b"\xff\xd8\xff" + bytes(50)])
def test_what_is_no_photo_is_rejected(filled: Path, db: api.Database, bad: bytes) -> None:
    with pytest.raises(api.RejectedInput):
        db.recommend(bad)
    with pytest.raises(api.RejectedInput):
        db.similar("/no/such/photo.jpg")


def test_a_closed_database_says_so(filled: Path, database_url: str, home: Path) -> None:
    with api.connect(database_url, home=home) as db:
        pass
    with pytest.raises(api.TagdbError, match="closed"):
        db.rows("images")


def test_a_database_without_schema(empty_database_url: str) -> None:
    with pytest.raises(api.TagdbError, match="run: tagdb init"):
        api.connect(empty_database_url)


def test_a_picture_that_was_turned_is_read_upright(filled: Path, db: api.Database) -> None:
    upright = Image.open(filled / "03.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    stream = io.BytesIO()
    upright.rotate(90, expand=True).save(stream, "PNG", exif=exif)
    turned = Image.open(io.BytesIO(stream.getvalue()))
    lossless = io.BytesIO()
    upright.save(lossless, "PNG")
    assert db.embed(turned) @ db.embed(lossless.getvalue()) > 0.99  # resized before it is turned


def test_answers_can_be_written_as_json(filled: Path, db: api.Database) -> None:
    assert json.loads(json.dumps([asdict(each) for each in db.recommend(filled / "00.jpg", 1)]))


def test_the_examples_of_the_page_run(
    database_url: str,
    home: Path,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TAGDB_DATABASE_URL", database_url)
    monkeypatch.setenv("TAGDB_HOME", str(home))
    monkeypatch.chdir(photos)
    (photos / "new.jpg").write_bytes(photo(99))
    examples = blocks("python.md", "python")
    (first,) = (each for each in examples if "db.ingest" in each)
    for example in (first, *(each for each in examples if each is not first)):
        exec(compile(example, "python.md", "exec"), {"__name__": "example"})
        printed = capsys.readouterr()
        assert printed.out, example
        assert not printed.err, example
        if example is first:
            assert printed.out.startswith("12 new, 0 rejected\nfactor run 1 of ")


def test_the_page_names_every_method_and_no_other() -> None:
    table = (DOCS / "python.md").read_text("utf-8").partition("## Methods")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)(?:\(|`)", "".join(re.findall(r"^\|(.*?)\|", table, re.MULTILINE))))
    public = {name for name in vars(api.Database) if not name.startswith("_")} | {"url"}
    assert named - {"method"} == public - {"close"}
