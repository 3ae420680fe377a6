"""The networks that a database carries: who may read them, what keeps them, what takes them away."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tagdb import ingest, store, storing
from tagdb.config import Settings
from tagdb.embedder import backbone_for
from tagdb.embedding.backbone import Backbone, resolve
from tagdb.embedding.worker import embedded
from tagdb.errors import BackboneError, BackboneMismatch
from tagdb.photos.sources import open_source
from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import seed
from tests.support.pictures import photo
from tests.support.postgres import rows

NETWORK = b"layers" * 100


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(photo(number))
    return folder


def ingested(connection: Connection, backbone: Backbone, photos: Path) -> ingest.Summary:
    return ingest.run(connection, backbone, [open_source(str(photos))], ingest.Options(quiet=True))


def test_a_reader_gets_the_network_from_one_function(
    database_url: str, connection: Connection, login: Callable[..., str]
) -> None:
    number = store.backbones.add(connection, seed.identity(), NETWORK)
    active = store.backbones.active(connection)
    assert active is not None
    assert active.network_sha256 == digest(NETWORK)
    with psycopg.connect(login(database_url, "tagdb_reader"), autocommit=True) as reader:
        assert rows(reader, "SELECT tagdb.network(%s)", number) == [(NETWORK,)]
        assert rows(reader, "SELECT tagdb.network(%s)", number + 1) == [(None,)]
        shown = rows(reader, "SELECT network_sha256 FROM tagdb.backbones")
        assert shown == [(digest(NETWORK).hex(),)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT network FROM tagdb_store.networks")
    with (
        psycopg.connect(login(database_url, "tagdb_asker"), autocommit=True) as asker,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        asker.execute("SELECT tagdb.network(%s)", (number,))


def test_a_writer_stores_one_and_replaces_none(
    database_url: str, connection: Connection, login: Callable[..., str]
) -> None:
    with database.connect(login(database_url, "tagdb_writer")) as writer:
        number = store.backbones.add(writer, seed.identity(), NETWORK)
        assert store.backbones.add(writer, seed.identity(), b"other") == number
        assert store.backbones.network(writer, number) == NETWORK
        for change in (
            "UPDATE tagdb_store.networks SET network = '', sha256 = sha256('')",
            "DELETE FROM tagdb_store.networks",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                writer.execute(change)
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("UPDATE tagdb_store.networks SET network = 'damaged'")


def test_one_that_came_without_gets_it_later(connection: Connection) -> None:
    number = store.backbones.add(connection, seed.identity())
    assert store.backbones.network(connection, number) is None
    assert store.backbones.carried(connection, store.backbones.active(connection)) is None
    assert store.backbones.add(connection, seed.identity(), NETWORK) == number
    carried = store.backbones.carried(connection, store.backbones.active(connection))
    assert carried is not None
    assert (carried.sha256, carried.read()) == (digest(NETWORK), NETWORK)


def test_a_dropped_backbone_takes_its_network_along(connection: Connection) -> None:
    store.backbones.add(connection, seed.identity())
    other = store.backbones.add(connection, seed.identity(1), NETWORK)
    assert store.backbones.drop(connection, other)
    assert rows(connection, "SELECT * FROM tagdb_store.networks") == []


def test_looking_up_the_backbone_reads_no_network(connection: Connection) -> None:
    """It lies out of line, and as it is."""
    store.backbones.add(connection, seed.identity(), bytes(1_000_000))
    ((toast, size),) = rows(
        connection,
        "SELECT reltoastrelid::regclass, pg_relation_size(reltoastrelid) FROM pg_class"
        " WHERE oid = 'tagdb_store.networks'::regclass",
    )
    assert size >= 1_000_000
    read = (
        "SELECT coalesce(sum(heap_blks_read + heap_blks_hit), 0) FROM pg_statio_all_tables"
        f" WHERE relid = '{toast}'::regclass"
    )
    connection.execute("SELECT pg_stat_force_next_flush()")
    before = rows(connection, read)
    for _ in range(3):
        store.backbones.active(connection)
        store.backbones.list_all(connection)
    connection.execute("SELECT pg_stat_force_next_flush()")
    assert rows(connection, read) == before


# --- those who embed ------------------------------------------------------------------------------


def test_a_machine_that_has_nothing_embeds_as_the_first_did(
    database_url: str, connection: Connection, login: Callable[..., str], random_backbone: Backbone,
    photos: Path, tmp_path: Path,
) -> None:  # fmt: skip
    """Also as a reader. It asks for the network once."""
    assert ingested(connection, random_backbone, photos).counts.new == 3
    settings = Settings(tmp_path / "elsewhere")
    with database.connect(login(database_url, "tagdb_reader")) as reader:
        found = backbone_for(reader, settings, None, print)
        assert found.identity == random_backbone.identity
        assert found.content == random_backbone.content
    connection.execute("DELETE FROM tagdb_store.networks")
    stored = store.backbones.active(connection)
    assert stored is not None
    with pytest.raises(BackboneError, match="which neither this machine nor the database has"):
        backbone_for(connection, Settings(tmp_path / "third"), None, print)
    # a database from before it carried networks gets it with the next ingest from where it is
    assert ingested(connection, random_backbone, photos).counts.known == 3
    assert backbone_for(connection, Settings(tmp_path / "third"), None, print).content == found.content


@pytest.mark.parametrize("damage", ["bits", "another"])
def test_what_is_damaged_is_refused(
    connection: Connection, random_backbone: Backbone, tmp_path: Path, damage: str
) -> None:
    """Also where the hash fits, but it is no network at all."""
    store.backbones.add(connection, random_backbone.identity, random_backbone.content)
    connection.execute("ALTER TABLE tagdb_store.networks DROP CONSTRAINT networks_sha256_fits")
    connection.execute(
        "UPDATE tagdb_store.networks SET network = 'milk, bread'"
        + (", sha256 = sha256('milk, bread')" if damage == "another" else "")
    )
    with pytest.raises(BackboneError) as caught:
        backbone_for(connection, Settings(tmp_path), None, print)
    assert "random (96 px" in str(caught.value)
    assert not list(tmp_path.rglob("*.tflite"))


def test_the_bundled_one_is_not_stored(connection: Connection, photos: Path, tmp_path: Path) -> None:
    assert ingested(connection, resolve("bundled", None, None, tmp_path), photos).counts.new == 3
    assert rows(connection, "SELECT network_sha256 FROM tagdb.backbones") == [(None,)]
    assert ingested(connection, resolve("bundled", None, None, tmp_path), photos).counts.known == 3
    assert backbone_for(connection, Settings(tmp_path), None, print).identity.name == "bundled"


def test_a_photo_that_comes_alone_brings_the_network(
    connection: Connection, random_backbone: Backbone, tmp_path: Path
) -> None:
    storing.store_photo(connection, random_backbone, photo(1), embedded(photo(1), random_backbone, 96))
    found = backbone_for(connection, Settings(tmp_path), None, print)
    assert found.content == random_backbone.content


# --- two at once ----------------------------------------------------------------------------------


def another_export(backbone: Backbone) -> Backbone:
    """A network of the same weights that differs in bits, as another TensorFlow's would."""
    return Backbone(backbone.identity, backbone.content + b"\0")


def test_of_two_first_ingests_one_networks_are_kept_and_the_other_is_told(
    database_url: str, random_backbone: Backbone, tmp_path: Path
) -> None:
    """Each with an export of its own of the same weights."""
    both = [random_backbone, another_export(random_backbone)]
    said: list[object] = []
    ready = threading.Barrier(2)

    def run(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "one.jpg").write_bytes(photo(number))
        with database.connect(database_url) as connection:
            ready.wait()
            try:
                said.append(ingested(connection, both[number], folder).counts.new)
            except BackboneMismatch as error:
                said.append(str(error))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 in said
    said.remove(1)
    assert said == [
        f"another ingest has just stored its own export of {random_backbone.identity}; run the same "
        "command again to use that one"
    ]
    with database.connect(database_url) as connection:
        assert rows(connection, "SELECT count(*) FROM tagdb.images") == [(1,)]
        kept = backbone_for(connection, Settings(tmp_path / "home"), None, print)
        assert kept.content in [one.content for one in both]


def test_a_service_with_an_export_of_its_own_takes_the_databases(
    connection: Connection, random_backbone: Backbone
) -> None:
    store.backbones.add(connection, random_backbone.identity, random_backbone.content)
    other = another_export(random_backbone)
    with pytest.raises(BackboneMismatch):
        storing.store_photo(connection, other, photo(1), embedded(photo(1), other, 96))
    assert rows(connection, "SELECT count(*) FROM tagdb.images") == [(0,)]
