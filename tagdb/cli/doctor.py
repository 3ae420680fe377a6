"""``tagdb doctor``."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tagdb.cli.common import json_option, note, print_json, say, settings, shared_options, size

if TYPE_CHECKING:
    from tagdb.doctor import Finding


@click.command("doctor")
@click.option(
    "--memory", metavar="SIZE", callback=size, help="Memory of the server's machine, if it is another one."
)
@click.option("--cores", type=click.IntRange(min=1), help="Its number of CPU cores.")
@json_option
@shared_options
def command(memory: int | None, cores: int | None, as_json: bool) -> None:
    """Find what is wrong with the database, which settings cost speed, and how much.

    Checks the schema and its rights, the stored data, indexes, factors, statistics, the server and its disk.
    In large databases only a sample of the vectors is checked. Settings that can be tried without a restart
    are tried: a few recommendations run with each, and their times are compared. Nothing is changed. If the
    server runs on another machine, give its memory and cores. The exit code is 1 if something is wrong;
    possible improvements are only advice.

    \b
    Examples:
      tagdb doctor
      tagdb doctor --database-url postgresql://me@db.example/photos --memory 16GB --cores 4
    """
    if (memory is None) != (cores is None):
        raise click.UsageError("give --memory and --cores together")
    from tagdb import doctor
    from tagdb.postgres import database
    from tagdb.postgres.machine import Machine, this_machine

    config = settings()
    machine = Machine(memory, cores) if memory and cores else None
    if machine is None and config.database_url is None:
        machine = this_machine()
    url = database.ensure_url(config, note)
    with database.connect(url) as connection, database.translated(connection):
        examination, findings = doctor.examine(connection, machine, config.home, config.database_url is None)
    if as_json:
        facts = {
            "postgresql": examination.facts.version,
            "pgvector": examination.facts.pgvector,
            "database": examination.facts.database,
            "machine": asdict(examination.machine) if examination.machine else None,
        }
        print_json({**facts, "findings": [asdict(finding) for finding in findings]})
    else:
        _show(findings)
        if examination.machine is None:
            note("the server's machine is not known, so sizes are not compared with it: --memory, --cores")
    if any(finding.severity == "wrong" for finding in findings):
        raise click.exceptions.Exit(1)


def _show(findings: "Sequence[Finding]") -> None:
    """Print the worst first, what is fine on one line, and at the end what to paste."""
    for severity in ("wrong", "advice"):
        for finding in findings:
            if finding.severity == severity:
                say(f"{severity}: {finding.sentence}")
    fine = [finding.sentence for finding in findings if finding.severity == "ok"]
    if fine:
        say(f"fine: {'; '.join(fine)}")
    if skipped := [finding.sentence for finding in findings if finding.severity == "skipped"]:
        say(f"not checked: {'; '.join(skipped)}")
    remedies = [finding for finding in findings if finding.remedy and finding.severity != "ok"]
    if not remedies:
        return
    click.echo("\nto fix it:")
    for remedy, restart in dict.fromkeys((finding.remedy, finding.restart) for finding in remedies):
        if remedy[0].islower():  # a command; SQL is written in capitals
            say(f"  {remedy}")
        else:
            say(f"  {remedy};{'  -- takes effect after a restart of the server' if restart else ''}")
    if any(finding.remedy.startswith("ALTER SYSTEM") for finding in remedies):
        click.echo("  SELECT pg_reload_conf();")
    if any(finding.remedy.startswith(("ALTER DATABASE", "ALTER ROLE")) for finding in remedies):
        click.echo("  -- settings of a database or a role take effect in new connections")
