"""The table of the benchmarks' results says what their files say."""

from tests.support.benchmarks import loaded


def test_the_table_is_made_from_the_files():
    results = loaded("results")

    assert results.TABLE.read_text("utf-8") == results.table()
