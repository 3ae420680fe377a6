"""The server: its versions, its schema, and whether stored data survives a crash."""

from collections.abc import Iterator

from tagdb.doctor.findings import Examination, Finding
from tagdb.postgres import database
from tagdb.postgres.database import PGVECTOR_AT_LEAST, POSTGRES_AT_LEAST
from tagdb.store import distribution
from tagdb.store import doctor as queries


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def versions(examination: Examination) -> Iterator[Finding]:
    """PostgreSQL and pgvector are installed and new enough."""
    facts = examination.facts
    if facts.major < POSTGRES_AT_LEAST:
        yield Finding(
            check="PostgreSQL",
            severity="wrong",
            sentence=f"this is PostgreSQL {facts.version}; tagdb needs {POSTGRES_AT_LEAST} or newer",
        )
    else:
        yield Finding(check="PostgreSQL", severity="ok", sentence=f"PostgreSQL {facts.version}")
    least = ".".join(map(str, PGVECTOR_AT_LEAST))
    installed, available = facts.pgvector, facts.pgvector_available
    if available is None and installed is None:
        yield Finding(
            check="pgvector",
            severity="wrong",
            sentence=f"pgvector is not installed; install the package postgresql-{facts.major}-pgvector",
        )
    elif _number(installed or available or "") < PGVECTOR_AT_LEAST:
        yield Finding(
            check="pgvector",
            severity="wrong",
            sentence=f"pgvector {installed or available} is too old for tagdb",
            remedy="ALTER EXTENSION vector UPDATE" if installed and installed != available else "",
            value=installed,
            recommended=f"{least} or newer",
        )
    elif installed and available and _number(installed) < _number(available):
        yield Finding(
            check="pgvector",
            severity="advice",
            sentence=f"this database uses pgvector {installed}, and {available} is installed",
            remedy="ALTER EXTENSION vector UPDATE",
            value=installed,
            recommended=available,
        )
    elif installed:
        yield Finding(check="pgvector", severity="ok", sentence=f"pgvector {installed}", value=installed)


def schema(examination: Examination) -> Iterator[Finding]:
    """The schema exists, has this program's revision, and may be used."""
    revision = examination.revision
    if revision is None:
        yield Finding(
            check="schema",
            severity="advice",
            sentence="there is no tagdb schema yet; only the server's settings were checked",
            remedy="tagdb init",
        )
    elif revision == database.UNRELEASED:
        yield Finding(
            check="schema",
            severity="wrong",
            sentence="a development version of tagdb made the schema, which cannot be upgraded; "
            "ingest the photos again, into a new database",
            value=revision,
            recommended=database.SCHEMA_REVISION,
        )
    elif revision != database.SCHEMA_REVISION:
        newer = revision > database.SCHEMA_REVISION
        yield Finding(
            check="schema",
            severity="wrong",
            sentence=f"the schema has revision {revision}, this tagdb needs {database.SCHEMA_REVISION}"
            + ("; upgrade tagdb" if newer else ""),
            remedy="" if newer else "tagdb init",
            value=revision,
            recommended=database.SCHEMA_REVISION,
        )
    elif not examination.facts.may_read:
        yield Finding(
            check="schema",
            severity="advice",
            sentence="your login may not read tagdb's schema; only the server's settings were checked",
            remedy=f"tagdb db grant {examination.facts.login} --role reader",
        )
    else:
        yield Finding(check="schema", severity="ok", sentence=f"schema {revision}", value=revision)


def workers(examination: Examination) -> Iterator[Finding]:
    """All workers of a distributed database answer."""
    if not examination.readable or not distribution.is_distributed(examination.connection):
        return
    found = queries.rows(examination.connection, "workers")
    for worker, answers in found:
        if not answers:
            yield Finding(
                check="workers",
                severity="wrong",
                sentence=f"the worker {worker} does not answer, and without its part of the images nothing "
                "is recommended or stored; start it",
            )
    if all(answers for _, answers in found):
        yield Finding(check="workers", severity="ok", sentence=f"{len(found)} workers")


def durability(examination: Examination) -> Iterator[Finding]:
    """A crash of the machine loses nothing. Both settings are on by default, so "off" was chosen."""
    safe = True
    for name in ("fsync", "full_page_writes"):
        setting = examination.setting(name)
        if setting and setting.value == "off":
            safe = False
            yield Finding(
                check=name,
                severity="advice",
                sentence=f"{name} is off: if the machine crashes, the database may be lost",
                remedy=examination.change(setting, "on"),
                value="off",
                recommended="on",
            )
    if safe:
        yield Finding(check="crashes", severity="ok", sentence="crash safety")
