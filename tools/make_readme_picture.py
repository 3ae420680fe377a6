"""The picture of the README: drawn photos that the demo's database has never seen, and what it recommends.

python tools/make_readme_picture.py docs/recommended.jpg
"""

import os
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tagdb import config, demo
from tagdb.postgres.server import Server

COLLECTIONS = ("food", "architecture", "cars", "animals")
WIDTH, PHOTO, LINE, GAP = 300, 225, 27, 20
RIGHT, OTHER = "#176c2e", "#8a8a86"
TOP = 5


def card(tried: demo.Tried) -> Image.Image:
    """A photo with its best hashtags below; those that it carries are green."""
    picture = Image.new("RGB", (WIDTH, PHOTO + TOP * LINE + 24), "white")
    with Image.open(tried.photo) as photo:
        side = min(photo.width / WIDTH, photo.height / PHOTO)
        box = photo.resize((round(photo.width / side), round(photo.height / side)), Image.Resampling.LANCZOS)
    left, upper = (box.width - WIDTH) // 2, (box.height - PHOTO) // 2
    picture.paste(box.crop((left, upper, left + WIDTH, upper + PHOTO)), (0, 0))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(18)
    for place, each in enumerate(tried.recommended[:TOP]):
        at = PHOTO + 12 + place * LINE
        colour = RIGHT if each.hashtag in tried.hashtags else OTHER
        draw.text((12, at), f"#{each.hashtag}", colour, font)
        draw.text((WIDTH - 12, at), f"{each.score:.2f}", OTHER, font, anchor="ra")
    return picture


def main(target: Path) -> None:
    """Run the demo in a home of its own, and draw a card for the first photo of some collections."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        settings = config.load(os.environ | {"TAGDB_HOME": folder})
        try:
            shown = demo.run(settings, quiet=True, notify=lambda text: None)
            cards = [
                card(next(each for each in shown.tried if each.collection == collection))
                for collection in COLLECTIONS
            ]
        finally:
            Server(settings.home).stop()
    height = cards[0].height
    sheet = Image.new("RGB", (len(cards) * (WIDTH + GAP) + GAP, height + 2 * GAP), "#e8e8e4")
    for place, each in enumerate(cards):
        sheet.paste(each, (GAP + place * (WIDTH + GAP), GAP))
    sheet.save(target, quality=82, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
