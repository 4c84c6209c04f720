"""What a client is told once, and where it is found when it is not told."""

import os
from enum import StrEnum
from typing import Any, Final, TypedDict

import msgspec

DEFAULT_BASE_URL: Final = "https://api.hellojohn.dev"
DEFAULT_TIMEOUT: Final = 60.0
DEFAULT_MAX_RETRIES: Final = 2


class Credential(StrEnum):
    """What a call is made with. Each call takes one kind, or none."""

    ACCESS_TOKEN = "access_token"
    MASTER_KEY = "master_key"
    NONE = "none"
    PUBLISHABLE_KEY = "publishable_key"
    SECRET_KEY = "secret_key"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a client. Its text shows no secret."""

    base_url: str
    secret_key: str | None
    publishable_key: str | None
    access_token: str | None
    master_key: str | None
    tenant_id: str | None
    acting_admin: str | None
    timeout: float
    max_retries: int

    def __repr__(self) -> str:
        return f"Settings(base_url={self.base_url!r})"

    def credential(self, kind: Credential) -> str | None:
        """Return the key or token of a kind; None when there is none."""
        match kind:
            case Credential.ACCESS_TOKEN:
                return self.access_token
            case Credential.MASTER_KEY:
                return self.master_key
            case Credential.PUBLISHABLE_KEY:
                return self.publishable_key
            case Credential.SECRET_KEY:
                return self.secret_key
            case Credential.NONE:
                return None


class ClientOptions(TypedDict, total=False):
    """What can be different in a client made of another one."""

    access_token: str | None
    acting_admin: str | None
    max_retries: int
    tenant_id: str | None
    timeout: float


def settings_of(*, base_url: str | None, secret_key: str | None, **given: Any) -> Settings:
    """Return the settings that a client was given, and what the environment says in place of those it was not."""
    return Settings(base_url=base_url_of(base_url), secret_key=secret_key_of(secret_key), **given)


def settings_with(settings: Settings, options: ClientOptions) -> Settings:
    """Return settings with some changed; TypeError for an option that does not exist, which else would do nothing."""
    unknown = sorted(options.keys() - ClientOptions.__annotations__.keys())
    if unknown:
        raise TypeError(f"with_options takes no {', '.join(unknown)}")
    return msgspec.structs.replace(settings, **options)


def base_url_of(given: str | None) -> str:
    """Return the URL that is given, or HELLOJOHN_API_URL, or the default: without a slash or `/v1` at its end."""
    url = given or os.environ.get("HELLOJOHN_API_URL") or DEFAULT_BASE_URL
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"base_url must begin with https:// or http://, not be {url!r}")
    return url.rstrip("/").removesuffix("/v1")


def secret_key_of(given: str | None) -> str | None:
    """Return the key that is given, or that of HELLOJOHN_SECRET_KEY; None when there is neither."""
    return given or os.environ.get("HELLOJOHN_SECRET_KEY") or None
