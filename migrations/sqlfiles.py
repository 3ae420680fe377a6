"""Runs the SQL files of the migrations.

A file holds one object and has its revision in its name: ``recommend_for_image.r01.sql``. A
released file never changes: the next version of an object is a new file, an upgrade runs the new
one and its downgrade the old one. ``sql/CHECKSUMS`` proves it.
"""

from pathlib import Path

from alembic import op

FOLDER = Path(__file__).parent / "sql"


def read(name: str) -> str:
    """The text of one SQL file, named without its suffix (``images.r01``)."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def run(*names: str) -> None:
    """Run SQL files in order on the migration's connection.

    ``no_parameters`` keeps the driver from reading ``%`` and ``:word`` as parameters.
    """
    connection = op.get_bind().execution_options(no_parameters=True)
    for name in names:
        connection.exec_driver_sql(read(name))


def replace(*names: str) -> None:
    """Run SQL files of functions that are there with the same arguments, and that others call."""
    connection = op.get_bind().execution_options(no_parameters=True)
    for name in names:
        connection.exec_driver_sql(read(name).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))


def drop(*objects: str) -> None:
    """Drop objects named with their kind (``VIEW tagdb.images``), in order, never cascading."""
    for name in objects:
        op.get_bind().exec_driver_sql(f"DROP {name}")
