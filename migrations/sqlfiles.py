"""Run SQL on the migration's connection, for revisions."""

from pathlib import Path

from alembic import op


def execute(*statements: str) -> None:
    """Run statements without parameters, so that the driver does not interpret ``%`` or ``:word``."""
    connection = op.get_bind().execution_options(no_parameters=True)
    for statement in statements:
        connection.exec_driver_sql(statement)


def drop(*objects: str) -> None:
    """Drop views or functions, in order, never cascading: ``VIEW tagdb.images``, ``FUNCTION tagdb.similar``.

    A database that is upgraded has them; a new one does not: there they are made after all revisions.
    """
    for kind, name in (named.split(" ", 1) for named in objects):
        execute(f"DROP {kind} IF EXISTS {name}")


def run(revision_file: str, *names: str) -> None:
    """Run SQL files of a revision, in order, from the folder of its name."""
    folder = Path(revision_file).with_suffix("")
    execute(*((folder / f"{name}.sql").read_text(encoding="utf-8") for name in names))
