"""The table of the benchmarks' results says what their files say."""

import importlib.util
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_the_table_is_made_from_the_files():
    spec = importlib.util.spec_from_file_location("results", BENCHMARKS / "results.py")
    results = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(results)

    assert results.TABLE.read_text("utf-8") == results.table()
