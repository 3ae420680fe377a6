"""``tagdb bi``: the files that BI tools import."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import conninfo

from tagdb.bi import charts
from tests.support.commands import Run, complaint, invoke
from tests.support.postgres import Postgres, administer, free_ports

NAME = "tagdb_test reader:\\'\"@é"


@pytest.fixture
def login(postgres: Postgres) -> Iterator[str]:
    """A name for a login, which is dropped in the end; ask for it before a database."""
    name = f"{NAME} {uuid.uuid4().hex[:12]}"
    yield name
    administer(postgres.url, "DROP ROLE IF EXISTS {}", name)


def unpacked(archive: bytes) -> dict[str, Any]:
    """The files of an import file by their names; each is JSON, and so YAML."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        assert packed.testzip() is None
        names = packed.namelist()
        assert len(set(names)) == len(names)
        return {name: json.loads(packed.read(name)) for name in names}


def test_an_import_file_for_superset(login: str, tagdb: Run, database_url: str) -> None:
    granted = tagdb("db", "grant", login, "--role", "reader")
    assert granted.exit_code == 0, granted.output
    password = str(conninfo.conninfo_to_dict(granted.stdout.strip())["password"])
    done = tagdb("bi", "superset", "--login", login)
    assert done.exit_code == 0, done.stderr
    assert done.stderr == f"on import, Superset asks for the password of {login}\n"
    assert tagdb("bi", "superset", "--login", login).stdout_bytes == done.stdout_bytes

    files = unpacked(done.stdout_bytes)
    assert password not in json.dumps(files, ensure_ascii=False)
    for name, content in files.items():
        assert name.startswith("tagdb/")
        assert content["version"] == "1.0.0"
        assert ("uuid" in content) == (name != "tagdb/metadata.yaml")
    uri = files["tagdb/databases/tagdb.yaml"]["sqlalchemy_uri"]
    given = conninfo.conninfo_to_dict(uri.replace("postgresql+psycopg2:", "postgresql:"))
    expected = conninfo.conninfo_to_dict(granted.stdout.strip())
    assert given == expected | {"password": "XXXXXXXXXX"}
    kinds = [name.split("/")[1] for name in files]
    assert kinds.count("charts") == len(list(charts.charts()))
    assert {kind: kinds.count(kind) for kind in ("databases", "dashboards")} == {
        "databases": 1,
        "dashboards": 1,
    }


def test_what_belongs_together_in_it(login: str, tagdb: Run) -> None:
    assert tagdb("db", "grant", login, "--role", "reader").exit_code == 0
    files = unpacked(tagdb("bi", "superset", "--login", login).stdout_bytes)
    by_kind: dict[str, list[Any]] = {}
    for name, content in files.items():
        by_kind.setdefault(name.split("/")[1], []).append(content)
    ids = [content["uuid"] for content in files.values() if "uuid" in content]
    assert len(set(ids)) == len(ids)
    (database,), (dashboard,) = by_kind["databases"], by_kind["dashboards"]
    data_sets = {each["uuid"]: each for each in by_kind["datasets"]}
    for each in data_sets.values():
        assert each["database_uuid"] == database["uuid"]
        assert each["description"]
        columns = [column["column_name"] for column in each["columns"]]
        metrics = [metric["metric_name"] for metric in each["metrics"]]
        assert len({*columns, *metrics}) == len(columns) + len(metrics), each["table_name"]
    for chart in by_kind["charts"]:
        data_set = data_sets[chart["dataset_uuid"]]
        columns = [column["column_name"] for column in data_set["columns"]]
        metrics = [metric["metric_name"] for metric in data_set["metrics"]]
        params = chart["params"]
        asked = [*params.get("metrics", ()), *filter(None, [params.get("metric")])]
        assert set(asked) <= set(metrics), chart["slice_name"]
        by = params.get("groupby", [])
        named = [*([by] if isinstance(by, str) else by), *params.get("all_columns", ())]
        assert {*named, *filter(None, [params.get("x_axis")])} <= set(columns), chart["slice_name"]
    placed = [part["meta"]["uuid"] for part in dashboard["position"].values() if "CHART" in str(part)[:20]]
    assert sorted(placed) == sorted(chart["uuid"] for chart in by_kind["charts"])
    for chosen in dashboard["metadata"]["native_filter_configuration"]:
        for target in chosen["targets"]:
            assert not target or target["datasetUuid"] in data_sets


def test_who_could_read_is_said(tagdb: Run) -> None:
    message = complaint(tagdb("bi", "superset", "--login", "no body"))
    assert message.endswith("does not have the role reader; run: tagdb db grant 'no body' --role reader")


def test_the_embedded_server_from_nothing(fresh: Path) -> None:
    def superset() -> str:
        done = invoke("bi", "superset", TAGDB_HOME=str(fresh))
        assert (done.exit_code, done.stdout_bytes) == (1, b"")
        return done.stderr.splitlines()[-1]  # after that it was started

    assert superset().endswith("give it a port: tagdb db start --port 5433")
    assert invoke("db", "stop", TAGDB_HOME=str(fresh)).exit_code == 0
    (fresh / "tagdb.toml").write_text(f"port = {free_ports(1)[0]}\n")
    assert superset() == "Error: no login has the role reader yet; run: tagdb db grant NAME --role reader"


def test_a_terminal_gets_no_file(tagdb: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True)
    done = tagdb("bi", "superset")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "write it into a file: tagdb bi superset > tagdb.zip" in done.stderr


def test_a_dashboard_for_grafana(fresh: Path) -> None:
    """Of no database: none is asked, and no server is started."""
    done = invoke(
        "bi", "grafana", TAGDB_HOME=str(fresh), TAGDB_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"
    )
    assert (done.exit_code, done.stderr) == (0, "")
    dashboard = json.loads(done.stdout)
    assert (dashboard["title"], dashboard["uid"], dashboard["id"]) == ("tagdb", "tagdb", None)
    assert done.stdout == invoke("bi", "grafana", TAGDB_HOME=str(fresh)).stdout
    assert list(fresh.iterdir()) == []
