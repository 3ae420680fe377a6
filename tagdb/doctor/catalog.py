"""The schema's objects: what the migrations have made is there, is as they made it, and holds."""

from collections.abc import Iterator
from typing import Any, LiteralString

from psycopg import sql

from tagdb.doctor.findings import Examination, Finding, counted, named, shown
from tagdb.store import examining


def objects(one: Examination) -> Iterator[Finding]:
    """Every table, view, function and trigger of tagdb's is there, and functions have tagdb's bodies."""
    if not one.readable:
        return
    found = one.deviations
    tables = [item.name for item in found.missing if item.kind == "TABLE"]
    others = [str(item) for item in found.missing if item.kind != "TABLE"]
    if tables:
        yield Finding(
            check="tables",
            severity="wrong",
            sentence=f"stored data is lost: there is no table {named(tables)}; restore a backup",
        )
    if others:
        yield Finding(
            check="missing objects",
            severity="wrong",
            sentence=f"the schema is incomplete: there is no {named(others)}",
            remedy="tagdb init --repair",
            figures={"missing": len(others)},
        )
    if found.changed:
        yield Finding(
            check="changed objects",
            severity="wrong",
            sentence=f"changed since tagdb created it: {named([str(item) for item in found.changed])}",
            remedy="tagdb init --repair",
            figures={"changed": len(found.changed)},
        )
    if found.added:
        yield Finding(
            check="added functions",
            severity="wrong",
            sentence=f"this function has the same name as one of tagdb's and may be called in its place: "
            f"{named(found.added)}",
            remedy="; ".join(f"DROP FUNCTION {name}" for name in found.added),
        )
    if not (found.missing or found.changed or found.added):
        yield Finding(check="objects", severity="ok", sentence="views and functions")


def tables(one: Examination) -> Iterator[Finding]:
    """Every column and key is there, keys are proven, and nobody has switched off foreign keys."""
    if not one.readable:
        return
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import AddConstraint, CreateIndex

    from tagdb.postgres import tables

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    there = {row["name"]: row for row in examining.found(one.connection, "doctor/tables")}
    indexes = {row["name"] for row in examining.found(one.connection, "doctor/indexes")}
    columns, remedies, absent = [], [], []
    for table in tables.metadata.sorted_tables:
        if (row := there.get(table.name)) is None:
            continue  # which is said already
        columns += [f"{table.name}.{c.name}" for c in table.columns if c.name not in row["columns"]]
        made: list[tuple[str, Any]] = [
            (str(key.name), AddConstraint(key))
            for key in (table.primary_key, *table.constraints)
            if key.name and key.name not in row["constraints"]
        ]
        made += [(str(i.name), CreateIndex(i)) for i in table.indexes if i.name not in indexes]
        for name, statement in dict(made).items():
            absent.append(name)
            remedies.append(" ".join(str(statement.compile(dialect=dialect)).split()))
    if columns:
        yield Finding(
            check="columns",
            severity="wrong",
            sentence=f"stored data is lost: there is no column {named(columns)}; restore a backup",
        )
    if absent:
        yield Finding(
            check="keys",
            severity="wrong",
            sentence=f"the tables have lost a key or an index: {named(absent)}",
            remedy="; ".join(remedies),
            figures={"missing": len(absent)},
        )
    unproven = [(row["name"], key) for row in there.values() for key in row["unproven"]]
    if unproven:
        yield Finding(
            check="unproven keys",
            severity="advice",
            sentence=f"it was never validated that all rows satisfy {named([key for _, key in unproven])}",
            remedy="; ".join(_altered(one, table, "VALIDATE CONSTRAINT {}", key) for table, key in unproven),
        )
    off = [name for name, row in there.items() if row["switched_off"]]
    if off:
        yield Finding(
            check="foreign keys",
            severity="wrong",
            sentence=f"triggers, and with them foreign keys, are switched off for {named(off)}: rows may "
            "lose what they belong to",
            remedy="; ".join(_altered(one, name, "ENABLE TRIGGER ALL") for name in off),
        )
    if not (columns or absent or off):
        yield Finding(check="tables and keys", severity="ok", sentence="tables and keys")


def indexes(one: Examination) -> Iterator[Finding]:
    """Every other index can be used, and none is kept up for nothing."""
    if not one.readable:
        return
    from tagdb.postgres import tables

    found = examining.found(one.connection, "doctor/indexes")
    broken = [row for row in found if not (row["valid"] or row["building"] or row["of"] is not None)]
    if broken:
        yield Finding(
            check="indexes",
            severity="wrong",
            sentence=f"invalid and not used: index {named([row['name'] for row in broken])}",
            remedy="; ".join(_mended(one, row) for row in broken),
        )
    known = {index.name for table in tables.metadata.tables.values() for index in table.indexes}
    unused = [
        row
        for row in found
        if not (row["of_constraint"] or row["of"] or row["name"] in known or row["scans"] or row in broken)
        and row["table"] != "alembic_version"
        and not row["table"].rpartition("_")[2].isdigit()  # of a table in the making
    ]
    if unused:
        size = sum(row["bytes"] for row in unused)
        yield Finding(
            check="unused indexes",
            severity="advice",
            sentence=f"not tagdb's, never used, and updated with every change ({shown(size)}): index "
            f"{named([row['name'] for row in unused])}",
            remedy="; ".join(_dropped(one, row["name"]) for row in unused),
            figures={"bytes": size},
        )
    if not broken:
        number = sum(row["valid"] for row in found)
        yield Finding(check="other indexes", severity="ok", sentence=counted(number, "index", "indexes"))


def _mended(one: Examination, row: examining.Row) -> str:
    """What was built beside another one and broke off is dropped; else it is built anew."""
    if row["name"].rstrip("0123456789").endswith(("_ccnew", "_ccold")):
        return _dropped(one, row["name"])
    return _said(one, "REINDEX INDEX {}", row["name"])


def _dropped(one: Examination, name: str) -> str:
    return _said(one, "DROP INDEX {}", name)


def _said(one: Examination, command: LiteralString, name: str) -> str:
    return sql.SQL(command).format(sql.Identifier("tagdb_store", name)).as_string(one.connection)


def _altered(one: Examination, table: str, change: LiteralString, *names: str) -> str:
    command = sql.SQL("ALTER TABLE {} " + change)
    return command.format(sql.Identifier("tagdb_store", table), *map(sql.Identifier, names)).as_string(
        one.connection
    )
