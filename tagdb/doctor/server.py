"""The server itself: versions, the schema, and whether what is stored stays stored."""

from collections.abc import Iterator

from tagdb.doctor.findings import Examination, Finding
from tagdb.postgres import database
from tagdb.postgres.database import PGVECTOR_AT_LEAST, POSTGRES_AT_LEAST


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def versions(one: Examination) -> Iterator[Finding]:
    """PostgreSQL and pgvector are there and new enough."""
    facts = one.facts
    if facts.major < POSTGRES_AT_LEAST:
        yield Finding(
            check="PostgreSQL",
            severity="wrong",
            sentence=f"this is PostgreSQL {facts.version}; tagdb needs {POSTGRES_AT_LEAST} or newer",
        )
    else:
        yield Finding(check="PostgreSQL", severity="ok", sentence=f"PostgreSQL {facts.version}")
    least = ".".join(map(str, PGVECTOR_AT_LEAST))
    found, available = facts.pgvector, facts.pgvector_available
    if available is None and found is None:
        yield Finding(
            check="pgvector",
            severity="wrong",
            sentence=f"pgvector is not installed; install the package postgresql-{facts.major}-pgvector",
        )
    elif _number(found or available or "") < PGVECTOR_AT_LEAST:
        yield Finding(
            check="pgvector",
            severity="wrong",
            sentence=f"pgvector {found or available} is too old for tagdb",
            remedy="ALTER EXTENSION vector UPDATE" if found and found != available else "",
            value=found,
            recommended=f"{least} or newer",
        )
    elif found and available and _number(found) < _number(available):
        yield Finding(
            check="pgvector",
            severity="advice",
            sentence=f"this database uses pgvector {found}, and {available} is installed",
            remedy="ALTER EXTENSION vector UPDATE",
            value=found,
            recommended=available,
        )
    elif found:
        yield Finding(check="pgvector", severity="ok", sentence=f"pgvector {found}", value=found)


def schema(one: Examination) -> Iterator[Finding]:
    """The schema is there, is of this program's version, and may be used."""
    found = one.revision
    if found is None:
        yield Finding(
            check="schema",
            severity="advice",
            sentence="there is no tagdb schema yet; only the server's settings were checked",
            remedy="tagdb init",
        )
    elif found != database.SCHEMA_REVISION:
        newer = found > database.SCHEMA_REVISION
        yield Finding(
            check="schema",
            severity="wrong",
            sentence=f"the schema has revision {found}, this tagdb needs {database.SCHEMA_REVISION}"
            + ("; upgrade tagdb" if newer else ""),
            remedy="" if newer else "tagdb init",
            value=found,
            recommended=database.SCHEMA_REVISION,
        )
    elif not one.facts.may_read:
        yield Finding(
            check="schema",
            severity="advice",
            sentence="your login may not read tagdb's schema; only the server's settings were checked",
            remedy=f"tagdb db grant {one.facts.login} --role reader",
        )
    else:
        yield Finding(check="schema", severity="ok", sentence=f"schema {found}", value=found)


def durability(one: Examination) -> Iterator[Finding]:
    """A crash of the machine loses nothing that was stored. Off is somebody's choice: the default is on."""
    safe = True
    for name in ("fsync", "full_page_writes"):
        setting = one.setting(name)
        if setting and setting.value == "off":
            safe = False
            yield Finding(
                check=name,
                severity="advice",
                sentence=f"{name} is off: if the machine crashes, the database may be lost",
                remedy=one.change(setting, "on"),
                value="off",
                recommended="on",
            )
    if safe:
        yield Finding(check="crashes", severity="ok", sentence="crash safety")
