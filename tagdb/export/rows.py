"""What is exported of an image, as formats write it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tagdb.photos.fields import DIGEST, METADATA
from tagdb.store.answers import Recommendation
from tagdb.store.exports import StoredImage


@dataclass(frozen=True, slots=True)
class Row:
    """An image that is exported."""

    image: StoredImage
    name: str
    """For its file: made of its URI, and no other's."""
    photo: bytes | None = None
    keywords: Sequence[str] = ()
    """Hashtags for its sidecar."""
    recommended: Sequence[Recommendation] | None = None
    """None if recommendations are not exported."""
    embedding: NDArray[np.float16] | None = None
    factors: NDArray[np.float16] | None = None

    def fields(self) -> dict[str, Any]:
        """Return what is known of the image, by name: plain values, and lists of them.

        The hash and ``metadata`` tell those who read it that it was tagdb who wrote it.
        """
        image = self.image
        taken_at = image.taken_at.astimezone(UTC).isoformat() if image.taken_at else None
        known = {
            "image_id": image.image_id,
            DIGEST: image.content_sha256.hex(),
            "uri": image.uri,
            "hashtags": list(image.hashtags),
            "collection": image.collection,
            "source_ref": image.source_ref,
            "taken_at": taken_at,
            "media_type": image.media_type,
            "width": image.width,
            "height": image.height,
            "bytes": image.byte_count,
        }
        return known | self.further() | {METADATA: image.metadata}

    def further(self) -> dict[str, Any]:
        """Return what tagdb recommends, if that is exported."""
        if self.recommended is None:
            return {}
        return {"recommended": [{"hashtag": r.hashtag, "score": r.score} for r in self.recommended]}


class Writer(Protocol):
    """Writes rows in one format. A context manager that ends the file."""

    def write(self, row: Row) -> int:
        """Write a row; return how many files or rows came of it: 0 if nothing had to be changed.

        Raises
        ------
        RejectedInput
            It cannot be written; others can.
        """

    def __enter__(self) -> "Writer":
        """Begin."""

    def __exit__(self, *error: object) -> None:
        """End."""


def as_json(value: object) -> str:
    """Return a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)
