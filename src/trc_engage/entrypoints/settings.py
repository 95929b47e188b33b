"""Settings from the environment, validated before anything is opened; and the installed version."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from attrs import field, fields, frozen

from ..core.errors import EngageError, InvalidValue, shortened
from ..core.validation import SCHEMES, validate_address, validate_discord_id

NO_FILE = (
    "give a file, such as /var/lib/trc/engage.db or sqlite:///engage.db, "
    "or a database: postgresql://USER:PASSWORD@HOST/DATABASE"
)
NO_MEMORY = f"a store must be on disk; {NO_FILE}"
NO_PATH = f"give only the path, without quotes, semicolon, comment or options; {NO_FILE}"
NO_EXPANSION = f"~, $ and % are not expanded here, so give the full path; {NO_FILE}"

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
HARMLESS = re.compile(r"[\"']?[\w ./~-]*")
"""The part of a path that errors may show; a value with one of the marks below may hold a secret."""
MARKS = re.compile(r"[=@:]")

WRONG: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"), NO_PATH),
    (re.compile(r".*:memory:.*"), NO_MEMORY),
    # An address without its scheme, or in the middle of something else.
    (re.compile(r"://|^//|:[^/]*@|^[^/.][^/]*@|^:"), NO_FILE),
    # Names with values, as libpq, ODBC and shells write them.
    (re.compile(r"^[^/.]*=|(?i:pass\w*|pwd|secret|token)\s*=|[?&]\w+="), NO_FILE),
    (re.compile(r"^[\"'`]|[\"'`,;]$|;|\\|\s[#]|^#"), NO_PATH),
    (re.compile(r"^~|\$[\w({]|%[A-Za-z_]\w*%"), NO_EXPANSION),
    (re.compile(r"^$|/$"), NO_FILE),
)
"""What no path contains, and what to do instead; the first match counts."""


@frozen
class PostgresUrl:
    """A store in PostgreSQL."""

    dsn: str = field(repr=False)
    """Contains the password, so no repr and no error shows it."""
    schema: str = "trc_engage"


def store_of(value: str) -> Path | PostgresUrl:
    """Return the store that a value names; raises `InvalidValue`, which shows only what cannot be a secret."""
    scheme, is_url, rest = value.partition("://")
    if is_url and scheme in SCHEMES:
        return _postgres_url(validate_address(value))
    if is_url and scheme == "sqlite" and rest.startswith("/"):
        return _path(rest[1:], before="sqlite:///")
    if found := SCHEME.match(value):
        raise InvalidValue("store", f"{found[0]}…", NO_FILE)
    return _path(value)


def _path(value: str, before: str = "") -> Path:
    for form, advice in WRONG:
        if form.search(value):
            raise InvalidValue("store", f"{before}{_harmless(value)}", advice)
    return Path(value)


def _harmless(value: str) -> str:
    """Return the beginning of a path, or nothing if the value may be something else."""
    if value == ":memory:":
        return value
    found = HARMLESS.match(value)
    shown = "" if found is None or MARKS.search(value) else found[0]
    return shown if shown == value else f"{shown}…"


def _postgres_url(value: str) -> PostgresUrl:
    """Separate the schema, which is ours, from what the PostgreSQL library reads."""
    address, _, query = value.partition("?")
    options = [option for option in query.split("&") if option]
    schemas = [option.removeprefix("schema=") for option in options if option.startswith("schema=")]
    rest = "&".join(option for option in options if not option.startswith("schema="))
    return PostgresUrl(f"{address}?{rest}" if rest else address, *schemas[-1:])


STORE = "TRC_ENGAGE_STORE"
GUILD_ID = "TRC_ENGAGE_GUILD_ID"
SOURCE = "TRC_ENGAGE_SOURCE"
SOURCES: Mapping[str, tuple[str, str]] = {
    "mee6": ("MEE6", "trc_engage.adapters.mee6:Mee6Source"),
    "lurkr": ("Lurkr", "trc_engage.adapters.lurkr:LurkrSource"),
}
"""The sources that come with this package: what messages call each, and where its class is."""
FACTORY_FORM = r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*"

ALERT_WEBHOOK = "TRC_ENGAGE_ALERT_WEBHOOK"
CONTACT_URL = "TRC_ENGAGE_CONTACT_URL"
WEB_TOKEN = "TRC_ENGAGE_WEB_TOKEN"  # noqa: S105  the variable's name, not its value
SENTRY_DSN = "SENTRY_DSN"
SENTRY_ENVIRONMENT = "SENTRY_ENVIRONMENT"

SECRET_FORM = re.compile(r"TRC_ENGAGE_\w*(TOKEN|SECRET|PASSWORD|KEY)")
"""What a variable is called that holds a secret, be it of a source that is not ours."""
WEB_TOKEN_FORM = r"[!-~]{16,200}"  # noqa: S105
WEBHOOK_FORM = r"(?=[!-~]+\Z)https?://[^@/#]+/[^/?#][^#]*"
CONTACT_FORM = r"https?://[!-'*-+\--~]+"
DSN_FORM = r"(?=[!-~]+\Z)https?://[^@/:]+(:[^@/]*)?@[^@/?#]+/([^?#]+/)?[0-9]+"

STORE_NAME = "engage.db"
GUILD_SHOWN_MAX = 10
"""Shows no more of the value: it may be a token, set by mistake."""

NO_GUILD = (
    "set it to the id of your Discord server, 1 to 20 digits "
    "(in Discord, turn on Developer Mode, right-click the server and choose Copy Server ID)"
)
NO_SOURCE = f"give {', '.join(SOURCES)} or a factory of your own, as package.module:factory"
NO_URL = "give a URL such as https://board.example: http or https and a host, without user name, password or query"
NO_TOKEN = "must be the token alone (value not shown): printable ASCII without spaces, and without 'Bearer'"  # noqa: S105

NO_WEBHOOK = (
    "must be the URL of a Discord webhook (value not shown): https, a host and a path "
    "(in Discord: channel settings, Integrations, Webhooks, Copy Webhook URL)"
)
NO_CONTACT = (
    "must be the URL of a page of yours, where Discord can find out how to reach you: http or https, without "
    "spaces, commas and brackets"
)
NO_WEB_TOKEN = (
    "must be 16 to 200 printable ASCII characters without spaces (value not shown), "  # noqa: S105
    "for example the output of `openssl rand -hex 32`"
)
NO_DSN = "must be the DSN of a Sentry project (value not shown), such as https://KEY@HOST/PROJECT"


class SettingsError(EngageError):
    """A setting is missing or invalid; the message names the variable and what to do.

    `value` is the part of the value that may be shown.
    """

    def __init__(self, variable: str, value: str | None, advice: str) -> None:
        super().__init__(variable, value, advice)
        self.variable = variable
        self.value = value
        self.advice = advice

    @property
    def fact(self) -> str:
        """What is so."""
        shown = "" if self.value is None else f": {shortened(self.value)}:"
        return f"{self.variable}{shown} {self.advice}"


@frozen
class Settings:
    """The settings; tokens, webhook and DSN are secrets and appear in no repr."""

    store: Path | PostgresUrl | None = None
    """The SQLite file, or a PostgreSQL database; None is a file in the user's data folder."""
    guild_id: str | None = None
    source_url: str | None = None
    """Where the source is read if not at the service's own address, …"""
    source_token: str | None = field(default=None, repr=False)
    """… and what a board that is not public wants to see."""
    alert_webhook: str | None = field(default=None, repr=False)
    sentry_dsn: str | None = field(default=None, repr=False)
    sentry_environment: str = "production"
    web_token: str | None = field(default=None, repr=False)
    """Requests that carry it may write through the web API."""
    contact_url: str | None = None
    """A page of yours, for the User-Agent that Discord asks for."""
    source: str = "mee6"
    """One of `SOURCES`, or a factory of your own."""
    other_secrets: tuple[str, ...] = field(default=(), repr=False)
    """What a factory of your own may read."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must appear nowhere: whatever no repr shows."""
        hidden = (getattr(self, one.name) for one in fields(type(self)) if not one.repr)
        return (*(value for value in hidden if isinstance(value, str)), *self.other_secrets)

    @classmethod
    def from_mapping(cls, environ: Mapping[str, str]) -> Self:
        """Read the `TRC_ENGAGE_…` variables; an empty one is unset. Raises `SettingsError`."""
        source = _source(environ.get(SOURCE, "").strip())
        url, token = (variable_of(name, source) for name in ("base_url", "token"))
        return cls(
            _store(environ.get(STORE, "").strip()),
            _guild_id(environ.get(GUILD_ID, "").strip()),
            _source_url(url, environ.get(url, "").strip()),
            _source_token(token, environ.get(token, "").strip()),
            _alert_webhook(environ.get(ALERT_WEBHOOK, "").strip()),
            _sentry_dsn(environ.get(SENTRY_DSN, "").strip()),
            environ.get(SENTRY_ENVIRONMENT, "").strip() or "production",
            _web_token(environ.get(WEB_TOKEN, "").strip()),
            _contact_url(environ.get(CONTACT_URL, "").strip()),
            source,
            tuple(value.strip() for name, value in environ.items() if SECRET_FORM.fullmatch(name) and value.strip()),
        )


def variable_of(argument: str, source: str) -> str:
    """Return the variable that sets an argument of one of the sources that come with this package."""
    suffix = {"base_url": "URL", "token": "TOKEN"}.get(argument)
    return GUILD_ID if suffix is None else f"TRC_ENGAGE_{source.upper()}_{suffix}"


def _source(value: str) -> str:
    name = value.lower() or "mee6"
    if name in SOURCES:
        return name
    if not re.fullmatch(FACTORY_FORM, value):
        raise SettingsError(SOURCE, value, NO_SOURCE)
    return value


def _store(value: str) -> Path | PostgresUrl | None:
    try:
        return store_of(value) if value else None
    except InvalidValue as error:
        raise SettingsError(STORE, str(error.value), error.advice) from None


def _guild_id(value: str) -> str | None:
    try:
        return validate_discord_id(value) if value else None
    except InvalidValue:
        shown = value if len(value) <= GUILD_SHOWN_MAX else f"{value[:GUILD_SHOWN_MAX]}…"
        raise SettingsError(GUILD_ID, shown, NO_GUILD) from None


def _source_url(variable: str, value: str) -> str | None:
    if not value:
        return None
    if not _is_url(value) or set(value) & set("?#@ "):
        raise SettingsError(variable, harmless(value), NO_URL)
    return value.rstrip("/")


def _source_token(variable: str, value: str) -> str | None:
    if not value:
        return None
    if not re.fullmatch(r"[!-~]+", value):
        raise SettingsError(variable, None, NO_TOKEN)
    return value


def _alert_webhook(value: str) -> str | None:
    if value and not (_is_url(value) and re.fullmatch(WEBHOOK_FORM, value)):
        raise SettingsError(ALERT_WEBHOOK, None, NO_WEBHOOK)
    return value or None


def _contact_url(value: str) -> str | None:
    if value and not (_is_url(value) and re.fullmatch(CONTACT_FORM, value)):
        raise SettingsError(CONTACT_URL, value, NO_CONTACT)
    return value or None


def _web_token(value: str) -> str | None:
    if value and not re.fullmatch(WEB_TOKEN_FORM, value):
        raise SettingsError(WEB_TOKEN, None, NO_WEB_TOKEN)
    return value or None


def _sentry_dsn(value: str) -> str | None:
    if value and not (_is_url(value) and re.fullmatch(DSN_FORM, value)):
        raise SettingsError(SENTRY_DSN, None, NO_DSN)
    return value or None


def _is_url(value: str) -> bool:
    try:
        url = urlsplit(value)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def harmless(value: str) -> str:
    """Return the beginning of a URL, up to what may be a name, a password or a token."""
    form = r"([a-z]+://)?" + ("" if "@" in value else r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]*\]?)?")
    found = re.match(form, value)
    shown = "" if found is None else found[0]
    return shown if shown == value else f"{shown}…"


def installed_version() -> str | None:
    """Return the version of the package; None if it is not installed."""
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version("trc-engage")
    except metadata.PackageNotFoundError:
        return None
