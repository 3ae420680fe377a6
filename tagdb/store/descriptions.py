"""Store what is said of the images of a batch: fields, hashtags, and what each source has said."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagdb.postgres.database import Connection
from tagdb.store import sources
from tagdb.store.sources import Comparison, Place, Statement
from tagdb.store.statements import execute, fetch_column, fetch_map

if TYPE_CHECKING:
    from tagdb.store.batches import Image


@dataclass(slots=True)
class Described:
    """What a batch has changed about its images, and what it has found."""

    linked: set[int]
    """Images that got hashtags."""
    changed: set[int]
    """Known images that were changed."""
    differing: set[int]
    unsaid: Mapping[Place, set[int]]

    def note(self, comparison: Comparison) -> None:
        """Add it to what the batches before have found."""
        comparison.changed |= self.changed
        comparison.differing |= self.differing
        for place, hashtags in self.unsaid.items():
            comparison.unsaid.pop(place, None)
            if hashtags:
                comparison.unsaid[place] = hashtags


def save(
    connection: Connection,
    images: "Sequence[Image]",
    ids: Mapping[bytes, int],
    new: Collection[int],
    comparison: Comparison,
) -> Described:
    """Store what is said of the images, in the caller's transaction. ``new`` are those of this batch."""
    statements = _statements(images, ids)
    before = sources.said_before(connection, [place for place in statements if place[0] not in new])
    other = any(
        each.first and place[0] not in new and each.said_otherwise(before.get(place))
        for place, each in statements.items()
    )
    changed: set[int] = set()
    differing: list[sources.Differing] = []
    if len(images) > len(new):  # otherwise everything about the images was stored with them
        if other and comparison.replace:
            changed |= {each.image_id for each in sources.differing(connection, True)}
        changed |= {*fetch_column(connection, "ingest/update_images")}
        if other and not comparison.replace:
            differing = sources.differing(connection, False)
    numbers = _numbers(connection, images)
    linked = _link(connection, images, ids, numbers)
    for i in images:
        if i.source_id is not None and i.content_sha256 in ids:
            hashtags = statements[ids[i.content_sha256], i.source_id].hashtag_ids
            hashtags.update(numbers[h] for h in i.hashtags if h not in i.own)
    # of sources that only a dry run knows, which are below 0, nothing can be noted
    statements = {place: each for place, each in statements.items() if place[1] > 0}
    unsaid: dict[Place, set[int]] = {}
    if statements:
        kept = {(each.image_id, each.source_id) for each in differing}
        unsaid = sources.say(connection, statements, before, kept, comparison)
    return Described(
        linked,
        (changed | linked).difference(new),
        {each.image_id for each in differing if each.counts}.difference(new),
        unsaid,
    )


def _statements(images: "Sequence[Image]", ids: Mapping[bytes, int]) -> dict[Place, Statement]:
    """Return what sources say of the images, without hashtags."""
    statements: dict[Place, Statement] = {}
    for i in images:
        if i.source_id is not None and i.content_sha256 in ids:
            place = ids[i.content_sha256], i.source_id
            statements.setdefault(place, Statement(i.said, i.first)).fields.update(i.fields)
    return statements


def _numbers(connection: Connection, images: "Sequence[Image]") -> dict[str, int]:
    """Store the hashtags of a batch; return their numbers.

    Numbers are looked up instead of by joins: a join would read all images and hashtags every time.
    """
    hashtags = list({hashtag for i in images for hashtag in i.hashtags})
    if not hashtags:
        return {}
    spellings = {hashtag: spelling for i in images for hashtag, spelling in i.spellings.items()}
    execute(
        connection,
        "ingest/insert_hashtags",
        hashtags=hashtags,
        spellings=[spellings.get(h) for h in hashtags],
    )
    return fetch_map(connection, "ingest/hashtag_ids", binary=True, hashtags=hashtags)


def _link(
    connection: Connection, images: "Sequence[Image]", ids: Mapping[bytes, int], numbers: Mapping[str, int]
) -> set[int]:
    """Give images their hashtags; return the images that got new ones."""
    carried = [
        (ids[i.content_sha256], numbers[h], h in i.own, i.spellings.get(h))
        for i in images
        if i.content_sha256 in ids
        for h in i.hashtags
    ]
    if not carried:
        return set()
    return {
        *fetch_column(
            connection,
            "ingest/insert_image_hashtags",
            image_ids=[each[0] for each in carried],
            hashtag_ids=[each[1] for each in carried],
            own=[each[2] for each in carried],
            spellings=[each[3] for each in carried],
        )
    }
