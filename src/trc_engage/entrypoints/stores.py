"""Paths and addresses of stores, and opening a store for reading."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..adapters.sqlite import SqliteViews
from ..core.errors import InvalidValue, StoreMissing
from ..reader import Reader
from .settings import STORE, STORE_NAME, PostgresUrl, Settings, SettingsError

if TYPE_CHECKING:
    from ..adapters.postgres import PostgresLedger

NO_HOME = (
    "is not set, and your home folder is unknown (HOME is not set either); set it to a file, such as "
    "/var/lib/trc/engage.db"
)
OWNER_ONLY = 0o700


def existing_store_path(settings: Settings) -> Path:
    """Return the path of an existing store; raises `StoreMissing`."""
    path = _file(settings) or default_folder() / STORE_NAME
    _check_is_file(path)
    if not path.exists() or not path.stat().st_size:
        raise StoreMissing(f"{path}: there is no store")
    return path


def default_folder() -> Path:
    """Return the user's data folder, which may not exist; raises `SettingsError` if the home folder is unknown."""
    from platformdirs import user_data_path  # noqa: PLC0415

    try:
        return user_data_path("trc-engage", appauthor=False)
    except RuntimeError:
        raise SettingsError(STORE, None, NO_HOME) from None


def store_path(settings: Settings) -> Path:
    """Return the path for a store, in a folder that exists; the default folder is created."""
    path = _file(settings)
    if path is None:
        return _made_folder() / STORE_NAME
    _check_is_file(path)
    if not path.parent.is_dir():
        raise SettingsError(STORE, str(path), "its folder does not exist; create it, or choose another path")
    return path


def _made_folder() -> Path:
    """Return the user's data folder, created for its owner alone if it does not exist."""
    folder = default_folder()
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                folder.mkdir(mode=OWNER_ONLY)
                # A umask can only remove bits.
                folder.chmod(OWNER_ONLY)
    except OSError as error:
        advice = f"is not set, and the default folder cannot be created ({error}); set it to a file that you can write"
        raise SettingsError(STORE, None, advice) from error
    return folder


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise SettingsError(STORE, str(path), "this is a folder; choose a file in it")
    if path.exists() and not path.is_file():
        raise SettingsError(STORE, str(path), "this is a device, a pipe or a socket; choose a file")


def _file(settings: Settings) -> Path | None:
    if isinstance(settings.store, PostgresUrl):
        advice = (
            "is a PostgreSQL database, and this command works on a file; to back up and restore a schema, "
            "use pg_dump and pg_restore"
        )
        raise SettingsError(STORE, None, advice)
    return settings.store


NO_POSTGRES = f"is a PostgreSQL database, which needs {sys.executable} -m pip install 'trc-engage[postgres]'"


def now() -> datetime:
    """Return the current instant."""
    return datetime.now(UTC)


@contextmanager
def opened_to_read(settings: Settings) -> Iterator[Reader]:
    """Open the store for reading only, which is faster; raises `StoreMissing`."""
    if isinstance(settings.store, PostgresUrl):
        store: PostgresLedger | SqliteViews = opened_postgres(settings.store, read_only=True)
    else:
        store = SqliteViews.open_read_only(existing_store_path(settings))
    with store as views:
        yield Reader(views=views, clock=now)


def opened_postgres(
    url: PostgresUrl, *, read_only: bool = False, create: bool = False, **options: bool
) -> PostgresLedger:
    """Open a store in PostgreSQL; raises `SettingsError` if its address is wrong or libraries are missing."""
    with _address_checked() as ledger:
        if read_only:
            return ledger.open_read_only(url.dsn, schema=url.schema, **options)
        return ledger.open(url.dsn, schema=url.schema, create=create)


@contextmanager
def _address_checked() -> Iterator[type[PostgresLedger]]:
    """Yield the class of the ledger; raises `SettingsError` if libraries are missing or the address is wrong."""
    try:
        from ..adapters.postgres import PostgresLedger  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(STORE, None, NO_POSTGRES) from error
    try:
        yield PostgresLedger
    except InvalidValue as error:
        raise SettingsError(STORE, None, f"{error.field}: {error.advice}") from None


def migration_sql(url: PostgresUrl) -> str:
    """Return the SQL that updates or creates a store in PostgreSQL; empty if there is nothing to do."""
    with _address_checked() as ledger:
        return ledger.migration(url.dsn, schema=url.schema)


def check_store(settings: Settings) -> None:
    """Raise `StoreMissing` if there is no store, before anything else is opened."""
    if isinstance(settings.store, PostgresUrl):
        opened_postgres(settings.store, read_only=True, may_be_older=True).close()
    else:
        existing_store_path(settings)
