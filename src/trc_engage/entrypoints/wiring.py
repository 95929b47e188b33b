"""Open the adapters named by the settings, yield an `Engage` over them, and close them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from ..adapters.alerts import LogAlerts, SentryAlerts, WebhookAlerts
from ..adapters.memory import MemoryLedger
from ..adapters.sqlite import SqliteLedger
from ..adapters.sqlite.backup import Copy, placed
from ..core.audit import Audit
from ..core.boards import source_name
from ..core.errors import InvalidValue, LedgerFailed, StoreMissing, shortened
from ..core.incidents import Describe
from ..core.ports import Alerts, Clock, Roster, XpSource
from ..engage import Engage
from ..usecases.audit import audit
from .settings import (
    DISCORD_GUILD_ID,
    GUILD_ID,
    NO_GUILD,
    SOURCE,
    SOURCES,
    STORE,
    PostgresUrl,
    Settings,
    SettingsError,
    harmless,
    variable_of,
)
from .stores import existing_store_path, now, opened_postgres, store_path
from .wording.alerts import describe_notice, signed

if TYPE_CHECKING:
    from ..adapters.postgres import PostgresLedger

Enrolled = TypeVar("Enrolled")

logger: logging.Logger = logging.getLogger(__name__)


@contextmanager
def opened(
    settings: Settings,
    *,
    clock: Clock = now,
    source: XpSource | None = None,
    alerts: Sequence[Alerts] = (),
    name: str | None = None,
    roster: Roster | None = None,
    read_only: bool = False,
) -> Iterator[Engage]:
    """Open the store; raises `StoreMissing` if there is none. Without a source nothing can be synced.

    `name` is the name in messages of a source that is not opened; with `read_only` nothing can be written.
    """
    with opened_ledger(settings, read_only=read_only) as ledger:
        yield Engage(ledger=ledger, source=source, clock=clock, alerts=alerts, source_name=name, roster=roster)


def enrolled(
    settings: Settings,
    enroll: Callable[[Engage], Enrolled],
    note: Callable[[str], None],
    *,
    is_written: Callable[[Enrolled], bool] = lambda _: True,
    read_only: bool = False,
) -> Enrolled:
    """Enroll members, and create the store if there is none, which `note` is told.

    If there is no store yet, the call is tried in memory first, so that a refused one creates none.
    """
    try:
        ledger = opened_ledger(settings, read_only=read_only)
    except StoreMissing:
        tried = enroll(Engage(ledger=MemoryLedger(), clock=now))
        if not is_written(tried):
            return tried
        ledger = opened_or_made_ledger(settings, note)
    with ledger:
        return enroll(Engage(ledger=ledger, clock=now))


def opened_ledger(
    settings: Settings, *, read_only: bool = False, create: bool = False
) -> SqliteLedger | PostgresLedger:
    """Open the store that the settings name; raises `StoreMissing`, unless `create` is set."""
    if isinstance(settings.store, PostgresUrl):
        return opened_postgres(settings.store, read_only=read_only, create=create)
    if read_only:
        return SqliteLedger.open_read_only(existing_store_path(settings))
    return SqliteLedger.open((store_path if create else existing_store_path)(settings), create=create)


def opened_or_made_ledger(settings: Settings, note: Callable[[str], None]) -> SqliteLedger | PostgresLedger:
    """Open the store that the settings name, or create it and call `note` with a message that says so."""
    try:
        return opened_ledger(settings)
    except StoreMissing:
        ledger = opened_ledger(settings, create=True)
    note(f"created a store at {ledger.address}")
    return ledger


def check_ready(settings: Settings) -> None:
    """Raise an error unless the store exists, is of this version and can be read."""
    with opened(settings, read_only=True) as engage:
        engage.feed(limit=1)


@contextmanager
def opened_with_source(settings: Settings, *, clock: Clock = now, **options: Any) -> Iterator[Engage]:
    """Open the store and the source; `options` are for a built-in source."""
    with opened_source(settings, **options) as source, opened(settings, clock=clock, source=source) as engage:
        yield engage


@frozen
class Runner:
    """What an unattended process uses: an `Engage`, its channels, and `stop`, which cuts a read short."""

    engage: Engage
    alerts: Sequence[Alerts]
    stop: Callable[[], None]


@contextmanager
def opened_runner(settings: Settings, *, clock: Clock = now, **options: Any) -> Iterator[Runner]:
    """Open the store, the source, and the roster and alert channels that are set."""
    with (
        opened_source(settings, **options) as source,
        opened_roster(settings) as roster,
        opened_ledger(settings) as ledger,
    ):
        alerts = channels(settings)

        def stop() -> None:
            for one in (source, roster):
                getattr(one, "stop", lambda: None)()

        yield Runner(Engage(ledger=ledger, source=source, roster=roster, clock=clock, alerts=alerts), alerts, stop)


@contextmanager
def opened_roster(settings: Settings, **options: Any) -> Iterator[Roster | None]:
    """Open the Discord roster if a bot's token is set, and close it; opening sends nothing."""
    if settings.discord_token is None:
        yield None
        return
    from ..adapters.discord import DiscordRoster  # noqa: PLC0415  httpx is slow to load, and many use no roster

    guild_id = settings.discord_guild_id or settings.guild_id
    if guild_id is None:
        raise SettingsError(DISCORD_GUILD_ID, None, f"is not set; {NO_GUILD}")
    if settings.discord_url is not None:
        options["base_url"] = settings.discord_url
    with DiscordRoster.open(guild_id, token=settings.discord_token, contact=settings.contact_url, **options) as roster:
        yield roster


def channels(settings: Settings, describe: Describe = describe_notice) -> Sequence[Alerts]:
    """Return the alert channels: the log, and Sentry and a webhook if they are set.

    Every message ends with the machine that it comes from and the board that it is about.
    """
    board = settings.source if settings.guild_id is None else f"{settings.source}, server {settings.guild_id}"
    describe = signed(describe, f"From {gethostname()}, about {board}.")
    alerts: list[Alerts] = [LogAlerts(describe)]
    if settings.sentry_dsn is not None:
        alerts.append(SentryAlerts(describe=describe))
    if settings.alert_webhook is not None:
        alerts.append(WebhookAlerts(settings.alert_webhook, contact=settings.contact_url, describe=describe))
    return alerts


@contextmanager
def opened_source(settings: Settings, **options: Any) -> Iterator[XpSource]:
    """Open the source that the settings name, and close it; opening sends nothing. `options` are for a built-in one."""
    # A command without a log prints what the log would say.
    logging.getLogger("trc_engage").addHandler(logging.NullHandler())
    is_ours = settings.source in SOURCES
    source = _source_of_ours(settings, options) if is_ours else _made(settings.source)
    try:
        yield source
    finally:
        getattr(source, "close", lambda: None)()


def _source_of_ours(settings: Settings, options: Mapping[str, Any]) -> XpSource:
    if settings.guild_id is None:
        raise SettingsError(GUILD_ID, None, f"is not set; {NO_GUILD}")
    kind = found_at(SOURCES[settings.source][1])
    try:
        source: XpSource = kind.open(
            settings.guild_id, base_url=settings.source_url, token=settings.source_token, **options
        )
    except InvalidValue as error:
        if error.field not in {"guild_id", "base_url", "token"}:
            raise
        value = None if error.field == "token" else harmless(str(error.value))
        raise SettingsError(variable_of(error.field, settings.source), value, error.advice) from error
    return source


def found_at(path: str) -> Any:
    """Return the object at `package.module:name`."""
    module, _, name = path.partition(":")
    return attrgetter(name)(import_module(module))


def _made(factory: str) -> XpSource:
    """Return what a custom factory makes; raises `SettingsError` for anything wrong with it."""
    try:
        source: XpSource = found_at(factory)()
    except Exception as error:
        logger.debug("%s failed", factory, exc_info=error)
        found = f"failed with {type(error).__name__}: {error}; fix it, or set PYTHONPATH to where its module is"
        advice = f"{found} (`trc-engage run-due --log-level debug` shows where it failed)"
        raise SettingsError(SOURCE, factory, advice) from error
    if isinstance(source, type) or not callable(getattr(source, "read", None)):
        advice = (
            f"returned {shortened(source)}, which is not a source; let it return an object with the method read(sought)"
        )
        raise SettingsError(SOURCE, factory, advice)
    return source


def name_of_source(settings: Settings) -> str:
    """Return the name in messages of the source that the settings name, without opening a built-in one."""
    if settings.source in SOURCES:
        return SOURCES[settings.source][0]
    with opened_source(settings) as source:
        return source_name(source)


def copy_store(
    source: Path, target: Path, *, without_lease: bool = False, check: Callable[[Copy], None] = lambda _: None
) -> Copy:
    """Copy a store to a free path; keep the copy only if `check` and, for this version, the doctor find nothing wrong.

    Raises `InvalidValue`, `LedgerFailed` and `LedgerBusy`, and then leaves nothing behind.
    """
    with placed(source, target, without_lease=without_lease) as copy:
        if copy.is_current:
            with SqliteLedger.open_read_only(copy.path) as ledger:
                breaches = Engage(ledger=ledger, clock=now).audit().breaches
            if breaches:
                raise LedgerFailed(
                    f"{source}: the store is damaged, so no copy was kept: {breaches[0].message} "
                    f"({len(breaches):,} in all; see `trc-engage doctor` with {STORE}={source})"
                )
        check(copy)
    return copy


def move_store(source: Settings, target: Settings, note: Callable[[str], None]) -> Audit:
    """Copy a whole store into an empty one, and check both with the doctor; the source is not changed.

    If the empty one does not exist, it is created and `note` is told. Raises `SettingsError`, `LedgerFailed` and
    `LedgerBusy`.
    """
    with opened_ledger(source, read_only=True) as old:
        if not audit(old).is_healthy:
            raise LedgerFailed("FROM is damaged, and nothing was copied; see `trc-engage doctor`")
        with opened_or_made_ledger(target, note) as new:
            new.fill_from(old)
            found = audit(new)
            if not found.is_healthy or new.holdings() != old.holdings():
                raise LedgerFailed("TO differs from FROM: was FROM written to meanwhile? Do not use TO; start again")
            return found
