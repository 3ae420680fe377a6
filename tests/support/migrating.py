"""Migrating databases: by Alembic's commands, and by a tagdb that knows one revision more.

There is one revision so far. A second one is made up here, so that upgrades, kills during them and the
refusal of what is newer can be tried: :class:`Later` is this tagdb with a copy of the migrations, to which
it is added. It does what a real one may: a column and a table, with data; a function with other arguments, a
view with a column between others, and a function of which the body alone changes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from alembic.config import Config

from tagdb.postgres import database

REVISION = "9000"
"""Of the made-up revision, which comes after whichever is the newest."""
HEAD = f'''
from tagdb.migrations import objects, sqlfiles

revision = "{REVISION}"
down_revision = "{database.SCHEMA_REVISION}"


def upgrade() -> None:
    sqlfiles.drop("VIEW tagdb.images", "FUNCTION tagdb.similar_images_to")
    sqlfiles.run(__file__, "notes")


def downgrade() -> None:
    sqlfiles.execute(*objects.drops())
    sqlfiles.execute("DROP TABLE tagdb_store.notes", "ALTER TABLE tagdb_store.images DROP COLUMN length")
'''
NOTES = """
CREATE TABLE tagdb_store.notes (image_id bigint PRIMARY KEY REFERENCES tagdb_store.images, note text);
INSERT INTO tagdb_store.notes SELECT i.image_id, '100%: ' || i.uri FROM tagdb_store.images i;
ALTER TABLE tagdb_store.images ADD COLUMN length integer;
UPDATE tagdb_store.images SET length = width + height;
"""
EDITS = {
    "tagdb/images": ("i.uri, i.media_type,", "i.uri, i.length, i.media_type,"),
    "tagdb/similar_images_to": ("top integer DEFAULT 10)", "top integer DEFAULT 10, above real DEFAULT 0)"),
    "tagdb_store/refuse": ("MESSAGE = message", "MESSAGE = 'later: ' || message"),
    "rights": (
        "-- What functions change",
        "GRANT SELECT ON tagdb_store.notes TO tagdb_writer;\n-- What functions change",
    ),
}
"""What is replaced by what in the files that are edited in place."""
BECOME = """
import sys, importlib.util, tagdb
spec = importlib.util.spec_from_file_location(
    "tagdb.migrations", {folder!r} + "/__init__.py", submodule_search_locations=[{folder!r}])
tagdb.migrations = sys.modules["tagdb.migrations"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tagdb.migrations)
"""
RUN = """
from tagdb.cli import main
sys.argv[0] = "tagdb"
main()
"""


def alembic(url: str, action: Callable[..., object], *arguments: str) -> None:
    """Run one of Alembic's commands as ``tagdb init`` does."""
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    with database.engine(url).begin() as connection:
        config.attributes["connection"] = connection
        action(config, *arguments)


class Later:
    """A tagdb of a later revision, as a program; its migrations are made in a folder."""

    revision = REVISION

    def __init__(self, folder: Path) -> None:
        self.migrations = folder / "migrations"
        shutil.copytree(database.MIGRATIONS, self.migrations, ignore=shutil.ignore_patterns("__pycache__"))
        versions = self.migrations / "versions" / f"{REVISION}_made_up"
        versions.mkdir()
        versions.with_suffix(".py").write_text(HEAD)
        (versions / "notes.sql").write_text(NOTES)
        for name, (before, after) in EDITS.items():
            file = self.migrations / "sql" / f"{name}.sql"
            assert before in file.read_text()
            file.write_text(file.read_text().replace(before, after))

    def command(self, *arguments: object, code: str = RUN) -> list[str]:
        """The words that run it; or other code, with its migrations."""
        become = BECOME.format(folder=str(self.migrations))
        return [sys.executable, "-c", become + code, *map(str, arguments)]

    def started(self, *arguments: object, code: str = RUN, **environment: str) -> subprocess.Popen[str]:
        """It, running, with these variables besides."""
        return subprocess.Popen(
            self.command(*arguments, code=code),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
