"""What commands share: arguments, exit codes, and how errors are reported."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from difflib import get_close_matches
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from ...core.errors import ClockError, EngageError, InvalidValue, LedgerBusy, LedgerFailed, RosterError, SourceError
from ...core.records import TraceArguments
from ..settings import ENV_FILE, ENV_PLAIN, STORE, Settings, SettingsError, read_env_file, store_of, variables
from ..wording.alerts import describe_error
from .output import print_error, print_note


def argument(metavar: str, meaning: str) -> Any:
    """Declare an argument of a command, for `Annotated`."""
    return typer.Argument(metavar=metavar, help=meaning)


def option(metavar: str, meaning: str, **limits: Any) -> Any:
    """Declare an option that takes a value."""
    return typer.Option(metavar=metavar, help=meaning, **limits)


def flag(name: str, meaning: str) -> Any:
    """Declare an option without a value."""
    return typer.Option(name, help=meaning)


Member = Annotated[str, argument("MEMBER", "The member's id at TRC, Discord id or name, or how the name begins.")]
Changed = Annotated[str, argument("MEMBER", "The member's id at TRC, Discord id or full name.")]
"""A member whom a command changes: how a name begins is not enough. `Engage.resolve(…, exact=True)` finds it."""
Json = Annotated[bool, flag("--json", "Print one line of JSON.")]
By = Annotated[str | None, option("WHO", "Who does this, for the record.")]
Reason = Annotated[str | None, option("TEXT", "Why; the member can read it.")]
Note = Annotated[str | None, option("TEXT", "A note for admins only.")]
TRACE: Mapping[str, Any] = {"by": By, "reason": Reason, "note": Note}
"""What a command takes as `**trace` and passes on unchanged."""

COMMANDS: dict[str, typer.Typer] = {}
"""The commands and groups of the modules loaded so far."""
Function = TypeVar("Function", bound=Callable[..., None])


def group_of(name: str, meaning: str, *lines: str) -> typer.Typer:
    """Make a group of commands, whose help ends with examples; a single command makes a group too."""
    told = "\n\n".join([meaning, *([_examples(lines)] if lines else [])])
    COMMANDS[name] = typer.Typer(help=told, rich_markup_mode=None, add_completion=False, no_args_is_help=True)
    COMMANDS[name].callback()(lambda: None)
    return COMMANDS[name]


def command(
    *lines: str, title: str | None = None, name: str | None = None, group: typer.Typer | None = None
) -> Callable[[Function], Function]:
    """Make a function a command, in a group or on its own; the help is its docstring, followed by examples."""

    def registered(function: Function) -> Function:
        called = name or function.__name__.replace("_", "-")
        # Typer reads this, and calls the function itself.
        function.__signature__ = _with_options(signature(function))  # type: ignore[attr-defined]
        app = group or COMMANDS.setdefault(called, typer.Typer(rich_markup_mode=None, add_completion=False))
        app.command(called, epilog=_examples(lines, title) if lines else None)(function)
        return function

    return registered


def _examples(lines: Sequence[str], title: str | None = None) -> str:
    # Click does not rewrap lines below this mark.
    return "\n".join(["\b", title or ("Examples:" if lines[1:] else "Example:"), *(f"  {line}" for line in lines)])


def _with_options(declared: Signature) -> Signature:
    """Return a signature with the options for `**trace`, if it has that, in front of `--json`."""
    named = [one for one in declared.parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
    if len(named) == len(declared.parameters):
        return declared
    options = [Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=TRACE[name]) for name in TRACE]
    return declared.replace(parameters=[*named[:-1], *options, named[-1]])


class WrongUsage(typer.BadParameter):
    """The options do not fit together; the message says which do."""

    def format_message(self) -> str:
        """Return the message alone; it names its options itself."""
        return self.message


def check_decided(name: str, trace: TraceArguments) -> None:
    """Refuse an option that is a decision, unless `--by` and `--reason` are given."""
    if trace.get("by") is None or trace.get("reason") is None:
        raise WrongUsage(f"{name} requires --by and --reason")


def is_asked(what: str, *, yes: bool, advice: str = "look at it with --dry-run first; to confirm, pass --yes") -> bool:
    """Return whether to ask before a decision, unless `--yes` was passed; without a terminal, refuse (R27)."""
    if not yes and not sys.stdin.isatty():
        raise WrongUsage(f"{what}: {advice}")
    return not yes


DAY_FORM = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


ALIKE = 0.9
"""How much of its name a misspelled variable shares with the right one; what Kubernetes sets for a service is less."""


def take_settings(env_file: Path | None, store: str | None) -> Mapping[str, str]:
    """Add what a file and an option set to the environment, where everything reads it; return the origin of each.

    The option overrides the environment, which overrides the file. A note names each variable that looks misspelled.
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
    known = [ENV_FILE, *(variable for variable, _ in variables())]
    for name in sorted({one for one in origins if one.startswith("TRC_ENGAGE_")}.difference(known)):
        for meant in {*get_close_matches(name, known, 1, cutoff=ALIKE)}.difference(origins):
            print_note(f"{name} is not a setting, so it is ignored; did you mean {meant}?")
    return origins


def settings_in_force() -> Settings:
    """Return the settings in force."""
    return Settings.from_mapping(os.environ)


def write_settings(path: Path, store: Path | None) -> Sequence[str]:
    """Write the settings in force to a new file, which only its owner can read; return the variables that it sets.

    `store` is the store's file, if it is a file: settings that root writes get the owner of that file's folder.
    """
    ours = {name: value.strip() for name, value in os.environ.items() if re.match("TRC_ENGAGE_|SENTRY_", name)}
    ours |= {ENV_FILE: "", **({STORE: str(store)} if store else {})}
    values = {name: value for name, value in ours.items() if value}
    for name, value in values.items():
        if not re.fullmatch(ENV_PLAIN, f"={value}") or not value.isprintable():
            raise SettingsError(
                name, None, "has quotes, \\ or # which not every program reads alike; write the file yourself"
            )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadData(f"{path}: it exists, so nothing was written to it; edit it, or name another file") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if store and os.geteuid() == 0:
            folder = store.parent.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    return list(values)


def day(argument: str, text: str) -> date:
    """Return the UTC day of a text such as 2026-12-25."""
    try:
        # fromisoformat also accepts weeks, and days without hyphens.
        return date.fromisoformat(text if re.fullmatch(DAY_FORM, text, re.ASCII) else "")
    except ValueError as error:
        raise InvalidValue(argument, text, "give a day such as 2026-12-25") from error


def month(option: str, text: str) -> date:
    """Return the first day of the month of a text such as 2026-03."""
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
    (ClockError, SOURCE_FAILED),
    (LedgerFailed, STORE_FAILED),
    (LedgerBusy, BUSY),
    (EngageError, BAD_DATA),
)
"""The first class that matches decides; all other errors are about a value that was passed in."""


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
