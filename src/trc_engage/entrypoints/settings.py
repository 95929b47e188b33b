"""Settings from the environment, validated before anything is opened; and the installed version."""

import re
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from operator import attrgetter
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from attrs import field, fields, frozen

from ..core.errors import EngageError, InvalidValue, shortened
from ..core.validation import PAGE_FORM, SCHEMES, validate_address, validate_discord_id

NO_FILE = (
    "give a file, such as /var/lib/trc/engage.db or sqlite:///engage.db, "
    "or a database: postgresql://USER:PASSWORD@HOST/DATABASE"
)
NO_MEMORY = f"a store must be on disk; {NO_FILE}"
NO_PATH = f"give only the path, without quotes, semicolon, comment or options; {NO_FILE}"
NO_EXPANSION = f"~, $ and % are not expanded here, so give the full path; {NO_FILE}"

SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*:"
HARMLESS = r"(?s):memory:\Z|(?!.*[=@:])[\"']?[\w ./~-]*"
"""The part of a path that errors may show; a value with one of the marks may hold a secret."""

WRONG: tuple[tuple[str, str], ...] = (
    (r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", NO_PATH),
    (r":memory:", NO_MEMORY),
    # An address without its scheme, or in the middle of something else.
    (r"://|^//|:[^/:]*@|^[^/.][^/]*@|^:", NO_FILE),
    # Names with values, as libpq, ODBC and shells write them.
    (r"^[^/.]*=|(?i:pass\w{0,20}|pwd|secret|token)\s*=|[?&]\w+=", NO_FILE),
    (r"^[\"'`]|[\"'`,;]$|;|\\|\s[#]|^#", NO_PATH),
    (r"^~|\$[\w({]|%[A-Za-z_]\w*%", NO_EXPANSION),
    (r"^$|/$", NO_FILE),
)
"""What no path contains, and what to do instead; the first match counts."""


@frozen
class PostgresUrl:
    """A store in PostgreSQL."""

    dsn: str = field(repr=False)
    """Contains the password, so no repr and no error shows it."""
    schema: str = "trc_engage"

    def __str__(self) -> str:
        """Return the address without password and options."""
        user, at, host = urlsplit(self.dsn).netloc.rpartition("@")
        path = urlsplit(self.dsn).path
        return f"postgresql://{user.partition(':')[0]}{at}{host}{path} (schema {self.schema})"


def store_of(value: str) -> Path | PostgresUrl:
    """Return the store that a value names; raises `InvalidValue`, which shows only what cannot be a secret."""
    scheme, is_url, rest = value.partition("://")
    if is_url and scheme in SCHEMES:
        return _postgres_url(validate_address(value))
    if is_url and scheme == "sqlite" and rest.startswith("/"):
        return _path(rest[1:], before="sqlite:///")
    if found := re.match(SCHEME, value):
        raise InvalidValue("store", f"{found[0]}…", NO_FILE)
    return _path(value)


def _path(value: str, before: str = "") -> Path:
    for form, advice in WRONG:
        if re.search(form, value):
            raise InvalidValue("store", f"{before}{harmless(value, HARMLESS)}", advice)
    return Path(value).absolute()


def _postgres_url(value: str) -> PostgresUrl:
    """Separate the schema, which is ours, from what the PostgreSQL library reads."""
    address, _, query = value.partition("?")
    options = [option for option in query.split("&") if option]
    schemas = [option.removeprefix("schema=") for option in options if option.startswith("schema=")]
    rest = "&".join(option for option in options if not option.startswith("schema="))
    return PostgresUrl(f"{address}?{rest}" if rest else address, *schemas[-1:])


STORE = "TRC_ENGAGE_STORE"
ENV_FILE = "TRC_ENGAGE_ENV_FILE"
GUILD_ID = "TRC_ENGAGE_GUILD_ID"
SOURCE = "TRC_ENGAGE_SOURCE"
ALERT_WEBHOOK = "TRC_ENGAGE_ALERT_WEBHOOK"
_ADDRESS_FORM = r"(?=[!-~]+\Z)https?://[^@/#]+/[^/?#][^#]*"
DISCORD_TOKEN = "TRC_ENGAGE_DISCORD_TOKEN"  # noqa: S105  the variable's name, not its value
DISCORD_GUILD_ID = "TRC_ENGAGE_DISCORD_GUILD_ID"
SOURCES: Mapping[str, tuple[str, str]] = {
    "mee6": ("MEE6", "trc_engage.adapters.mee6:Mee6Source"),
    "lurkr": ("Lurkr", "trc_engage.adapters.lurkr:LurkrSource"),
}
"""The sources that come with this package: what messages call each, and where its class is."""

FACTORY_FORM = r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*"
SECRET_FORM = r"TRC_ENGAGE_\w*(TOKEN|SECRET|PASSWORD|KEY)"  # noqa: S105
"""What a variable is called that holds a secret, be it of a source that is not ours."""
WEB_TOKEN_FORM = r"[!-~]{16,200}"  # noqa: S105
STORE_NAME = "engage.db"
GUILD_SHOWN_MAX = 10
"""Shows no more of the value: it may be a token, set by mistake."""
NO_GUILD = (
    "set it to the id of your Discord server, 1 to 20 digits "
    "(in Discord, turn on Developer Mode, right-click the server and choose Copy Server ID)"
)


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


Read = Callable[[str], Any]
"""Makes a setting of a variable's value; raises `InvalidValue`, with what may be shown of the value, or None."""


def matching(
    form: str, advice: str, shown: Callable[[str], str | None] = lambda _: None, *, is_url: bool = False
) -> Read:
    """Return what reads texts of a form."""

    def read(value: str) -> str:
        if not re.fullmatch(form, value) or (is_url and not _is_url(value)):
            raise InvalidValue("setting", shown(value), advice)
        return value

    return read


def _source(value: str) -> str:
    if value.lower() in SOURCES:
        return value.lower()
    advice = f"give {', '.join(SOURCES)} or a factory of your own, as package.module:factory"
    # Another setting, and a secret, may follow on the same line.
    shown = harmless if re.search("[=@]", value) else str
    return str(matching(FACTORY_FORM, advice, shown)(value))


def _guild_id(value: str) -> str:
    try:
        return validate_discord_id(value)
    except InvalidValue as error:
        shown = value if len(value) <= GUILD_SHOWN_MAX else f"{value[:GUILD_SHOWN_MAX]}…"
        raise InvalidValue(error.field, shown, NO_GUILD) from None


def harmless(value: str, form: str | None = None) -> str:
    """Return as much of a value as has a form; of a URL, up to what may be a name, a password or a token."""
    form = form or r"([a-z]+://)?" + ("" if "@" in value else r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]*\]?)?")
    found = re.match(form, value)
    shown = "" if found is None else found[0]
    return shown if shown == value else f"{shown}…"


def _is_url(value: str) -> bool:
    try:
        url = urlsplit(value)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def setting(meaning: str, read: Read = str, default: Any = None, *, secret: bool = False) -> Any:
    """Declare a setting: what the help says, and how its variable is read; a secret is in no repr."""
    return field(default=default, repr=not secret, metadata={"meaning": meaning, "read": read})


_web_token = matching(
    WEB_TOKEN_FORM,
    "must be 16 to 200 printable ASCII characters without spaces (value not shown), for example the output of "
    "`openssl rand -hex 32`",
)
_url = matching(
    r"[^?#@ ]*",
    "give a URL such as https://board.example: http or https and a host, without user name, password or query",
    harmless,
    is_url=True,
)
_token = matching(
    "[!-~]+", "must be the token alone (value not shown): printable ASCII without spaces, and without 'Bearer' or 'Bot'"
)
_webhook = matching(
    _ADDRESS_FORM,
    "must be the URL of a Discord webhook (value not shown): https, a host and a path "
    "(in Discord: channel settings, Integrations, Webhooks, Copy Webhook URL)",
    is_url=True,
)
_heartbeat = matching(_ADDRESS_FORM, "must be a URL (value not shown): https, a host and a path", is_url=True)
_PORT = "(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_listener = matching(
    rf"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):{_PORT}", "give an address and a port, such as 127.0.0.1:9464", harmless
)
_page = matching(
    PAGE_FORM,
    "must be the URL of a page of yours, where Discord can find out how to reach you: http or https, without user "
    "name, password, spaces, commas and brackets",
    harmless,
    is_url=True,
)
_dsn = matching(
    r"(?=[!-~]+\Z)https?://[^@/:]+(:[^@/]*)?@[^@/?#]+/([^?#]+/)?[0-9]+",
    "must be the DSN of a Sentry project (value not shown), such as https://KEY@HOST/PROJECT",
    is_url=True,
)


@frozen
class Settings:
    """The settings; `variable_named` tells the variable of each. Tokens, webhook and DSN are secrets."""

    store: Path | PostgresUrl | None = setting(  # noqa: RUF009  a declaration of attrs
        "file, or postgresql://USER:PASSWORD@HOST/DATABASE (default: in your data folder)", store_of
    )
    guild_id: str | None = setting("id of your Discord server; required to sync", _guild_id)
    source: str = setting("where XP is read: mee6 (default), lurkr, or package.module:factory", _source, "mee6")
    source_url: str | None = setting("base URL of {name}, if not its own", _url)
    source_token: str | None = setting("token for a leaderboard of {name} that is not public", _token, secret=True)
    discord_token: str | None = setting(
        "token of a Discord bot, which tells who left and who is back", _token, secret=True
    )
    discord_guild_id: str | None = setting(f"id of the server that the bot is on (default: {GUILD_ID})", _guild_id)
    discord_url: str | None = setting("base URL of Discord's API, if not its own", _url)
    alert_webhook: str | None = setting("URL of a Discord webhook, for alerts to admins", _webhook, secret=True)
    heartbeat_url: str | None = setting(
        "URL to call after each good run, such as a check of healthchecks.io", _heartbeat, secret=True
    )
    health_address: str | None = setting("where the daemon answers monitors, such as 127.0.0.1:9464", _listener)
    contact_url: str | None = setting("URL of a page of yours, sent to Discord with each alert", _page)
    web_token: str | None = setting(
        "token that allows writing through the web API; unset, nobody can", _web_token, secret=True
    )
    web_token_next: str | None = setting("a second one, accepted while you replace the first", _web_token, secret=True)
    web_read_token: str | None = setting("token that shows everything in the web API", _web_token, secret=True)
    web_title: str | None = setting("title of the pages (default: The Revenue Council)")
    web_color: str | None = setting("color of the pages, such as #0b6b4f")
    web_color_dark: str | None = setting("color of the pages in the dark theme")
    sentry_dsn: str | None = setting("DSN of a Sentry project, for errors, alerts and check-ins", _dsn, secret=True)
    sentry_environment: str = setting("environment shown in Sentry (default: production)", default="production")
    other_secrets: tuple[str, ...] = field(default=(), repr=False)
    """What a factory of your own may read."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must appear nowhere: whatever no repr shows."""
        hidden = (getattr(self, one.name) for one in fields(type(self)) if not one.repr)
        return (*(value for value in hidden if isinstance(value, str)), *self.other_secrets)

    @classmethod
    def from_mapping(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables; an empty one is unset. Raises `SettingsError`."""
        held = {name: value.strip() for name, value in environ.items() if value.strip()}
        given: dict[str, Any] = {}
        for one in _declared():
            variable = variable_named(one.name, given.get("source", "mee6"))
            try:
                if variable in held:
                    given[one.name] = one.metadata["read"](held[variable])
            except InvalidValue as error:
                shown = None if error.value is None else str(error.value)
                raise SettingsError(variable, shown, error.advice) from None
        secrets = tuple(value for name, value in held.items() if re.fullmatch(SECRET_FORM, name))
        return cls(**given, other_secrets=secrets)


ENV_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
ENV_LENGTH_MAX = 64 * 1024
ENV_COMMENT = r"[^=]*=\s*[^'\"\s].*\s#"
"""A comment behind a value without quotes, which systemd and docker take for a part of the value."""
ENV_PLAIN = rf"(?!{ENV_COMMENT})=[^\s'\"\\][^\\]*"
"""What all readers take as it stands, but for blanks at its end."""


def read_env_file(path: Path) -> Mapping[str, str]:
    """Return what a file of NAME=value lines sets; `$` and `%` mean themselves.

    Raises `SettingsError`, which names the line and shows no value, for what another reader may take otherwise.
    """
    from dotenv.parser import parse_stream  # noqa: PLC0415  most have no such file

    option, found = f"--env-file ({ENV_FILE})", dict[str, str]()
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(ENV_LENGTH_MAX + 1)
    except (OSError, ValueError) as error:
        advice = f"cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
        raise SettingsError(option, str(path), advice) from None
    if len(text) > ENV_LENGTH_MAX:
        raise SettingsError(option, str(path), f"cannot be read: it is longer than {ENV_LENGTH_MAX:,} characters")
    for one in parse_stream(StringIO(text)):
        line = one.original.string.lstrip()
        number = one.original.line + one.original.string[: -len(line) or None].count("\n")
        if not one.error and one.key is None:
            continue
        if one.key is None or one.value is None or not re.fullmatch(ENV_NAME, one.key) or not one.value.isprintable():
            raise SettingsError(option, str(path), f"line {number} is not NAME=value, or a quote is not closed")
        if re.match(ENV_COMMENT, line):
            raise SettingsError(option, str(path), f"line {number}: put the comment on a line of its own")
        if found.setdefault(one.key, one.value) != one.value:
            raise SettingsError(option, str(path), f"line {number} sets {one.key} again, to another value")
    return found


def variable_named(name: str, source: str) -> str:
    """Return the variable of a setting by its name; those of a source have the source's name in theirs."""
    bare = name.replace("source_", f"{source}_").upper()
    return bare if bare.startswith("SENTRY_") else f"TRC_ENGAGE_{bare}"


def variable_of(argument: str, source: str) -> str:
    """Return the variable that sets an argument of one of the sources that come with this package."""
    return variable_named({"base_url": "source_url", "token": "source_token"}.get(argument, "guild_id"), source)


@frozen
class InForce:
    """A setting as it is in force; a secret's value is masked, and one that is not set has none."""

    variable: str
    value: str | None
    origin: str


def settings_shown(settings: Settings, origins: Mapping[str, str]) -> Iterator[InForce]:
    """Yield each setting, and by what it was set; `origins` names that for variables that are set."""
    for one in _declared():
        if one.name.startswith("source_") and settings.source not in SOURCES:
            continue
        value, is_secret = getattr(settings, one.name), not one.repr
        shown = None if value is None else "(not shown)" if is_secret else str(value)
        variable = variable_named(one.name, settings.source)
        yield InForce(variable, shown, origins.get(variable, "default"))


def variables() -> Iterator[tuple[str, str]]:
    """Yield each variable, and what it is for."""
    for one in _declared():
        every = SOURCES.items() if one.name.startswith("source_") else [("", ("", ""))]
        for source, (name, _) in every:
            yield variable_named(one.name, source), one.metadata["meaning"].format(name=name)


def _declared() -> Iterator[Any]:
    return filter(attrgetter("metadata"), fields(Settings))


def installed_version() -> str | None:
    """Return the version of the package; None if it is not installed."""
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version("trc-engage")
    except metadata.PackageNotFoundError:
        return None
