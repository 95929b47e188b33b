"""How a command ends: its exit code, and the one line that says what went wrong."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ..core.errors import ClockWentBack, EngageError, LedgerBusy, LedgerFailed, SourceError
from .settings import MEE6_URL, SettingsError

NOT_HEALTHY = 1
BAD_DATA = 65
SOURCE_FAILED = 69
STORE_FAILED = 74
BUSY = 75
CONFIGURATION = 78
INTERRUPTED = 130
READER_GONE = 141
"""What a shell reports of a program whose output nobody reads any more."""

CODES: tuple[tuple[type[EngageError], int], ...] = (
    (SettingsError, CONFIGURATION),
    (SourceError, SOURCE_FAILED),
    (ClockWentBack, SOURCE_FAILED),
    (LedgerFailed, STORE_FAILED),
    (LedgerBusy, BUSY),
    (EngageError, BAD_DATA),
)
"""The first class that fits decides; what is no trouble of the world is one of the values handed in."""


class BadData(EngageError):
    """What was handed in cannot be used; the message says what, and where it stands."""


@contextmanager
def reported() -> Iterator[None]:
    """End the process with a line and a code for every error that has one."""
    try:
        yield
    except EngageError as error:
        complain(told(error))
        raise typer.Exit(code_of(error)) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(INTERRUPTED) from error
    except BrokenPipeError as error:
        _hush()
        raise typer.Exit(READER_GONE) from error
    except OSError as error:
        _hush()
        complain(f"reading or writing failed: {error}")
        raise typer.Exit(STORE_FAILED) from error


def code_of(error: EngageError) -> int:
    """Return the exit code that an error ends with."""
    return next(code for kind, code in CODES if isinstance(error, kind))


def told(error: EngageError) -> str:
    """Return an error's sentence for an operator: the variable to set, and until when syncs wait."""
    message = str(error)
    if not isinstance(error, SourceError):
        return message
    message = message.replace("base_url", MEE6_URL)
    if error.retry_at is None or (until := f"{error.retry_at:%Y-%m-%d %H:%M:%S} UTC") in message:
        return message
    return f"{message}; until {until} no sync asks again"


def remark(message: str) -> None:
    """Say on stderr what a command did besides, so that its output stays what was asked for."""
    from .text import safe  # noqa: PLC0415

    typer.echo(safe(message), err=True)


def complain(message: str) -> None:
    """Say what went wrong, on one line of stderr."""
    from .text import safe  # noqa: PLC0415

    typer.echo(f"trc-engage: {safe(message)}", err=True)


def _hush() -> None:
    """Let go of what stdout still holds; the interpreter would complain when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
