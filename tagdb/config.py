"""Settings, read once. Flags override the environment, and the environment overrides the file.

The file is ``tagdb.toml`` in tagdb's home. Its keys, the environment variables and the flags:

================  =======================  ==================================
key               environment              flag
================  =======================  ==================================
(the home itself) ``TAGDB_HOME``           (none)
database_url      ``TAGDB_DATABASE_URL``   ``--database-url``
backbone          ``TAGDB_BACKBONE``       ``--backbone``
port              ``TAGDB_PORT``           (``--port`` of ``tagdb db start``)
================  =======================  ==================================
"""

import os
import re
import shlex
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tagdb.errors import ConfigError

TEXTS = ("database_url", "backbone")
KEYS = (*TEXTS, "port")
PORTS = range(1024, 65536)
"""Ports that any program may use."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a command."""

    home: Path
    """Folder of the embedded database and of exported backbones."""
    database_url: str | None = None
    """A PostgreSQL with pgvector; None: the embedded one."""
    backbone: str | None = None
    """Name or path of the backbone; None: the database's."""
    port: int | None = None
    """Port of 127.0.0.1 on which the embedded database also listens; None: none."""

    @property
    def backbone_cache(self) -> Path:
        """Folder of exported LiteRT files."""
        return self.home / "backbones"

    @property
    def here(self) -> str:
        """What a command begins with in another shell, so that it is about this home."""
        return "" if self.home == default_home() else f"TAGDB_HOME={shlex.quote(str(self.home))} "

    @property
    def file(self) -> Path:
        """Path of the settings file, which need not exist."""
        return self.home / "tagdb.toml"


def default_home() -> Path:
    """Return the platform's data folder, or ``/var/lib/tagdb`` for root on Linux.

    The account that PostgreSQL runs under cannot access root's home.
    """
    if sys.platform == "linux" and os.geteuid() == 0:
        return Path("/var/lib/tagdb")
    import platformdirs

    home = Path()
    with suppress(RuntimeError):
        home = platformdirs.user_data_path("tagdb", appauthor=False)
    # a user without HOME and without an entry in /etc/passwd, as in containers, must set TAGDB_HOME
    return home if home.is_absolute() else Path(f"/nonexistent/home-of-{os.geteuid()}/tagdb")


def load(environment: Mapping[str, str] | None = None, **flags: str | None) -> Settings:
    """Merge flags, environment and file.

    Raises
    ------
    ConfigError
        The file is not valid TOML, contains an unknown key or a value of the wrong type, or the port is not
        valid.
    """
    env = os.environ if environment is None else environment
    home = Path(env["TAGDB_HOME"]).expanduser().absolute() if env.get("TAGDB_HOME") else default_home()
    file = Settings(home).file
    values: dict[str, object] = {}
    try:
        if file.is_file():
            values = tomllib.loads(file.read_text(encoding="utf-8"))
    except PermissionError:
        values = {}  # another user's home, without settings of ours
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from error
    for key, value in values.items():
        if key not in KEYS or not (isinstance(value, str) or key == "port"):
            raise ConfigError(
                f"{file}: {key} is not a setting, or not a string; settings are {', '.join(KEYS)}"
            )
    port = _port(values.pop("port"), f"{file}: port") if "port" in values else None
    if given := env.get("TAGDB_PORT"):
        port = _port(int(given) if re.fullmatch("[0-9]{1,9}", given) else given, "TAGDB_PORT")
    for key in TEXTS:
        if given := flags.get(key) or env.get(f"TAGDB_{key.upper()}"):
            values[key] = given
    return Settings(home, **{key: str(value) for key, value in values.items()}, port=port)


def remember_port(settings: Settings, port: int | None) -> None:
    """Write the port into the settings file, in place of the one that is there; None removes it."""
    file = settings.file
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.is_file() else []
    kept = "".join(line for line in lines if not re.match(r"\s*port\s*=", line))
    if kept and not kept.endswith("\n"):
        kept += "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(kept + (f"port = {port}\n" if port else ""), encoding="utf-8")
    new.replace(file)


def _port(value: object, name: str) -> int:
    if type(value) is not int or value not in PORTS:  # True is an int in Python
        raise ConfigError(f"{name} must be a whole number from {PORTS[0]} to {PORTS[-1]}, not {value!r}")
    return value
