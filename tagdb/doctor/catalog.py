"""The schema's objects: everything the migrations create exists, is unchanged and valid."""

from collections.abc import Iterator
from typing import Any, LiteralString

from psycopg import sql

from tagdb.doctor.findings import Examination, Finding, count_noun, format_bytes, list_names
from tagdb.postgres import session_settings
from tagdb.store import distribution
from tagdb.store import doctor as queries


def objects(examination: Examination) -> Iterator[Finding]:
    """Every table, view, function and trigger of tagdb exists, and functions are unchanged."""
    if not examination.readable:
        return
    deviations = examination.deviations
    tables = [item.name for item in deviations.missing if item.kind == "TABLE"]
    others = [str(item) for item in deviations.missing if item.kind != "TABLE"]
    if tables:
        yield Finding(
            check="tables",
            severity="wrong",
            sentence=f"stored data is lost: there is no table {list_names(tables)}; restore a backup",
        )
    if others:
        yield Finding(
            check="missing objects",
            severity="wrong",
            sentence=f"the schema is incomplete: there is no {list_names(others)}",
            remedy="tagdb init --repair",
            figures={"missing": len(others)},
        )
    if deviations.changed:
        yield Finding(
            check="changed objects",
            severity="wrong",
            sentence="changed since tagdb created it: "
            f"{list_names([str(item) for item in deviations.changed])}",
            remedy="tagdb init --repair",
            figures={"changed": len(deviations.changed)},
        )
    if deviations.added:
        yield Finding(
            check="added functions",
            severity="wrong",
            sentence=f"this function has the same name as one of tagdb's and may be called in its place: "
            f"{list_names(deviations.added)}",
            remedy="; ".join(f"DROP FUNCTION {name}" for name in deviations.added),
        )
    if not (deviations.missing or deviations.changed or deviations.added):
        yield Finding(check="objects", severity="ok", sentence="views and functions")


def tables(examination: Examination) -> Iterator[Finding]:
    """Every column and key exists, constraints are validated, and foreign keys are switched on."""
    if not examination.readable:
        return
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import AddConstraint, CreateIndex

    from tagdb.postgres import tables

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    distributed = distribution.TABLES if distribution.is_distributed(examination.connection) else ()
    there = {row.name: row for row in queries.rows(examination.connection, "tables")}
    indexes = {row.name for row in queries.rows(examination.connection, "indexes")}
    columns, remedies, absent = [], [], []
    for table in tables.metadata.sorted_tables:
        if (row := there.get(table.name)) is None:
            continue  # reported by objects()
        columns += [f"{table.name}.{c.name}" for c in table.columns if c.name not in row.columns]
        keys = (table.primary_key, *(() if table.name in distributed else table.constraints))
        made: list[tuple[str, Any]] = [
            (str(key.name), AddConstraint(key))
            for key in keys
            if key.name and key.name not in row.constraints
        ]
        made += [(str(i.name), CreateIndex(i)) for i in table.indexes if i.name not in indexes]
        for name, statement in dict(made).items():
            absent.append(name)
            remedies.append(" ".join(str(statement.compile(dialect=dialect)).split()))
    if columns:
        yield Finding(
            check="columns",
            severity="wrong",
            sentence=f"stored data is lost: there is no column {list_names(columns)}; restore a backup",
        )
    if absent:
        yield Finding(
            check="keys",
            severity="wrong",
            sentence=f"the tables have lost a key or an index: {list_names(absent)}",
            remedy="; ".join(remedies),
            figures={"missing": len(absent)},
        )
    unproven = [(row.name, key) for row in there.values() for key in row.unproven]
    if unproven:
        yield Finding(
            check="unproven keys",
            severity="advice",
            sentence="it was never validated that all rows satisfy "
            f"{list_names([key for _, key in unproven])}",
            remedy="; ".join(
                _altered(examination, table, "VALIDATE CONSTRAINT {}", key) for table, key in unproven
            ),
        )
    off = [name for name, row in there.items() if row.switched_off]
    if off:
        yield Finding(
            check="foreign keys",
            severity="wrong",
            sentence=f"triggers, and with them foreign keys, are switched off for {list_names(off)}: rows "
            "may lose what they belong to",
            remedy="; ".join(_altered(examination, name, "ENABLE TRIGGER ALL") for name in off),
        )
    name = "session_replication_role"
    if (setting := examination.setting(name)) is not None and setting.initial == "replica":
        undoing = session_settings.undoing(examination.connection, name)
        yield Finding(
            check=name,
            severity="wrong",
            sentence=f"{name} is replica, which switches foreign keys off, so that rows may lose "
            f"what they belong to; {undoing}",
            remedy=undoing.removeprefix("run: ") if undoing.startswith("run: ") else "",
        )
        off.append(name)
    if not (columns or absent or off):
        yield Finding(check="tables and keys", severity="ok", sentence="tables and keys")


def indexes(examination: Examination) -> Iterator[Finding]:
    """Every other index is valid, and none is maintained but never used."""
    if not examination.readable:
        return
    from tagdb.postgres import tables

    rows = queries.rows(examination.connection, "indexes")
    broken = [row for row in rows if not (row.valid or row.building or row.of is not None)]
    if broken:
        yield Finding(
            check="indexes",
            severity="wrong",
            sentence=f"invalid and not used: index {list_names([row.name for row in broken])}",
            remedy="; ".join(_mended(examination, row) for row in broken),
        )
    known = {index.name for table in tables.metadata.tables.values() for index in table.indexes}
    unused = [
        row
        for row in rows
        if not (row.of_constraint or row.of or row.name in known or row.scans or row in broken)
        and row.table != "alembic_version"
        and not row.table.rpartition("_")[2].isdigit()  # of a table under construction
    ]
    if unused:
        size = sum(row.bytes for row in unused)
        yield Finding(
            check="unused indexes",
            severity="advice",
            sentence=f"not tagdb's, never used, and updated with every change ({format_bytes(size)}): index "
            f"{list_names([row.name for row in unused])}",
            remedy="; ".join(_dropped(examination, row.name) for row in unused),
            figures={"bytes": size},
        )
    if not broken:
        number = sum(row.valid for row in rows)
        yield Finding(check="other indexes", severity="ok", sentence=count_noun(number, "index", "indexes"))


def _mended(examination: Examination, row: Any) -> str:
    """Return the statement that drops a left-over copy of an index, or rebuilds an invalid index."""
    if row.name.rstrip("0123456789").endswith(("_ccnew", "_ccold")):
        return _dropped(examination, row.name)
    return _statement(examination, "REINDEX INDEX {}", row.name)


def _dropped(examination: Examination, name: str) -> str:
    return _statement(examination, "DROP INDEX {}", name)


def _statement(examination: Examination, command: LiteralString, name: str) -> str:
    return sql.SQL(command).format(sql.Identifier("tagdb_store", name)).as_string(examination.connection)


def _altered(examination: Examination, table: str, change: LiteralString, *names: str) -> str:
    command = sql.SQL("ALTER TABLE {} " + change)
    return command.format(sql.Identifier("tagdb_store", table), *map(sql.Identifier, names)).as_string(
        examination.connection
    )
