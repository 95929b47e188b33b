"""What commands share: arguments, exit codes, and how errors are reported."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from ...core.errors import ClockWentBack, EngageError, InvalidValue, LedgerBusy, LedgerFailed, RosterError, SourceError
from ..settings import STORE, Settings, SettingsError, read_env_file, store_of
from ..wording.alerts import describe_error
from .output import print_error

Member = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id at TRC, Discord id or name.")]
By = Annotated[str | None, typer.Option(metavar="WHO", help="Who does this, for the record.")]
Reason = Annotated[str | None, typer.Option(metavar="TEXT", help="Why; the member can read it.")]
Note = Annotated[str | None, typer.Option(metavar="TEXT", help="A note for admins only.")]
DAY_FORM = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]

COMMANDS: dict[str, typer.Typer] = {}
"""The commands of the modules loaded so far."""
Function = TypeVar("Function", bound=Callable[..., None])


def command(*lines: str, title: str | None = None) -> Callable[[Function], Function]:
    """Make a function a command of its name; its docstring is the help, and examples end it."""
    heading = title or ("Example:" if len(lines) == 1 else "Examples:")

    def registered(function: Function) -> Function:
        name = function.__name__.replace("_", "-")
        COMMANDS[name] = typer.Typer(rich_markup_mode=None, add_completion=False)
        COMMANDS[name].command(epilog=examples(heading, *lines) if lines else None)(function)
        return function

    return registered


def examples(title: str, *lines: str) -> str:
    """Return examples for the end of a help text, in lines that Click does not rewrap."""
    return "\n".join(["\b", title, *(f"  {line}" for line in lines)])


def take_settings(env_file: Path | None, store: str | None) -> Mapping[str, str]:
    """Add to the environment what a file and an option set, so that everybody reads it there; return what set what.

    An option comes before the environment, and that before the file.
    """
    origins = {name: "environment" for name, value in os.environ.items() if value.strip()}
    for name, value in (read_env_file(env_file) if env_file else {}).items():
        if name not in origins and value.strip():
            os.environ[name], origins[name] = value, str(env_file)
    if store is not None:
        try:
            store_of(store.strip())
        except InvalidValue as error:
            raise SettingsError("--store", str(error.value), error.advice) from None
        os.environ[STORE], origins[STORE] = store, "--store"
    return origins


def settings_in_force() -> Settings:
    """Return the settings in force."""
    return Settings.from_mapping(os.environ)


def day(argument: str, text: str) -> date:
    """Return the UTC day that a text names."""
    try:
        # fromisoformat also accepts weeks, and days without hyphens.
        return date.fromisoformat(text if re.fullmatch(DAY_FORM, text, re.ASCII) else "")
    except ValueError as error:
        raise InvalidValue(argument, text, "give a day such as 2026-12-25") from error


def month(option: str, text: str) -> date:
    """Return the first day of the month that a text names."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise InvalidValue(option, text, "give a month such as 2026-03") from error


NOT_HEALTHY = 1
BAD_DATA = 65
SOURCE_FAILED = 69
STORE_FAILED = 74
BUSY = 75
CONFIGURATION = 78
INTERRUPTED = 130
READER_GONE = 141
"""As a shell reports SIGPIPE."""

CODES: tuple[tuple[type[EngageError], int], ...] = (
    (SettingsError, CONFIGURATION),
    (SourceError, SOURCE_FAILED),
    (RosterError, SOURCE_FAILED),
    (ClockWentBack, SOURCE_FAILED),
    (LedgerFailed, STORE_FAILED),
    (LedgerBusy, BUSY),
    (EngageError, BAD_DATA),
)
"""The first class that matches decides; any other error is about a value that was passed in."""


class BadData(EngageError):
    """The input cannot be used; the message says what is wrong, and where."""


@contextmanager
def errors_reported() -> Iterator[None]:
    """Print an error as one line, and exit with its code."""
    try:
        yield
    except EngageError as error:
        print_error(describe_error(error))
        raise typer.Exit(code_of(error)) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(INTERRUPTED) from error
    except BrokenPipeError as error:
        _hush()
        raise typer.Exit(READER_GONE) from error
    except OSError as error:
        _hush()
        print_error(f"reading or writing failed: {error}")
        raise typer.Exit(STORE_FAILED) from error


def code_of(error: EngageError) -> int:
    """Return the exit code for an error."""
    return next(code for kind, code in CODES if isinstance(error, kind))


def _hush() -> None:
    """Discard what stdout still buffers, so that the interpreter does not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
