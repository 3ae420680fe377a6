"""Photo-like images with hashtags, drawn by code, to try tagdb without photos."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tagdb.scenes import creatures, facades, gyms, meals, nursery, party, places, roads, selfies, wilds
from tagdb.scenes.camera import take
from tagdb.scenes.canvas import Canvas
from tagdb.scenes.words import hashtags

__all__ = ["COLLECTIONS", "Scene", "scene"]

COLLECTIONS: tuple[str, ...] = (
    "travel",
    "food",
    "animals",
    "cars",
    "babies",
    "wedding",
    "architecture",
    "selfie",
    "fitness",
    "nature",
)

MOTIFS: Mapping[str, tuple[tuple[Callable[[Canvas], None], str], ...]] = {
    **places.MOTIFS,
    **meals.MOTIFS,
    **creatures.MOTIFS,
    **roads.MOTIFS,
    **nursery.MOTIFS,
    **party.MOTIFS,
    **facades.MOTIFS,
    **selfies.MOTIFS,
    **gyms.MOTIFS,
    **wilds.MOTIFS,
}
"""Motifs of each collection with their hashtags, the most common first."""
_SIZES = ((320, 320), (320, 320), (320, 240), (240, 320))
_ALBUM_SIZE = 3
_ORDER, _ALBUM = 1, 2
"""Random streams besides that of the image itself."""


@dataclass(frozen=True)
class Scene:
    """An image with its collection and hashtags, as in a post."""

    collection: str
    name: str
    """File name without suffix, such as ``travel-0007``."""
    picture: Image.Image
    hashtags: tuple[str, ...]
    """5 to 12 different hashtags, folded, without ``#``."""


def scene(collection: str, number: int, seed: int = 0) -> Scene:
    """Draw a photo of a collection; the same arguments always give the same photo.

    Raises
    ------
    ValueError
        The collection does not exist, or the number or seed is negative.
    """
    if collection not in COLLECTIONS:
        raise ValueError(f"no collection {collection!r}, only {', '.join(COLLECTIONS)}")
    place, motifs = COLLECTIONS.index(collection), MOTIFS[collection]
    # Every run of as many numbers as there are motifs contains all motifs, so a few photos suffice.
    round_, turn = divmod(number, len(motifs))
    order = np.random.default_rng((seed, place, round_, _ORDER)).permutation(len(motifs))
    album = np.random.default_rng((seed, place, number // _ALBUM_SIZE, _ALBUM))
    rng = np.random.default_rng((seed, place, number))
    draw, words = motifs[int(order[turn])]
    canvas = Canvas(*_SIZES[int(rng.integers(len(_SIZES)))], rng)
    draw(canvas)
    picture = take(canvas)
    return Scene(
        collection,
        f"{collection}-{number:04d}",
        picture,
        hashtags(rng, album, collection, words, canvas.noted),
    )
