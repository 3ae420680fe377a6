"""The picture of an evaluation."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tagdb.errors import EvaluationError
from tagdb.evaluation import charts, curve_chart, drawing
from tagdb.evaluation.curve import Curve, Gain, Point
from tagdb.evaluation.metrics import Estimate, Paired
from tagdb.evaluation.reports import MAIN, Report, Row


def report(*means: float) -> Report:
    rows = [
        Row(f"setting {n}", "", {MAIN: Estimate(mean, mean - 0.01, mean + 0.02)}, None, None, 1.0)
        for n, mean in enumerate(means)
    ]
    return Report(100, 90, 80, 5, None, 0, 3, rows, None)


def blue(picture: Image.Image) -> list[int]:
    """Where the dots' colour is, column by column: the number of pixels."""
    pixels = np.asarray(picture.convert("RGB"), np.int64)
    mark = np.array([int(drawing.MARK[n : n + 2], 16) for n in (1, 3, 5)])
    return (np.abs(pixels - mark).sum(axis=2) < 30).sum(axis=0).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".webp", ".jpg"])
def test_saves_by_suffix(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"found{suffix}"
    charts.draw(report(0.2, 0.3), target)
    with Image.open(target) as picture:
        assert picture.format == {".png": "PNG", ".webp": "WEBP", ".jpg": "JPEG"}[suffix.lower()]
        assert picture.width == drawing.WIDTH * drawing.SCALE


def test_a_better_setting_is_further_right(tmp_path: Path) -> None:
    def tallest(mean: float) -> int:
        charts.draw(report(mean, 0.5), tmp_path / "found.png")
        with Image.open(tmp_path / "found.png") as picture:
            upper = picture.crop((0, 0, picture.width, (charts.TOP + charts.ROW) * drawing.SCALE))
            return int(np.argmax(blue(upper)))

    assert tallest(0.1) < tallest(0.2) < tallest(0.4)


def test_nothing_right_and_long_labels_can_be_drawn(tmp_path: Path) -> None:
    row = Row("factors=64," * 30, None, {MAIN: Estimate(0.0)}, None, None, 0.0)
    charts.draw(Report(1, 1, 1, 1, 0.2, 0, 3, [row], None), tmp_path / "found.png")
    with Image.open(tmp_path / "found.png") as picture:
        assert picture.width == drawing.WIDTH * drawing.SCALE
        assert sum(blue(picture)) > 0, "the label has left no room for the dot"


def test_a_curve_rises_from_left_to_right(tmp_path: Path) -> None:
    nothing = Paired(0.0, 0.0, 0.0, None, None, None)
    values = (0.1, 0.2, 0.4)
    points = [Point(10 * 2**n, report(value, 0.05).rows) for n, value in enumerate(values)]
    found = Curve(100, 80, 5, None, 0, "setting 0", points, Gain("", nothing), None, "")
    curve_chart.draw(found, tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as picture:
        across = np.array(blue(picture))
        width = int(np.flatnonzero(across)[-1])
        parts = [picture.crop((n * width // 3, 0, (n + 1) * width // 3, picture.height)) for n in range(3)]
        heights = [int(np.flatnonzero(blue(part.transpose(Image.Transpose.TRANSPOSE)))[0]) for part in parts]
    assert heights == sorted(heights, reverse=True), "what is drawn higher is better"


def test_labels_of_a_curve_never_cover_each_other() -> None:
    places = curve_chart._apart([10.0, 11.0, 11.0, 99.0, 100.0], 100.0)
    assert all(b - a >= curve_chart.LINE for a, b in itertools.pairwise(places))
    assert places[-1] == 100.0


def test_an_unknown_suffix_is_a_sentence(tmp_path: Path) -> None:
    for name in ("found.xyz", "found"):
        with pytest.raises(EvaluationError, match=r"use \.png"):
            charts.draw(report(0.1), tmp_path / name)


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="cannot be saved: No such file"):
        charts.draw(report(0.1), tmp_path / "nowhere" / "found.png")
