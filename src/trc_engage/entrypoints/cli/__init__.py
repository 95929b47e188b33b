"""The command line: each command opens, calls and shows."""

import gc
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from ..settings import installed_version
from .options import errors_reported

MODULES = {
    "sync": "sync",
    "show": "show",
    "history": "explain",
    "explain": "explain",
    "leaderboard": "leaderboard",
    "award": "awards",
    "reverse": "awards",
    "adjust": "awards",
    "settle": "days",
    "excuse": "days",
    "members": "members",
    "daemon": "daemon",
    "run-due": "daemon",
    "status": "status",
    "doctor": "doctor",
    "backup": "backup",
    "restore": "backup",
    "export": "export",
    "migrate-store": "backup",
    "web": "web",
    "demo": "demo",
    "mee6-server": "mee6_server",
}
"""Where each command lives."""

HELP = """Turn MEE6 XP into points on an append-only ledger, exactly once, and keep streaks.

Members are enrolled with their Discord ids; a sync reads MEE6's leaderboard and gives 1 point per
100 XP that was earned since the member's first sync. The XP that is left over is carried to the next.
Other things earn points too (`award`), and weekdays in a row on which anything was earned are a streak.

\b
Try it, without a server of your own:
  trc-engage demo

\b
Or with your own:
  export TRC_ENGAGE_GUILD_ID=429462860721341342
  trc-engage members enroll m-1 --discord-id 80351110224678912 --name Ada
  trc-engage sync
  trc-engage show m-1
  trc-engage daemon          syncs and settles by itself, until it is told to end
  trc-engage web             shows the leaderboard and the members on http://127.0.0.1:8000/
"""

EPILOG = """\b
Settings, from the environment:
  TRC_ENGAGE_STORE          file of the store, or postgresql://USER:PASSWORD@HOST/DATABASE
                            (default: a file in your data folder)
  TRC_ENGAGE_GUILD_ID       id of your Discord server; needed to sync
  TRC_ENGAGE_MEE6_URL       where MEE6 is (default: https://mee6.xyz)
  TRC_ENGAGE_MEE6_TOKEN     token for a board that is not public
  TRC_ENGAGE_ALERT_WEBHOOK  address of a Discord webhook, for alerts to the admins
  TRC_ENGAGE_CONTACT_URL    a page of yours, which Discord is told with each alert
  TRC_ENGAGE_WEB_TOKEN      who bears it may write through the web; unset, nobody can
  SENTRY_DSN                a Sentry project, for errors, alerts and check-ins
  SENTRY_ENVIRONMENT        what Sentry calls this deployment (default: production)

\b
Exit codes:
  0   done
  1   not healthy (status, doctor)
  2   wrong usage
  65  bad data: a value, a row or an id that cannot be; nothing was done
  69  the source failed: nothing changed, the next sync makes up for it
  74  the store failed
  75  the store is busy: try again
  78  configuration: the message names the variable
"""


class Commands(Mapping[str, Any]):
    """The commands by name, each loaded when it is asked for: `show` waits for no other."""

    def __getitem__(self, name: str) -> Any:
        module = import_module(f".{MODULES[name]}", __package__)
        nouns = get_group(module.app)
        return nouns.commands.get(name, nouns)

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


class Doors(TyperGroup):
    """The commands, with every error reported in one place."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: Any = Commands()

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an error ends in a line and a code."""
        with errors_reported():
            return super().invoke(ctx)


app = typer.Typer(
    cls=Doors,
    help=HELP,
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def print_version(*, asked: bool) -> None:
    """Print the version, if it is asked for, and exit."""
    if asked:
        version = installed_version()
        typer.echo("trc-engage, not installed" if version is None else f"trc-engage {version}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", help="Print the version and exit.", callback=print_version, is_eager=True)
]


@app.callback()
def root(*, version: Version = False) -> None:
    """Take what stands before the command; `--version` has done its work by then."""


def main() -> None:
    """Run the command line."""
    # What is loaded by now stays to the end; looking through it for garbage is a tenth of the time of `show`.
    gc.freeze()
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            # A name that the terminal's encoding cannot say is spelt out, not a crash.
            reconfigure(errors="backslashreplace")
    app(prog_name="trc-engage")
