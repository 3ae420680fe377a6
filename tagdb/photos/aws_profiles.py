"""Settings of Amazon S3 where its own programs look for them: the environment, then ``~/.aws``."""

from collections.abc import Mapping
from configparser import ConfigParser, Error
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tagdb.errors import SourceError
from tagdb.hashtags import printable

# Whoever sets one of these wants no profile.
_OF_ENVIRONMENT = (
    "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_SKIP_SIGNATURE",
)  # fmt: skip
_KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
_BY_BOTO3 = ("sso_session", "sso_start_url", "role_arn", "credential_process", "login_session")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the client does not find by itself."""

    options: dict[str, Any] = field(default_factory=dict, repr=False)
    provider: Any = field(default=None, repr=False)


def settings(environment: Mapping[str, str]) -> Settings:
    """Return what a profile adds to the environment.

    Raises
    ------
    SourceError
        The profile does not exist, or needs boto3, which is not installed.
    """
    profile = _profile(environment)
    options: dict[str, Any] = {}
    if region := (
        environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or profile.get("region")
    ):
        options["region"] = region
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    if endpoint := (endpoint or environment.get("AWS_ENDPOINT") or profile.get("endpoint_url")):
        options["endpoint"] = endpoint
    if "AWS_PROFILE" not in environment and any(environment.get(name) for name in _OF_ENVIRONMENT):
        return Settings(options)
    if "aws_access_key_id" in profile:
        return Settings(options | {ours: profile[name] for name, ours in _KEYS.items() if name in profile})
    if any(name in profile for name in _BY_BOTO3):
        return Settings(options, _by_boto3(environment.get("AWS_PROFILE")))
    return Settings(options)


def _profile(environment: Mapping[str, str]) -> dict[str, str]:
    named = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")
    name, home = named or "default", Path(environment.get("HOME", "~")).expanduser() / ".aws"
    said: dict[str, str] = {}
    for variable, file, section in (
        ("AWS_CONFIG_FILE", "config", name if name == "default" else f"profile {name}"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", name),
    ):
        path = Path(environment.get(variable) or home / file)
        parser = ConfigParser(interpolation=None, default_section="")
        try:
            parser.read(path, encoding="utf-8")
        except (Error, OSError, UnicodeDecodeError):
            raise SourceError(f"cannot read the profiles of AWS in {printable(str(path))}") from None
        if parser.has_section(section):
            said |= dict(parser[section])
    if named and not said:
        raise SourceError(f"there is no profile {printable(named, 100)} of AWS; see AWS_PROFILE")
    return said


def _by_boto3(name: str | None) -> Any:
    try:
        import boto3  # type: ignore[import-untyped]
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise SourceError(
            "the profile of AWS signs in by a role, a program or SSO, which boto3 can; "
            "install it with: pip install boto3"
        ) from None
    return Boto3CredentialProvider(boto3.Session(profile_name=name))
