"""The command line: the table of commands, each loaded on first use, and the help that lists them."""

import gc
import os
import sys
from collections import UserDict
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ..settings import ENV_FILE, STORE, installed_version, variables
from .options import COMMANDS, errors_reported, take_settings

MODULES = {
    "init": "stores",
    "migrate": "stores",
    "sync": "sync",
    "show": "show",
    "why": "stories",
    "history": "stories",
    "explain": "stories",
    "leaderboard": "show",
    "award": "awards",
    "reverse": "awards",
    "adjust": "awards",
    "settle": "days",
    "excuse": "days",
    "members": "members",
    "daemon": "daemon",
    "run-due": "daemon",
    "roster": "sync",
    "clock": "days",
    "status": "status",
    "alerts": "status",
    "settings": "status",
    "doctor": "status",
    "backup": "stores",
    "restore": "stores",
    "export": "stores",
    "migrate-store": "stores",
    "web": "web",
    "demo": "demo",
    "mee6-server": "demo",
}
"""The module of each command."""

HELP = """Turn Discord XP into points on an append-only ledger, exactly once, and count streaks.

You enroll members with their Discord ids. Each sync reads MEE6's or Lurkr's leaderboard and pays 1 point per
100 XP earned since the member's first sync; the remainder is carried over. You can award points for
other things too (`award`). Weekdays in a row on which a member earned anything are a streak.

\b
Try it without a Discord server:
  trc-engage demo

\b
Use it with your own:
  export TRC_ENGAGE_GUILD_ID=429462860721341342
  trc-engage init
  trc-engage members enroll m-1 --discord-id 80351110224678912 --name Ada
  trc-engage sync
  trc-engage show m-1
  trc-engage daemon          syncs and settles until you stop it
  trc-engage web             serves the leaderboard and members' pages on http://127.0.0.1:8000/
"""

VARIABLES = "\n".join(f"  {variable:<29}{meaning}" for variable, meaning in variables())
EPILOG = f"""\b
Settings, from the environment or --env-file:
{VARIABLES}

\b
Exit codes:
  0   done
  1   not healthy (status, doctor, alerts test)
  2   wrong usage
  65  bad data: a value, row or id is invalid; nothing was changed
  69  the source failed or is not trusted; nothing was changed
  74  the store failed
  75  the store is busy; try again
  78  configuration; the message names the variable
"""


class Commands(UserDict[str, Any]):
    """The commands by name. Each module is loaded on first use, so that `show` does not wait for the others."""

    def __getitem__(self, name: str) -> Any:
        import_module(f".{self.data[name]}", __package__)
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        return get_command(COMMANDS[name])


class CommandGroup(TyperGroup):
    """The root command, where every error is reported."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: Any = Commands(MODULES)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an error ends in one line and an exit code."""
        with errors_reported():
            return super().invoke(ctx)


app: typer.Typer = typer.Typer(
    cls=CommandGroup,
    help=HELP,
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def print_version(*, asked: bool) -> None:
    """Print the version and exit, if `--version` was given."""
    if asked:
        version = installed_version()
        typer.echo("trc-engage, not installed" if version is None else f"trc-engage {version}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", help="Print the version and exit.", callback=print_version, is_eager=True)
]


EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env-file",
        envvar=ENV_FILE,
        readable=False,
        metavar="FILE",
        help="Read settings from a file of NAME=value lines. Variables that are set already win.",
    ),
]
Store = Annotated[
    str | None, typer.Option("--store", metavar="STORE", help=f"The store, in place of {STORE}: a file or an address.")
]


@app.callback()
def root(context: typer.Context, *, version: Version = False, env_file: EnvFile = None, store: Store = None) -> None:
    """Accept the options before the command; `--version` is done by then."""
    del version
    context.obj = take_settings(env_file, store)


def _open_closed_streams() -> None:
    """Connect closed streams to /dev/null; otherwise files that we open would get their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, closefd=False))


def main() -> None:
    """Run the command line."""
    # Until a command is loaded: objects made by then stay, and checking them for garbage takes a tenth of `show`.
    gc.disable()
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            # Escape names that the terminal's encoding cannot show, instead of crashing.
            reconfigure(errors="backslashreplace")
    app(prog_name="trc-engage")
