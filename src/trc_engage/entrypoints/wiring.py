"""The only place that names adapters: opens them, yields an `Engage` or a `Reader`, closes all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..core.errors import InvalidValue, LedgerFailed
from ..reading import Reader
from .settings import GUILD_ID, MEE6_TOKEN, MEE6_URL, NO_GUILD, STORE, STORE_NAME, PostgresUrl, Settings, SettingsError

if TYPE_CHECKING:
    from ..adapters.mee6 import Mee6Source
    from ..adapters.postgres import PostgresLedger
    from ..adapters.sqlite import SqliteLedger
    from ..adapters.sqlite.backup import Copy
    from ..core.audit.breaches import Audit
    from ..core.ports import Alerts, Clock, XpSource
    from ..engage import Engage

VARIABLES = {"guild_id": GUILD_ID, "base_url": MEE6_URL, "token": MEE6_TOKEN}
NO_POSTGRES = "names a PostgreSQL database, for which libraries are missing: pip install 'trc-engage[postgres]'"
NO_STORE = f"name yours in {STORE}, or begin one by enrolling a member (`trc-engage members enroll --help`)"


def now() -> datetime:
    """Return what time it is."""
    return datetime.now(UTC)


@contextmanager
def opened_to_read(settings: Settings, *, clock: Clock = now) -> Iterator[Reader]:
    """Open the store for reading only, which is quicker."""
    if isinstance(settings.store, PostgresUrl):
        with opened_postgres(settings.store) as ledger:
            yield Reader(views=ledger, clock=clock)
        return
    from ..adapters.sqlite import SqliteViews  # noqa: PLC0415

    with SqliteViews.open(store_path(settings)) as views:
        yield Reader(views=views, clock=clock)


@contextmanager
def opened(
    settings: Settings, *, clock: Clock = now, source: XpSource | None = None, alerts: Sequence[Alerts] = ()
) -> Iterator[Engage]:
    """Open the store; without a source nothing can be synced."""
    from ..engage import Engage  # noqa: PLC0415

    with opened_ledger(settings) as ledger:
        yield Engage(ledger=ledger, source=source, clock=clock, alerts=alerts)


@contextmanager
def opened_untouched(settings: Settings, *, clock: Clock = now) -> Iterator[Engage]:
    """Open a store that is there, to look at it as it is: nothing can be written."""
    from ..engage import Engage  # noqa: PLC0415

    with opened_ledger(settings, untouched=True) as ledger:
        yield Engage(ledger=ledger, clock=clock)


def opened_ledger(settings: Settings, *, untouched: bool = False) -> SqliteLedger | PostgresLedger:
    """Open the store that the settings name; `untouched` is one that is there, and to which nothing can be written."""
    if isinstance(settings.store, PostgresUrl):
        return opened_postgres(settings.store, untouched=untouched)
    from ..adapters.sqlite import SqliteLedger  # noqa: PLC0415

    if untouched:
        return SqliteLedger.open_untouched(existing_store_path(settings))
    return SqliteLedger.open(store_path(settings))


def opened_postgres(url: PostgresUrl, *, untouched: bool = False) -> PostgresLedger:
    """Open a store in PostgreSQL; raises `SettingsError` if its address or what reads it is amiss."""
    try:
        from ..adapters.postgres import PostgresLedger  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(STORE, None, NO_POSTGRES) from error
    open_ledger = PostgresLedger.open_untouched if untouched else PostgresLedger.open
    try:
        return open_ledger(url.dsn, schema=url.schema)
    except InvalidValue as error:
        raise SettingsError(STORE, None, f"{error.field}: {error.advice}") from None


def check_store(settings: Settings) -> None:
    """Raise `LedgerFailed` if there is no store, for whoever must not make one."""
    if isinstance(settings.store, PostgresUrl):
        opened_postgres(settings.store, untouched=True).close()
    else:
        existing_store_path(settings)


@contextmanager
def opened_with_source(settings: Settings, *, clock: Clock = now, **options: Any) -> Iterator[Engage]:
    """Open the store and the source; `options` are further ones of `Mee6Source.open`."""
    import logging  # noqa: PLC0415

    # What a log would tell, the command says itself.
    logging.getLogger("trc_engage").addHandler(logging.NullHandler())
    with source_of(settings, **options) as source, opened(settings, clock=clock, source=source) as engage:
        yield engage


@frozen
class Unattended:
    """What runs without anybody there: an `Engage` with its channels, and how its read is given up."""

    engage: Engage
    alerts: Sequence[Alerts]
    stop: Callable[[], None]


@contextmanager
def opened_unattended(settings: Settings, *, clock: Clock = now, **options: Any) -> Iterator[Unattended]:
    """Open the store, the source and every channel to an admin that is set."""
    from ..engage import Engage  # noqa: PLC0415

    with (
        source_of(settings, **options) as source,
        channels(settings) as alerts,
        opened_ledger(settings) as ledger,
    ):
        yield Unattended(Engage(ledger=ledger, source=source, clock=clock, alerts=alerts), alerts, source.stop)


@contextmanager
def channels(settings: Settings) -> Iterator[Sequence[Alerts]]:
    """Open the channels to an admin: the log always, Sentry and a webhook where they are set."""
    from ..adapters.alerts import LogAlerts, SentryAlerts, WebhookAlerts  # noqa: PLC0415

    alerts: list[Alerts] = [LogAlerts()]
    if settings.sentry_dsn is not None:
        alerts.append(SentryAlerts())
    if settings.alert_webhook is None:
        yield alerts
        return
    with WebhookAlerts.open(settings.alert_webhook, contact=settings.contact_url) as webhook:
        yield [*alerts, webhook]


def source_of(settings: Settings, **options: Any) -> Mee6Source:
    """Return the source that the settings name; nothing is sent yet."""
    from ..adapters.mee6 import Mee6Source  # noqa: PLC0415

    if settings.guild_id is None:
        raise SettingsError(GUILD_ID, None, f"is not set; {NO_GUILD}")
    try:
        return Mee6Source.open(settings.guild_id, base_url=settings.mee6_url, token=settings.mee6_token, **options)
    except InvalidValue as error:
        if error.field not in VARIABLES:
            raise
        value = None if error.field == "token" else str(error.value)
        raise SettingsError(VARIABLES[error.field], value, error.advice) from error


def copy_store(source: Path, target: Path, *, unclaimed: bool = False) -> Copy:
    """Copy a store to where nothing is, once the doctor finds nothing wrong with the copy; the source stays as it is.

    Raises `InvalidValue`, `LedgerFailed` and `LedgerBusy`, and leaves nothing behind then.
    """
    from ..adapters.sqlite import SqliteLedger  # noqa: PLC0415
    from ..adapters.sqlite.backup import placed  # noqa: PLC0415
    from ..engage import Engage  # noqa: PLC0415

    with placed(source, target, unclaimed=unclaimed) as copy:
        if copy.is_current:
            with SqliteLedger.open_untouched(copy.path) as ledger:
                breaches = Engage(ledger=ledger, clock=now).audit().breaches
            if breaches:
                message = (
                    f"{source}: it does not hold what it must, so no copy was kept: {breaches[0].message} "
                    f"({len(breaches):,} in all; see `trc-engage doctor` with {STORE}={source})"
                )
                raise LedgerFailed(message)
    return copy


def move_store(source: Settings, target: Settings) -> Audit:
    """Copy all that a store holds into an empty one, the doctor looking at both; the source stays as it is.

    Raises `SettingsError`, `LedgerFailed` and `LedgerBusy`.
    """
    from ..auditing import audit  # noqa: PLC0415

    with opened_ledger(source, untouched=True) as old:
        if not audit(old).is_healthy:
            message = "FROM does not hold what it must, and nothing was copied; see `trc-engage doctor`"
            raise LedgerFailed(message)
        with opened_ledger(target) as new:
            new.fill_from(old)
            found = audit(new)
            if not found.is_healthy or new.holdings() != old.holdings():
                message = "TO does not hold what FROM holds: was FROM written to meanwhile? Do not use TO; begin anew"
                raise LedgerFailed(message)
            return found


def existing_store_path(settings: Settings) -> Path:
    """Return the file of a store that is there, for whoever must not make one; raises `LedgerFailed`."""
    path = _file(settings) or default_folder() / STORE_NAME
    if path.is_dir():
        return store_path(settings)
    if not path.exists() or not path.stat().st_size:
        message = f"{path}: there is no store; {NO_STORE}"
        raise LedgerFailed(message)
    return path


def default_folder() -> Path:
    """Return the user's data folder, which may not be there."""
    from platformdirs import user_data_path  # noqa: PLC0415

    return user_data_path("trc-engage", appauthor=False)


def store_path(settings: Settings) -> Path:
    """Return the file of the store, in a folder that exists; the default one is made."""
    path = _file(settings)
    if path is None:
        folder = default_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            advice = f"is not set, and the default folder cannot be made ({error}); name a file that can be written"
            raise SettingsError(STORE, None, advice) from error
        return folder / STORE_NAME
    if path.is_dir():
        raise SettingsError(STORE, str(path), "it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise SettingsError(STORE, str(path), "its folder does not exist; make it, or name another path")
    return path


def _file(settings: Settings) -> Path | None:
    if isinstance(settings.store, PostgresUrl):
        advice = (
            "names a PostgreSQL database, and this works on a store in a file; to back a schema up and to put it "
            "back, use pg_dump and pg_restore"
        )
        raise SettingsError(STORE, None, advice)
    return settings.store
