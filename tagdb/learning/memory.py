"""How much memory computing factors takes, from the sizes of its arrays. Pure."""

from tagdb.learning.model import EXACT, REFIT_IMAGES

MIB = 1 << 20
PYTHON = 85 * MIB
"""What Python and its libraries take without data."""
PART = 128 * MIB
"""What is held of all images at a time while factors are learned from a sample."""
LEAST = REFIT_IMAGES
"""Fewer images save no memory: so many are compared with each other in any case."""


def whole(interactions: int, images: int, hashtags: int, factors: int, embeddings: int) -> float:
    """Return the bytes that learning from all images takes, without Python itself.

    With n interactions, i images, h hashtags, k factors, and e embeddings (0 without ridge and refit), it is
    the largest of

    * 76 n: numbering the images; 25 for what is kept of the interactions, 51 for np.unique,
    * 61 n + 4 k max(2 i, i + 2 h): fitting; 45 for the interactions, 16 for both matrices, and float32
      factors, which implicit draws and then scales into a second array, one side after the other,
    * 48 n + 10 k i + 8 k h + 1604 e + 80 MiB, where there are more than 5000 embeddings: refitting; 32 for
      the interactions and 16 for the matrix of them; factors from ALS, blended and stored; search vectors of
      192 numbers as float16, less their mean, and once more as float32.
    * 48 n + 10 k i + 8 k h + (2568 + 2 · 2560) e + 100 MiB where there are fewer: embeddings, copies of those
      of images that may be neighbours, less their mean and not, and a 1280² system.

    The allocator, threads and the connection take more on top.
    """
    numbering = 76 * interactions
    fitting = 61 * interactions + 4 * factors * max(2 * images, images + 2 * hashtags)
    refitting = 48 * interactions + 10 * factors * images + 8 * factors * hashtags
    if embeddings > EXACT:
        refitting += 1604 * embeddings + 80 * MIB
    else:
        refitting += (2568 + 2 * 2560) * embeddings + 100 * MIB
    return max(numbering, fitting, refitting if embeddings else 0)


def largest_sample(room: float, interactions: int, images: int, hashtags: int, factors: int) -> int:
    """Return of how many images a sample may be, at least ``LEAST``, to be learned from in so many bytes.

    Besides what the sample itself takes, there are sums for each hashtag. Images of a sample may have half as
    many hashtags again as others: those that keep rare hashtags are preferred.
    """
    room -= PART + 16 * factors * hashtags
    least, most = min(images, LEAST), images
    while most - least > max(1, images // 1000):
        middle = (least + most) // 2
        pairs = int(1.5 * interactions * middle / images)
        if whole(pairs, middle, hashtags, factors, middle) <= room:
            least = middle
        else:
            most = middle
    return least
