"""Give back stored photos, byte for byte, as files under their names."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tagdb import __version__, recommend, store
from tagdb.export import targets
from tagdb.export.names import Names
from tagdb.export.run import BATCH, portions
from tagdb.photos.images import content_hash
from tagdb.postgres.database import Connection
from tagdb.progress import track
from tagdb.store.batches import Rejected
from tagdb.store.exports import ALL, Selection


@dataclass(slots=True)
class GivenBack:
    """What was given back."""

    photos: int = 0
    bytes: int = 0
    not_stored: int = 0
    """Images whose original is not stored, as after ``tagdb ingest --originals keep``."""
    damaged: int = 0
    """Images whose stored bytes are not those that were ingested."""


def give_back(
    connection: Connection,
    target: str,
    selection: Selection = ALL,
    *,
    force: bool = False,
    quiet: bool = True,
    on_rejected: Callable[[Rejected], None] = lambda rejected: None,
) -> GivenBack:
    """Write stored photos into a folder, which appears when all are written.

    Each is compared with its hash. Names are made of URIs; where two are the same, the later gets a number.

    Raises
    ------
    ExportError
        The folder has something in it, or cannot be written.
    """
    if selection.collection is not None:
        recommend.require_collection(connection, selection.collection)
    done, names = GivenBack(), Names()
    about: dict[str, object] = {
        "tagdb": __version__, "format": "originals", "exported_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    with store.exports.snapshot(connection), targets.folder(target, force, about) as folder:
        ids = store.exports.select(connection, selection)
        with track("giving back", len(ids), "photos", quiet) as report:
            for start in range(0, len(ids), BATCH):
                images = store.exports.images(connection, ids[start : start + BATCH].tolist())
                for few in portions(images):
                    contents = store.exports.originals(connection, [each.image_id for each in few])
                    for image in few:
                        content = contents.pop(image.image_id, None)
                        if content is None:
                            done.not_stored += 1
                        elif content_hash(content) != image.content_sha256:
                            done.damaged += 1
                            reason = f"the stored bytes of image {image.image_id} are not those ingested"
                            on_rejected(Rejected(image.uri, None, reason, "damaged"))
                        else:
                            name = names(image.uri, image.media_type, image.image_id)
                            folder.put(name, content)
                            done.photos += 1
                            done.bytes += len(content)
                    report(done.photos + done.not_stored + done.damaged)
    return done
