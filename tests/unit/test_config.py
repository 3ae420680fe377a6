"""Settings: flags, environment, file."""

import os
import sys
from pathlib import Path

import platformdirs
import pytest

from tagdb.config import Settings, default_home, load
from tagdb.errors import ConfigError

FILE = "postgresql://file/db"
ENVIRONMENT = "postgresql://environment/db"
FLAG = "postgresql://flag/db"


def home_with(folder: Path, text: str | bytes) -> dict[str, str]:
    """Write the file; the environment that names its home."""
    (folder / "tagdb.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return {"TAGDB_HOME": str(folder)}


def test_nothing_is_set(tmp_path: Path) -> None:
    assert load({"TAGDB_HOME": str(tmp_path)}) == Settings(tmp_path, None, None)


def test_flags_win_over_environment_and_that_over_the_file(tmp_path: Path) -> None:
    environment = home_with(tmp_path, f'database_url = "{FILE}"\nbackbone = "file.weights.h5"\n')
    found = load(environment)
    assert (found.database_url, found.backbone) == (FILE, "file.weights.h5")
    environment["TAGDB_DATABASE_URL"] = ENVIRONMENT
    found = load(environment, database_url=None, backbone=None)
    assert (found.database_url, found.backbone) == (ENVIRONMENT, "file.weights.h5")
    environment["TAGDB_BACKBONE"] = "environment.weights.h5"
    found = load(environment, database_url=FLAG)
    assert (found.database_url, found.backbone) == (FLAG, "environment.weights.h5")
    assert load(environment, backbone="flag.weights.h5").backbone == "flag.weights.h5"


def test_what_is_empty_is_not_set(tmp_path: Path) -> None:
    environment = home_with(tmp_path, f'database_url = "{FILE}"')
    assert load(environment | {"TAGDB_DATABASE_URL": ""}, database_url="").database_url == FILE
    assert load({"TAGDB_HOME": ""}).home == default_home()


def test_the_port_comes_from_file_or_environment(tmp_path: Path) -> None:
    assert load({"TAGDB_HOME": str(tmp_path)}).port is None
    environment = home_with(tmp_path, f'port = 5433\ndatabase_url = "{FILE}"')
    assert load(environment) == Settings(tmp_path, FILE, None, 5433)
    assert load(environment | {"TAGDB_PORT": ""}).port == 5433
    assert load(environment | {"TAGDB_PORT": "1024"}).port == 1024
    assert load({"TAGDB_PORT": "65535"}).port == 65535


@pytest.mark.parametrize("value", ["1023", "65536", "0", "-5433", "5433.0", '"5433"', "true", "[5433]"])
def test_a_port_that_is_none(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(home_with(tmp_path, f"port = {value}"))
    assert f"{tmp_path / 'tagdb.toml'}: port must be a whole number from 1024 to 65535" in str(caught.value)


@pytest.mark.parametrize(
    "value", ["1023", "65536", "-5433", "5433.0", "5_433", " 5433", "９９９９", "x\ny", "9" * 5000]
)
def test_a_port_of_the_environment_that_is_none(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^TAGDB_PORT must be a whole number from 1024 to 65535") as caught:
        load({"TAGDB_PORT": value})
    assert "\n" not in str(caught.value)


def test_the_environment_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGDB_HOME", str(tmp_path))
    monkeypatch.setenv("TAGDB_DATABASE_URL", ENVIRONMENT)
    assert load() == Settings(tmp_path, ENVIRONMENT, None)


def test_the_home_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/somebody")
    assert load({"TAGDB_HOME": "here"}).home == tmp_path / "here"
    assert load({"TAGDB_HOME": "~/there"}).home == Path("/somebody/there")
    assert load({"TAGDB_HOME": "here"}).backbone_cache == tmp_path / "here/backbones"


@pytest.mark.parametrize("user", [0, 1000])
def test_the_default_home(monkeypatch: pytest.MonkeyPatch, user: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setenv("HOME", "/somebody")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for_root = Path("/var/lib/tagdb")
    expected = (
        for_root if user == 0 and sys.platform == "linux" else platformdirs.user_data_path("tagdb", False)
    )
    assert default_home() == expected
    assert load({}).home == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("database_url = ", "cannot be read"),
        ("database_url: x", "cannot be read"),
        (b'database_url = "\xff"', "cannot be read"),
        ('databas_url = "postgresql://x"', "databas_url is not a setting, or not a string; settings are"),
        ("[database]\nurl = 'x'", "database is not a setting"),
        ("database_url = 5432", "database_url is not a setting, or not a string"),
        ("backbone = ['a']", "backbone is not a setting, or not a string"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(home_with(tmp_path, text), database_url=FLAG)
    message = str(caught.value)
    assert str(tmp_path / "tagdb.toml") in message
    assert says in message
    assert "\n" not in message


def test_a_file_that_is_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "tagdb.toml").mkdir()
    assert load({"TAGDB_HOME": str(tmp_path)}).database_url is None
