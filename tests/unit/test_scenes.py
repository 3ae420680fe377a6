"""The pictures of the demonstration, and what is written beneath them."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tagdb.hashtags import fold
from tagdb.scenes import COLLECTIONS, MOTIFS, Scene, scene
from tagdb.scenes.words import COMMON, GENERAL, hashtags

SIZES = {(320, 320), (320, 240), (240, 320)}


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [scene(collection, number) for collection in COLLECTIONS for number in range(6)]


def test_the_arguments_alone_decide(scenes: list[Scene]) -> None:
    some = scenes[::9]
    calls = [(one.collection, int(one.name.rpartition("-")[2])) for one in reversed(some)]
    with ThreadPoolExecutor(2) as pool:
        again = list(pool.map(lambda call: scene(*call), calls))
    for one, other in zip(reversed(some), again, strict=True):
        assert (one.name, one.hashtags) == (other.name, other.hashtags)
        assert one.picture.tobytes() == other.picture.tobytes()


def test_another_seed_gives_other_pictures(scenes: list[Scene]) -> None:
    for one in scenes[::25]:
        other = scene(one.collection, int(one.name[-4:]), seed=1)
        assert other.name == one.name
        assert other.picture.tobytes() != one.picture.tobytes()


def test_scenes_have_names_of_their_own(scenes: list[Scene]) -> None:
    assert len({one.name for one in scenes}) == len(scenes)
    assert scenes[5].name == "travel-0005"
    assert scene("cars", 12345).name == "cars-12345"


@pytest.mark.parametrize("wrong", [("boats", 0), ("cars", -1), ("cars", 0, -1)])
def test_there_are_no_others(wrong: tuple[str, int]) -> None:
    with pytest.raises(ValueError, match=r"boats|negative"):
        scene(*wrong)


def test_pictures_are_of_usual_sizes_and_have_contents(scenes: list[Scene]) -> None:
    assert {one.picture.size for one in scenes} == SIZES
    for one in scenes:
        assert one.picture.mode == "RGB"
        pixels = np.asarray(one.picture, np.float32)
        assert pixels.std() > 8, one.name
        assert 20 < pixels.mean() < 245, one.name


def test_pictures_of_scenes_differ(scenes: list[Scene]) -> None:
    small = np.stack([np.asarray(one.picture.resize((32, 32)), np.float32).ravel() for one in scenes])
    squares = (small**2).sum(1)
    distances = squares[:, None] + squares[None] - 2 * small @ small.T
    np.fill_diagonal(distances, np.inf)
    assert np.sqrt(distances.min() / small.shape[1]) > 5


def test_a_collection_has_several_motifs(scenes: list[Scene]) -> None:
    for collection in COLLECTIONS:
        known = {collection, *COMMON, *(word for words in GENERAL.values() for word in words.split())}
        # Pictures with a hashtag in common that is nothing but the motif's are of the same motif.
        motifs: list[set[str]] = []
        for one in scenes:
            if one.collection == collection:
                words = set(one.hashtags) - known
                near = [motif for motif in motifs if motif & words]
                motifs = [motif for motif in motifs if motif not in near] + [words.union(*near)]
        assert len(motifs) >= 3, collection


@pytest.fixture(scope="module")
def posts() -> list[tuple[str, tuple[str, ...]]]:
    """The collections and hashtags of many pictures that nobody drew."""
    rng = np.random.default_rng(0)
    return [
        (collection, hashtags(rng, np.random.default_rng((place, number // 3)), collection, words, ()))
        for place, collection in enumerate(COLLECTIONS)
        for number in range(80)
        for _, words in [MOTIFS[collection][number % len(MOTIFS[collection])]]
    ]


def test_hashtags_are_folded(scenes: list[Scene], posts: list[tuple[str, tuple[str, ...]]]) -> None:
    for words in [one.hashtags for one in scenes] + [words for _, words in posts]:
        assert 5 <= len(words) <= 12
        assert len(set(words)) == len(words)
        for word in words:
            assert fold(word) == word
            assert word.isascii()


def test_every_word_is_a_hashtag() -> None:
    assert set(MOTIFS) == set(GENERAL) == set(COLLECTIONS)
    for motifs in MOTIFS.values():
        for _, words in motifs:
            assert len(set(words.split())) == len(words.split()) >= 4
    for words in [*GENERAL.values(), *(words for motifs in MOTIFS.values() for _, words in motifs)]:
        assert [fold(word) for word in words.split()] == words.split()


def test_hashtags_are_distributed_as_people_use_them(posts: list[tuple[str, tuple[str, ...]]]) -> None:
    assert 0.87 < np.mean([collection in words for collection, words in posts]) < 0.93
    counts = Counter(word for _, words in posts for word in words)
    assert 6 < counts.total() / len(posts) < 10
    assert counts["love"] > 5 * counts["moments"] > 0
    assert 0.1 < sum(counts[word] for word in COMMON) / counts.total() < 0.3
    known = {*COLLECTIONS, *COMMON, *(word for words in GENERAL.values() for word in words.split())}
    known |= {word for motifs in MOTIFS.values() for _, words in motifs for word in words.split()}
    odd = [count for word, count in counts.items() if word not in known]
    assert 0.07 < sum(odd) / len(posts) < 0.17
    assert max(odd) <= 3
    strays = [sum(other in words for other in COLLECTIONS if other != one) for one, words in posts]
    assert 0.01 < np.mean(strays) < 0.06
