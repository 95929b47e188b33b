"""Opens the adapters that the settings name, yields an `Engage` on them, and closes them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from ..adapters.alerts import LogAlerts, SentryAlerts, WebhookAlerts
from ..adapters.memory import MemoryLedger
from ..adapters.sqlite import SqliteLedger
from ..adapters.sqlite.backup import Copy, placed
from ..core.audit.model import Audit
from ..core.errors import InvalidValue, LedgerFailed, StoreMissing
from ..core.ports import Alerts, Clock, XpSource
from ..engage import Engage
from ..usecases.audit import audit
from .settings import GUILD_ID, NO_GUILD, SOURCE_NAME, STORE, VARIABLES, PostgresUrl, Settings, SettingsError, harmless
from .stores import existing_store_path, now, opened_postgres, store_path
from .wording import describe_notice

if TYPE_CHECKING:
    from ..adapters.mee6 import Mee6Source
    from ..adapters.postgres import PostgresLedger

Enrolled = TypeVar("Enrolled")


@contextmanager
def opened(
    settings: Settings, *, clock: Clock = now, source: XpSource | None = None, alerts: Sequence[Alerts] = ()
) -> Iterator[Engage]:
    """Open the store, or raise `StoreMissing` if there is none; without a source nothing can be synced."""
    with opened_ledger(settings) as ledger:
        name = SOURCE_NAME if source is None else None
        yield Engage(ledger=ledger, source=source, clock=clock, alerts=alerts, source_name=name)


def enrolled(
    settings: Settings,
    enrol: Callable[[Engage], Enrolled],
    note: Callable[[str], None],
    *,
    is_written: Callable[[Enrolled], bool] = lambda _: True,
) -> Enrolled:
    """Enroll members, and create the store if there is none; `note` is called with its place.

    Where there is no store yet, the call is tried in memory first: a refused one creates none.
    """
    try:
        ledger = opened_ledger(settings)
    except StoreMissing:
        tried = enrol(Engage(ledger=MemoryLedger(), clock=now))
        if not is_written(tried):
            return tried
        ledger = opened_or_made_ledger(settings, note)
    with ledger:
        return enrol(Engage(ledger=ledger, clock=now))


@contextmanager
def opened_read_only(settings: Settings, *, clock: Clock = now) -> Iterator[Engage]:
    """Open an existing store for inspection: nothing can be written."""
    with opened_ledger(settings, read_only=True) as ledger:
        yield Engage(ledger=ledger, clock=clock)


def opened_ledger(settings: Settings, *, read_only: bool = False) -> SqliteLedger | PostgresLedger:
    """Open the store that the settings name; raises `StoreMissing`."""
    if isinstance(settings.store, PostgresUrl):
        return opened_postgres(settings.store, read_only=read_only)
    path = existing_store_path(settings)
    return SqliteLedger.open_read_only(path) if read_only else SqliteLedger.open(path, create=False)


def opened_or_made_ledger(settings: Settings, note: Callable[[str], None]) -> SqliteLedger | PostgresLedger:
    """Open the store that the settings name, or create it; then `note` is called with its place."""
    try:
        return opened_ledger(settings)
    except StoreMissing:
        if isinstance(settings.store, PostgresUrl):
            ledger: SqliteLedger | PostgresLedger = opened_postgres(settings.store, create=True)
        else:
            ledger = SqliteLedger.open(store_path(settings))
    note(f"created a store at {ledger.address}")
    return ledger


@contextmanager
def opened_with_source(settings: Settings, *, clock: Clock = now, **options: Any) -> Iterator[Engage]:
    """Open the store and the source; `options` are further ones of `Mee6Source.open`."""
    # The command prints what the log would say.
    logging.getLogger("trc_engage").addHandler(logging.NullHandler())
    with source_of(settings, **options) as source, opened(settings, clock=clock, source=source) as engage:
        yield engage


@frozen
class Runner:
    """What an unattended process holds: an `Engage`, its channels, and `stop`, which cuts a read short."""

    engage: Engage
    alerts: Sequence[Alerts]
    stop: Callable[[], None]


@contextmanager
def opened_runner(settings: Settings, *, clock: Clock = now, **options: Any) -> Iterator[Runner]:
    """Open the store, the source and every channel to an admin that is set."""
    with (
        source_of(settings, **options) as source,
        channels(settings) as alerts,
        opened_ledger(settings) as ledger,
    ):
        yield Runner(Engage(ledger=ledger, source=source, clock=clock, alerts=alerts), alerts, source.stop)


@contextmanager
def channels(settings: Settings) -> Iterator[Sequence[Alerts]]:
    """Open the channels to an admin: the log, and Sentry and a webhook if they are set."""
    alerts: list[Alerts] = [LogAlerts(describe_notice)]
    if settings.sentry_dsn is not None:
        alerts.append(SentryAlerts(describe=describe_notice))
    if settings.alert_webhook is None:
        yield alerts
        return
    with WebhookAlerts.open(settings.alert_webhook, contact=settings.contact_url, describe=describe_notice) as webhook:
        yield [*alerts, webhook]


def source_of(settings: Settings, **options: Any) -> Mee6Source:
    """Return the source that the settings name; it sends nothing yet."""
    from ..adapters.mee6 import Mee6Source  # noqa: PLC0415

    if settings.guild_id is None:
        raise SettingsError(GUILD_ID, None, f"is not set; {NO_GUILD}")
    try:
        return Mee6Source.open(settings.guild_id, base_url=settings.mee6_url, token=settings.mee6_token, **options)
    except InvalidValue as error:
        if error.field not in VARIABLES:
            raise
        value = None if error.field == "token" else harmless(str(error.value))
        raise SettingsError(VARIABLES[error.field], value, error.advice) from error


def copy_store(source: Path, target: Path, *, without_lease: bool = False) -> Copy:
    """Copy a store to a free path, and keep the copy only if the doctor finds nothing wrong with it.

    Raises `InvalidValue`, `LedgerFailed` and `LedgerBusy`, and then leaves nothing behind.
    """
    with placed(source, target, without_lease=without_lease) as copy:
        if copy.is_current:
            with SqliteLedger.open_read_only(copy.path) as ledger:
                breaches = Engage(ledger=ledger, clock=now).audit().breaches
            if breaches:
                message = (
                    f"{source}: the store is damaged, so no copy was kept: {breaches[0].message} "
                    f"({len(breaches):,} in all; see `trc-engage doctor` with {STORE}={source})"
                )
                raise LedgerFailed(message)
    return copy


def move_store(source: Settings, target: Settings, note: Callable[[str], None]) -> Audit:
    """Copy a whole store into an empty one, and check both with the doctor; the source is not changed.

    The empty one is created if it does not exist; then `note` is called with its place.

    Raises `SettingsError`, `LedgerFailed` and `LedgerBusy`.
    """
    with opened_ledger(source, read_only=True) as old:
        if not audit(old).is_healthy:
            message = "FROM is damaged, and nothing was copied; see `trc-engage doctor`"
            raise LedgerFailed(message)
        with opened_or_made_ledger(target, note) as new:
            new.fill_from(old)
            found = audit(new)
            if not found.is_healthy or new.holdings() != old.holdings():
                message = "TO differs from FROM: was FROM written to meanwhile? Do not use TO; start again"
                raise LedgerFailed(message)
            return found
