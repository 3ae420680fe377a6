"""Where images came from, and what each source has said of them.

Without this, nobody could tell what a source no longer says from what another one, or somebody, has said.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tagdb.postgres.database import Connection
from tagdb.store.statements import execute, fetch_all, fetch_column, fetch_map

Place = tuple[int, int]
"""Numbers of an image and of a source."""
TOGETHER = 1000
"""Images that lose hashtags in one transaction."""


@dataclass(slots=True)
class Comparison:
    """What the sources of an ingest say, compared with what they said before and with what is stored."""

    replace: bool = False
    """Whether what they say now replaces the other; otherwise it only counts as differing."""
    changed: set[int] = field(default_factory=set)
    """Known images that were changed."""
    differing: set[int] = field(default_factory=set)
    """Known images of which a source says something else, which was not taken over."""
    unsaid: dict[Place, set[int]] = field(default_factory=dict)
    """Hashtags that a source said of an image before, and not yet in this ingest."""


@dataclass(slots=True)
class Statement:
    """What a source says of an image in one batch."""

    said: int | None
    """Hash of all but the hashtags."""
    first: bool
    """Whether it says something of this image for the first time in this ingest."""
    hashtag_ids: set[int] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    """Names of the fields that it says, with keys of the metadata."""

    def said_otherwise(self, before: "Before | None") -> bool:
        """Whether it said something else before, or nothing that was taken over."""
        return before is None or before.said != self.said


@dataclass(frozen=True, slots=True)
class Differing:
    """An image of which a source says something else than is stored."""

    image_id: int
    source_id: int
    counts: bool
    """Whether anybody has to know: not if only a copy lies elsewhere."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a source said of an image before."""

    image_id: int
    source_id: int
    said: int | None
    hashtag_ids: list[int]
    fields: list[str]


@dataclass(frozen=True, slots=True)
class SourceImage:
    """An image of a source."""

    image_id: int
    content_sha256: bytes
    uri: str
    hashtag_ids: list[int]
    """What the source has said."""
    elsewhere: bool
    """Whether another source has it, too."""


def ids(connection: Connection, locations: Sequence[str], add: bool = True) -> dict[str, int]:
    """Return the numbers of sources by location; without ``add``, of those that are known."""
    if add:
        execute(connection, "sources/add", locations=list(locations))
    return fetch_map(connection, "sources/ids", locations=list(locations))


def differing(connection: Connection, replace: bool) -> list[Differing]:
    """Compare the batch with what is stored, and replace that if wanted, in the caller's transaction."""
    return fetch_all(connection, Differing, "sources/differing", replace=replace)


def said_before(connection: Connection, places: Sequence[Place]) -> dict[Place, Before]:
    """Return what sources have said of images before, where they have."""
    if not places:
        return {}
    rows = fetch_all(
        connection,
        Before,
        "sources/said_before",
        image_ids=[place[0] for place in places],
        source_ids=list({place[1] for place in places}),
    )
    return {(row.image_id, row.source_id): row for row in rows}


def say(
    connection: Connection,
    statements: Mapping[Place, Statement],
    before: Mapping[Place, Before],
    not_taken_over: Collection[Place],
    comparison: Comparison,
) -> dict[Place, set[int]]:
    """Note what sources say, in the caller's transaction.

    Parameters
    ----------
    before
        What they said before.
    not_taken_over
        Where something else than is said stays stored.

    Returns
    -------
    dict
        What remains unsaid of these images; for the comparison, once the transaction is over.
    """
    unsaid: dict[Place, set[int]] = {}
    changed: list[tuple[int, int, int | None, str, str]] = []
    for place, now in statements.items():
        was = before.get(place)
        earlier = set(was.hashtag_ids) if was else set()
        if now.first:
            unsaid[place] = earlier - now.hashtag_ids
        elif place in comparison.unsaid:
            unsaid[place] = comparison.unsaid[place] - now.hashtag_ids
        said = now.said if was is None or now.first else was.said
        said = None if place in not_taken_over else said
        # what is no longer said goes at the end, and of fields once the new ones are taken over
        hashtags = earlier | now.hashtag_ids
        taken_over = now.first and said is not None and was is not None and said != was.said
        fields = now.fields | (set(was.fields) if was and not taken_over else set())
        if was is None or said != was.said or hashtags != earlier or fields != {*was.fields}:
            changed.append((*place, said, json.dumps(sorted(hashtags)), json.dumps(sorted(fields))))
    if changed:
        image_ids, source_ids, hashes, hashtag_ids, names = map(list, zip(*changed, strict=True))
        execute(
            connection,
            "sources/say",
            image_ids=image_ids,
            source_ids=source_ids,
            said=hashes,
            hashtag_ids=hashtag_ids,
            fields=names,
        )
    return unsaid


def unsay(connection: Connection, unsaid: Mapping[Place, Iterable[int]], replace: bool) -> list[int]:
    """Return the images that lose hashtags which their sources no longer say.

    With ``replace`` they lose them, in the caller's transaction; otherwise nothing changes.
    """
    rows = [(*place, hashtag) for place, hashtags in unsaid.items() for hashtag in hashtags]
    if not rows:
        return []
    image_ids, source_ids, hashtag_ids = map(list, zip(*rows, strict=True))
    if replace:
        execute(connection, "corrections/lock_images", image_ids=image_ids)
    return fetch_column(
        connection,
        "sources/unsay",
        image_ids=image_ids,
        source_ids=source_ids,
        hashtag_ids=hashtag_ids,
        update=replace,
    )


def in_parts(unsaid: Mapping[Place, set[int]]) -> Iterable[dict[Place, set[int]]]:
    """Divide what is unsaid into parts of some images each, with all sources of an image in one."""
    part: dict[Place, set[int]] = {}
    image = 0
    for place in sorted(unsaid):
        if len(part) >= TOGETHER and place[0] != image:
            yield part
            part = {}
        image = place[0]
        part[place] = unsaid[place]
    if part:
        yield part


def images(connection: Connection, source_id: int, location: str, whole: bool) -> list[SourceImage]:
    """Return the images of a source, by URI. With ``whole``, sources within its location are part of it."""
    return fetch_all(
        connection, SourceImage, "sources/images", source_id=source_id, location=location, whole=whole
    )


def leave(connection: Connection, source_id: int, image_ids: Sequence[int]) -> None:
    """Note that a source no longer has some images, in the caller's transaction."""
    execute(connection, "sources/leave", source_id=source_id, image_ids=list(image_ids))
