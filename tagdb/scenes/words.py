"""Hashtags of an image: those of its motif and collection, common ones, and odd ones."""

from collections.abc import Sequence

import numpy as np

COMMON = [
    "love",
    "instagood",
    "photooftheday",
    "picoftheday",
    "happy",
    "beautiful",
    "instadaily",
    "photography",
    "fun",
    "style",
    "instamood",
    "weekend",
    "amazing",
    "tbt",
    "bestoftheday",
    "igers",
    "likeforlike",
    "cute",
    "follow",
    "today",
    "colorful",
    "vibes",
    "inspiration",
    "sunday",
    "lifestyle",
    "goodmorning",
    "throwback",
    "moments",
]

GENERAL = {
    "travel": """
        wanderlust travelgram instatravel vacation adventure travelphotography explore holiday trip
        traveltheworld beautifuldestinations passportready nature landscape""",
    "food": """
        foodie instafood foodphotography yummy delicious foodlover foodstagram homemade tasty dinner lunch
        chef""",
    "animals": """
        pets petsofinstagram animallovers cuteanimals wildlife petstagram furry instapets animal nature""",
    "cars": """
        carsofinstagram auto carlifestyle car automotive instacar carphotography cargram v8 luxurycars""",
    "babies": """
        baby babylove momlife family babygirl babyboy cutebaby parenthood mommy dadlife littleone kids""",
    "wedding": """
        weddingday bride weddinginspiration bridetobe weddingseason family mrandmrs romantic marriage
        weddinginspo celebration""",
    "architecture": """
        architecturephotography building design archilovers urban architect architecturelovers city buildings
        structure lines arch""",
    "selfie": """
        me selfies face smile selfietime selflove girl boy happyme motivation portraitmode""",
    "fitness": """
        fitfam workout gym training motivation fit fitnessmotivation health gymlife exercise healthylifestyle
        selflove strong""",
    "nature": """
        naturephotography naturelovers landscape green outdoors naturelover earth explore wildlife
        beautifulnature adventure season""",
}

_WHO = [
    "anna",
    "ben",
    "carla",
    "dario",
    "emi",
    "felix",
    "greta",
    "hugo",
    "ines",
    "jonas",
    "kira",
    "leo",
    "mara",
    "nils",
    "olga",
    "pablo",
    "quinn",
    "rosa",
    "sami",
    "tilda",
    "uma",
    "victor",
    "wanda",
    "yuki",
    "zoe",
]
_WHAT = [
    "onthemove",
    "diaries",
    "unfiltered",
    "andfriends",
    "snaps",
    "bigday",
    "projectyear",
    "inpictures",
    "goeswild",
    "dailydose",
    "weekly",
    "club",
    "goals",
    "story",
    "adventures",
    "archive",
    "challenge",
    "turnsthirty",
    "moments",
]

_HABIT = 0.9
"""Share of images with the hashtag of their collection."""
_ODD, _STRAY = 0.12, 0.06
"""Share of images with a rare hashtag, or with one of another collection."""


def zipf(rng: np.random.Generator, words: Sequence[str], count: int, slope: float = 0.9) -> list[str]:
    """Pick different words, with a preference for the earlier ones."""
    weights = 1 / np.arange(1, len(words) + 1) ** slope
    # The winners of a race with these weights, so no sums are needed.
    order = np.argsort(rng.exponential(size=len(words)) / weights)
    return [words[place] for place in order[:count]]


def hashtags(
    rng: np.random.Generator, album: np.random.Generator, collection: str, motif: str, noted: Sequence[str]
) -> tuple[str, ...]:
    """Return 5 to 12 hashtags, without repetition, in the order in which a person would type them.

    ``album`` is the same generator for a few pictures, that may share an odd hashtag.
    """
    special = [word for word in dict.fromkeys(noted) if rng.random() < 0.7][:2]
    special += zipf(rng, motif.split(), int(rng.integers(2, 5)), 0.8)
    chosen = special[: int(rng.integers(3, 6))]
    chosen += zipf(rng, GENERAL[collection].split(), int(rng.integers(1, 5)))
    chosen += zipf(rng, COMMON, int(rng.choice(5, p=(0.2, 0.25, 0.25, 0.18, 0.12))), 1.0)
    others = [other for other in GENERAL if other != collection]
    fate = rng.random()
    if fate < _ODD:
        odd = _WHO[int(album.integers(len(_WHO)))] + _WHAT[int(album.integers(len(_WHAT)))]
        chosen.append(odd if album.random() < 0.6 else f"{odd}{int(album.integers(10, 100))}")
    elif fate < _ODD + _STRAY:
        other = others[int(rng.integers(len(others)))]
        chosen += [other] if rng.random() < 0.5 else zipf(rng, GENERAL[other].split(), 1)
    chosen = list(dict.fromkeys(chosen))[:11]
    while len(chosen) < 4:
        chosen = list(dict.fromkeys([*chosen, *zipf(rng, COMMON, 1)]))
    rng.shuffle(chosen)
    if rng.random() < _HABIT:
        chosen.insert(0 if rng.random() < 0.6 else int(rng.integers(len(chosen) + 1)), collection)
    elif len(chosen) < 5:
        chosen = list(dict.fromkeys([*chosen, *zipf(rng, COMMON, 8)]))[:5]
    return tuple(dict.fromkeys(chosen))
