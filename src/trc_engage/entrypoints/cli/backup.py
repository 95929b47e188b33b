"""The commands that copy a store: backup, restore and migrate-store."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ...adapters.sqlite.backup import Copy
from ..settings import STORE, Settings, SettingsError
from ..stores import existing_store_path, now, store_path
from ..wiring import copy_store, move_store
from ..wording import counted, lasted, moment, safe, size
from .options import BadData, examples
from .output import print_lines, print_note

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog=examples("Example:", "trc-engage backup /backups/engage-$(date -u +%F).db"))
def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file that is not there yet; its folder is.")],
) -> None:
    """Copy the store to FILE while it is in use.

    The copy is the store as of one instant, and readable by you alone, for it holds names. It is verified as
    by `trc-engage doctor`: one in which anything is wrong is not kept. It appears whole or not at all, and
    never takes the place of another file; a run that is killed leaves at most a file FILE.….part, which can
    be deleted.
    """
    store, target = existing_store_path(Settings.from_mapping(os.environ)), _named(file)
    _print_copy("backed up", target, copy_store(store, target))


@app.command(epilog=examples("Example:", "TRC_ENGAGE_STORE=/var/lib/trc/engage.db trc-engage restore FILE"))
def restore(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What `trc-engage backup` wrote.")],
) -> None:
    """Put a backup in the place of the store.

    Nothing may be at that place: stop whatever runs, move the old store away with its -journal, then
    restore. FILE stays as it is.
    """
    source = _named(file)
    if not source.is_file():
        raise BadData(f"{file}: there is no such file")
    store = store_path(Settings.from_mapping(os.environ))
    copy = copy_store(source, store, without_lease=True)
    _print_copy("restored", store, copy)
    _print_what_next(copy)


def _named(file: str) -> Path:
    if not file or "\0" in file:
        raise typer.BadParameter("give the name of a file")
    return Path(file)


def _print_copy(done: str, path: Path, copy: "Copy") -> None:
    entries = "1 entry" if copy.entries == 1 else f"{copy.entries:,} entries"
    held = f"{size(copy.size_bytes)}, {counted(copy.members, 'member')}, {entries}"
    verified = "verified" if copy.is_current else "whole (an older version wrote it, so the doctor was not asked)"
    print_lines(f"{done}: {safe(str(path))} ({held}), {verified}")


def _print_what_next(copy: "Copy") -> None:
    """Say how far the store goes back, and what does not come back by itself."""
    if copy.good_at is None:
        print_lines("last good sync: none yet")
    else:
        print_lines(f"last good sync: {moment(copy.good_at)} UTC, {lasted(now() - copy.good_at)} ago")
    print_lines(
        "what was earned on Discord since then comes with the next sync; members, links, awards and decisions do not:",
        "enter them again (awards with the same keys; those that are in it already do nothing)",
        f"who follows the feed goes back to position {copy.last_position}",
        "next: `trc-engage status`, then start what runs it",
    )


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
    found = move_store(_settings_naming("FROM", source), _settings_naming("TO", target), print_note)
    entries = f"{found.entries:,} {'entry' if found.entries == 1 else 'entries'}"
    print_lines(
        f"copied: {counted(found.members, 'member')}, {counted(found.accounts, 'account')}, {entries}; all is well",
        f"next: set {STORE} to the new store wherever it is used, `trc-engage status`, then start what runs it",
    )


def _settings_naming(argument: str, value: str) -> Settings:
    try:
        return Settings.from_mapping({STORE: value})
    except SettingsError as error:
        raise SettingsError(argument, error.value, error.advice) from None
