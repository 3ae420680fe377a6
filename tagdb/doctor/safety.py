"""Access: rights in the database, and files that only their owner may access."""

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from tagdb.doctor.findings import Examination, Finding, list_names
from tagdb.doctor.storage import folder_of_data
from tagdb.store import doctor as queries

ALL = {"TABLE": "ALL TABLES", "FUNCTION": "ALL FUNCTIONS", "PROCEDURE": "ALL PROCEDURES", "SCHEMA": ""}
SEQUENCES = "ALL SEQUENCES"
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
OTHERS = stat.S_IRWXG | stat.S_IRWXO
STRANGERS = stat.S_IWGRP | stat.S_IRWXO


def rights(examination: Examination) -> Iterator[Finding]:
    """Nobody has rights that tagdb does not grant, and tagdb's roles have theirs."""
    if not examination.readable:
        return
    rows = queries.rows(examination.connection, "rights")
    for grantee in dict.fromkeys(row.grantee for row in rows):
        its = [row for row in rows if row.grantee == grantee]
        given = [f"{row.rights} on {row.name}" for row in its]
        commands = []
        for schema, kind in dict.fromkeys((row.schema, row.kind) for row in its):
            if kind == "SCHEMA":
                # askers, readers and analysts in tagdb_store, and PUBLIC, must have no rights; others must
                # not create
                everything = grantee == "PUBLIC" or (
                    schema == "tagdb_store" and grantee in ("tagdb_asker", "tagdb_reader", "tagdb_analyst")
                )
                what = "ALL" if everything else "CREATE"
                commands.append(f"REVOKE {what} ON SCHEMA {schema} FROM {_quoted(grantee)}")
            else:
                commands.append(f"REVOKE ALL ON {ALL[kind]} IN SCHEMA {schema} FROM {_quoted(grantee)}")
                if kind == "TABLE":
                    commands.append(f"REVOKE ALL ON {SEQUENCES} IN SCHEMA {schema} FROM {_quoted(grantee)}")
        who = "everybody (PUBLIC)" if grantee == "PUBLIC" else grantee
        yield Finding(
            check=f"rights of {grantee}",
            severity="wrong",
            sentence=f"{who} has rights in tagdb's schemas that tagdb does not grant: {list_names(given)}",
            remedy="; ".join(commands),
            figures={"rights": len(its)},
        )
    lacking = queries.rows(examination.connection, "lacking")
    for role in dict.fromkeys(row.role for row in lacking):
        its = [row for row in lacking if row.role == role]
        roles = any(row.right == "CREATE" for row in its)
        given = [f"{row.right} on {row.name}" for row in its]
        yield Finding(
            check=f"rights that {role} lacks",
            severity="wrong",
            sentence=f"the role {role}, from which logins get their rights, does not exist"
            if roles
            else f"{role} lacks rights that it should have: {list_names(given)}",
            remedy="tagdb init --repair",
            figures={"rights": len(its)},
        )
    if not (rows or lacking):
        yield Finding(check="rights", severity="ok", sentence="rights")


def owners(examination: Examination) -> Iterator[Finding]:
    """The schema's owner owns everything, and functions with its rights have a fixed search path."""
    if not examination.readable:
        return
    rows = queries.rows(examination.connection, "definers")
    astray = [row.name for row in rows if row.astray]
    if astray:
        yield Finding(
            check="search paths",
            severity="wrong",
            sentence="functions with their owner's rights but the caller's search path: "
            f"{list_names(astray)}; a caller could make them run other code",
            remedy="; ".join(
                f"ALTER FUNCTION {name} SET search_path = pg_catalog, pg_temp" for name in astray
            ),
        )
    strange = [row for row in rows if row.strange]
    if strange:
        definer = [row for row in strange if row.definer]
        yield Finding(
            check="owners",
            severity="wrong" if definer else "advice",
            sentence=f"tagdb's schemas belong to {strange[0].schema_owner}, but some of their objects "
            f"belong to {list_names(sorted({row.owner for row in strange}))}: "
            f"{list_names([row.name for row in strange])}"
            + ("; such functions run with that owner's rights" if definer else ""),
            remedy="; ".join(
                f"ALTER {row.kind} {row.name} OWNER TO {_quoted(row.schema_owner)}" for row in strange
            ),
            figures={"objects": len(strange)},
        )


def files(examination: Examination) -> Iterator[Finding]:
    """On this machine, other users cannot access tagdb's home, the data and the passwords."""
    allowed: dict[Path, int] = {}
    if examination.home is not None:
        allowed |= {
            examination.home: OTHERS_WRITE,
            examination.home / "pgpass": OTHERS,
            examination.home / "run": OTHERS_WRITE,
        }
    if (data := folder_of_data(examination)) is not None:
        allowed[data] = STRANGERS
    looked = 0
    for path, forbidden in allowed.items():
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            continue  # it does not exist, or is not visible to us
        looked += 1
        if not mode & forbidden:
            continue
        passwords = path.name == "pgpass"
        may = "read" if passwords or path == data else "write to"
        yield Finding(
            check=f"file {path}",
            severity="wrong",
            sentence=f"other users of this machine may {may} {path}"
            + (", where passwords are kept" if passwords else ""),
            remedy=f"chmod {mode & ~forbidden:o} {shlex.quote(os.fspath(path))}",
            value=f"{mode:o}",
            recommended=f"{mode & ~forbidden:o}",
        )
    if looked:
        yield Finding(check="files", severity="ok", sentence="files", figures={"files": looked})


def _quoted(role: str) -> str:
    return role if role == "PUBLIC" else '"' + role.replace('"', '""') + '"'
