"""The SQL reference, ``docs/sql.md``: descriptions from the database's comments, outputs from real runs.

``python -m tests.sql_docs`` writes it anew, on a server of its own. What is written by hand and kept: the
text before ``## Functions``, and the examples, one or several under each object's heading. A new object
gets a heading without an example, which a test then asks for.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tagdb.postgres import database
from tagdb.postgres.database import Connection
from tests.support import showcase
from tests.support.postgres import Postgres, temporary_home

DOCUMENT = Path(__file__).parents[1] / "docs" / "sql.md"
SECTION = re.compile(r"^### (tagdb\.\w+)$", re.MULTILINE)
EXAMPLE = re.compile(r"```sql\n(.*?)```(?:\n+```text\n(.*?)```)?", re.DOTALL)

VIEWS = """
    SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c
    WHERE c.relnamespace = 'tagdb'::regnamespace AND c.relkind = 'v' ORDER BY c.relname
"""
COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum)
    FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""
FUNCTIONS = """
    SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
           obj_description(p.oid, 'pg_proc')
    FROM pg_proc p WHERE p.pronamespace = 'tagdb'::regnamespace AND p.prokind = 'f'
    ORDER BY p.proname !~ '^recommend', p.proname !~ 'embedding', p.proname
"""


def examples(text: str) -> list[tuple[str, str, str]]:
    """(object, SQL, output) of every example of the document, in order."""
    found = []
    parts = SECTION.split(text)
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        found += [(name, example, output) for example, output in EXAMPLE.findall(body)]
    return found


def described(connection: Connection) -> dict[str, str]:
    """What the database itself says of each public object, in Markdown, functions first."""
    found = {}
    connection.execute("RESET search_path")  # types are named as psql names them
    for name, arguments, result, comment in connection.execute(FUNCTIONS).fetchall():
        result = re.sub(r"^TABLE\((.*)\)$", r"(\1)", result)
        arguments = re.sub(r"(?<=NULL|'{}')::[a-z ]+(\[\])?", "", arguments)
        shown = f"tagdb.{name}({arguments})\n→ {result}"
        found[f"tagdb.{name}"] = f"{comment}\n\n```text\n{shown}\n```\n"
    for name, comment in connection.execute(VIEWS).fetchall():
        rows = connection.execute(COLUMNS, (f"tagdb.{name}",)).fetchall()
        lines = "".join(f"| `{column}` | {kind} | {meaning} |\n" for column, kind, meaning in rows)
        found[f"tagdb.{name}"] = f"{comment}\n\n| column | type | |\n| --- | --- | --- |\n{lines}"
    return found


AS_SHOWN = "SET timezone = 'UTC'; SET datestyle = 'ISO'"


def psql(program: Path, url: str) -> Callable[[str], str]:
    """A function that runs SQL as the examples are shown: aligned, in UTC; and takes back what it changed."""

    def run(sql: str) -> str:
        command = [program, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-P", "footer=off", "-d", url]
        done = subprocess.run(
            [
                *map(str, command),
                "-c",
                "SET timezone = 'UTC'; SET datestyle = 'ISO'",
                "-c",
                "BEGIN",
                "-c",
                sql,
                "-c",
                "ROLLBACK",
            ],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{done.stderr}\n{sql}")
        return "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines()) + "\n"

    return run


def document(connection: Connection, run: Callable[[str], str], text: str) -> str:
    """The whole file, with the introduction and the examples of the present one."""
    given: dict[str, list[str]] = {}
    for name, sql, _ in examples(text):
        given.setdefault(name, []).append(sql)
    written = text.partition("## Functions")[0]
    heading = ""
    for name, description in described(connection).items():
        kind = "## Views" if "| column |" in description else "## Functions"
        if kind != heading:
            written += f"{kind}\n\n"
            heading = kind
        written += f"### {name}\n\n{description}\n"
        for sql in given.get(name, []):
            written += f"```sql\n{sql}```\n\n```text\n{run(sql)}```\n\n"
    return written.rstrip() + "\n"


def main() -> None:
    """Write the document anew, on a server of its own."""
    home = temporary_home()
    try:
        postgres = Postgres.started(home)
        with postgres.database() as url, database.connect(url) as connection:
            showcase.fill(connection)
            run = psql(Path(postgres.program("psql")), url)
            DOCUMENT.write_text(document(connection, run, DOCUMENT.read_text("utf-8")), "utf-8")
    finally:
        Postgres.ended(home)
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
