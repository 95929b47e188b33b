"""The command that moves a store from one database to another: migrate-store."""

from typing import Annotated

import typer

from .arguments import examples
from .exits import remark
from .settings import STORE, Settings, SettingsError
from .wiring import move_store

app = typer.Typer(rich_markup_mode=None)

Source = Annotated[str, typer.Argument(metavar="FROM", help=f"The store that is there, as {STORE} names it.")]
Target = Annotated[str, typer.Argument(metavar="TO", help="A store that is not there yet, or is empty.")]


@app.command(
    "migrate-store",
    epilog=examples(
        "Example (a password is best kept in ~/.pgpass, for arguments can be seen by others):",
        "trc-engage migrate-store /var/lib/trc/engage.db postgresql://trc@db.example/trc",
    ),
)
def migrate_store(source: Source, target: Target) -> None:
    """Copy a whole store into an empty one.

    From a file into PostgreSQL, or back. Stop whatever runs first: what is written to FROM afterwards is not
    in TO. All is copied in one transaction, and the doctor looks at both. Points, streaks and positions of the
    feed are the same then; FROM stays as it is.
    """
    found = move_store(_named("FROM", source), _named("TO", target), remark)
    from .text import counted, say  # noqa: PLC0415

    entries = f"{found.entries:,} {'entry' if found.entries == 1 else 'entries'}"
    say(
        f"copied: {counted(found.members, 'member')}, {counted(found.accounts, 'account')}, {entries}; all is well",
        f"next: set {STORE} to the new store wherever it is used, `trc-engage status`, then start what runs it",
    )


def _named(argument: str, value: str) -> Settings:
    try:
        return Settings.from_mapping({STORE: value})
    except SettingsError as error:
        raise SettingsError(argument, error.value, error.advice) from None
