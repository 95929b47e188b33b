"""Which file the store is: one that is there, or one that may be made."""

from contextlib import suppress
from pathlib import Path

from ..core.errors import StoreMissing
from .settings import STORE, STORE_NAME, Settings, SettingsError
from .store_address import PostgresUrl

NO_STORE = (
    f"name yours in {STORE}, check that its disk is mounted, or begin one by enrolling a member "
    "(`trc-engage members enroll --help`)"
)
OWNER_ONLY = 0o700


def existing_store_path(settings: Settings) -> Path:
    """Return the file of a store that is there, for whoever must not make one; raises `StoreMissing`."""
    path = _file(settings) or default_folder() / STORE_NAME
    _check_is_file(path)
    if not path.exists() or not path.stat().st_size:
        message = f"{path}: there is no store; {NO_STORE}"
        raise StoreMissing(message)
    return path


def default_folder() -> Path:
    """Return the user's data folder, which may not be there."""
    from platformdirs import user_data_path  # noqa: PLC0415

    return user_data_path("trc-engage", appauthor=False)


def store_path(settings: Settings) -> Path:
    """Return the file of a store that may be made, in a folder that exists; the default one is made."""
    path = _file(settings)
    if path is None:
        return _made_folder() / STORE_NAME
    _check_is_file(path)
    if not path.parent.is_dir():
        raise SettingsError(STORE, str(path), "its folder does not exist; make it, or name another path")
    return path


def _made_folder() -> Path:
    """Return the user's data folder, made for its owner alone if it is not there."""
    folder = default_folder()
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                folder.mkdir(mode=OWNER_ONLY)
                # A umask can only have taken bits away.
                folder.chmod(OWNER_ONLY)
    except OSError as error:
        advice = f"is not set, and the default folder cannot be made ({error}); name a file that can be written"
        raise SettingsError(STORE, None, advice) from error
    return folder


def _check_is_file(path: Path) -> None:
    if path.is_dir():
        raise SettingsError(STORE, str(path), "it is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise SettingsError(STORE, str(path), "it is a device, a pipe or a socket; name a file")


def _file(settings: Settings) -> Path | None:
    if isinstance(settings.store, PostgresUrl):
        advice = (
            "names a PostgreSQL database, and this works on a store in a file; to back a schema up and to put it "
            "back, use pg_dump and pg_restore"
        )
        raise SettingsError(STORE, None, advice)
    return settings.store
