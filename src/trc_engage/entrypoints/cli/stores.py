"""The commands init, migrate, backup, restore, migrate-store and export, which handle whole stores."""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ...adapters.sqlite.backup import Copy, brought_back
from ...core.errors import StoreOutdated
from ...core.ports import Store
from ...core.records import Excusal
from ...core.reports import Standing
from ...reader import Reader
from ...usecases import sync
from ..settings import STORE, PostgresUrl, Settings, SettingsError
from ..stores import existing_store_path, migration_sql, now, opened_to_read, store_path
from ..wire.members import EntryRow, EventRow, MemberRow
from ..wire.runs import ExcusalRow
from ..wire.shape import Shape, hints_of
from ..wiring import copy_store, move_store, opened_ledger, opened_or_made_ledger, opened_source
from ..wording import counted, lasted, moment, safe, size
from .options import BadData, WrongUsage, argument, command, flag, option, settings_in_force, write_settings
from .output import print_lines, print_note
from .status import try_channels

NEXT = "next: enroll members (`trc-engage members enroll --help`), then run `trc-engage sync` or `trc-engage daemon`"


@command(
    "TRC_ENGAGE_STORE=/var/lib/trc/engage.db trc-engage init",
    "trc-engage --store /var/lib/trc/engage.db init --env-file /etc/trc-engage.env",
    "trc-engage --env-file /etc/trc-engage.env init --try-board --try-alerts",
)
def init(
    *,
    env_file: Annotated[
        Path | None, option("FILE", "Write the settings in force to a new file, for `trc-engage --env-file FILE`.")
    ] = None,
    try_board: Annotated[bool, flag("--try-board", "Read one page of the leaderboard: is it public?")] = False,
    try_alerts: Annotated[bool, flag("--try-alerts", "Send a test notice, as `alerts test` does.")] = False,
) -> None:
    """Create the store.

    A file that only you can read (mode 0600), or tables in a schema of a PostgreSQL database. A store that exists
    is not changed, except that one of an older version is brought up to date. With --env-file you keep the settings
    of this call, from the environment, a file and --store: only the file's owner can read it. Edit it later.
    """
    notes: list[str] = []
    settings = settings_in_force()
    with opened_or_made_ledger(settings, notes.append) as ledger:
        print_lines(safe(next(iter(notes), f"the store exists already: {ledger.address}")))
        if env_file is not None:
            named = write_settings(env_file, None if isinstance(settings.store, PostgresUrl) else store_path(settings))
            print_lines(
                safe(f"wrote {env_file}, readable only by its owner: {', '.join(named)}"),
                safe(f"from now on: trc-engage --env-file {env_file} …"),
            )
        if try_board:
            _try_board(settings, ledger)
    if try_alerts:
        try_channels()
    print_lines(NEXT)


class _FirstPage(Exception):
    """Raised to stop a read after its first page."""


def _try_board(settings: Settings, ledger: Store) -> None:
    """Read the first page of the board, or all of one without pages, and print how many rows were read."""

    def enough(_: int, rows: int) -> None:
        raise _FirstPage(f"{counted(rows, 'member')} on its first page")

    try:
        with opened_source(settings, on_page=enough) as source:
            found = counted(sync.try_board(ledger, source, now).rows, "member")
    except _FirstPage as read:
        found = str(read)
    print_lines(f"the leaderboard can be read: {found}")


@command(
    "trc-engage migrate --dry-run",
    "trc-engage migrate",
    "trc-engage migrate --sql | psql --single-transaction -f - postgresql://dba@db.example/trc",
)
def migrate(
    *,
    dry_run: Annotated[bool, flag("--dry-run", "Only say whether there is anything to do.")] = False,
    sql: Annotated[
        bool, flag("--sql", "PostgreSQL: change nothing; print the SQL, to run in one transaction.")
    ] = False,
) -> None:
    """Bring the store up to date after an upgrade.

    Commands that write do this by themselves; commands that only read never do. Back up first. Processes of an
    older version can still read afterwards, but write nothing until you restart them with the new version.
    With --sql the store need not exist yet: the SQL then creates it.
    """
    settings = settings_in_force()
    if sql:
        if not isinstance(settings.store, PostgresUrl):
            raise WrongUsage("--sql is for a store in PostgreSQL; a file needs no DBA")
        typer.echo(migration_sql(settings.store), nl=False)
        return
    done = "is up to date"
    try:
        with opened_ledger(settings, read_only=True) as ledger:
            address = ledger.address
    except StoreOutdated as error:
        if dry_run:
            print_lines(safe(error.fact))
            return
        done = "was brought up to date"
    if not dry_run:
        # Opening it to write makes it true, even if a disk that failed hid the schema's version from the first look.
        with opened_ledger(settings) as ledger:
            address = ledger.address
    print_lines(f"{safe(address)} {done}")


@command("trc-engage backup /backups/engage-$(date -u +%F).db")
def backup(
    file: Annotated[str, argument("FILE", "The file to write. It must not exist yet; its folder must.")],
) -> None:
    """Copy the store to FILE, even while it is in use.

    The copy shows the store at one instant. Only you can read it, since it holds names. The command checks
    the copy as `trc-engage doctor` does, and keeps it only if nothing is wrong. FILE appears complete or not
    at all, and no existing file is overwritten. A killed run can leave a file FILE.….part, which you can delete.
    """
    store, target = existing_store_path(settings_in_force()), _named(file)
    _print_copy("backed up", target, copy_store(store, target))


@command("TRC_ENGAGE_STORE=/var/lib/trc/engage.db trc-engage restore FILE")
def restore(
    file: Annotated[str, argument("FILE", "A file that `trc-engage backup` wrote.")],
    *,
    bring_back: Annotated[bool, flag("--bring-back", "Restore members too who were forgotten since.")] = False,
) -> None:
    """Restore the store from a backup.

    The store's path must be free: stop everything that uses the store, move the old file and its -journal
    away, then restore. FILE is not changed. Leave the old file in the store's folder, under another name: members
    whom it has forgotten since the backup are restored only with --bring-back.
    """
    source = _named(file)
    if not source.is_file():
        raise BadData(f"{file}: there is no such file")
    store = store_path(settings_in_force())

    def check(copy: Copy) -> None:
        known_again = brought_back(copy.path, store.parent)
        whom = f"{counted(len(known_again), 'member')} forgotten since then: {', '.join(known_again)}"
        if not known_again:
            print_note("no readable store in its folder has forgotten a member since; if you have, forget again")
        elif bring_back:
            print_note(f"restored {whom}. Run `trc-engage members forget` for each")
        else:
            raise BadData(f"{file}: nothing was restored, because it holds {whom}. To restore it, pass --bring-back")

    copy = copy_store(source, store, without_lease=True, check=check)
    _print_copy("restored", store, copy)
    _print_what_next(copy)


def _named(file: str) -> Path:
    if not file or "\0" in file:
        raise WrongUsage("give the name of a file")
    return Path(file)


def _print_copy(done: str, path: Path, copy: Copy) -> None:
    held = f"{size(copy.size_bytes)}, {counted(copy.members, 'member')}, {counted(copy.entries, 'entry')}"
    verified = "verified" if copy.is_current else "intact (not checked by the doctor: an older version wrote it)"
    print_lines(f"{done}: {safe(str(path))} ({held}), {verified}")


def _print_what_next(copy: Copy) -> None:
    """Print how old the restored state is, and what you have to enter again."""
    if copy.good_at is None:
        print_lines("last good sync: none yet")
    else:
        print_lines(f"last good sync: {moment(copy.good_at)} UTC, {lasted(now() - copy.good_at)} ago")
    print_lines(
        "the next sync pays for what was earned on Discord since; enter members, links, awards and decisions again",
        "(use the same keys for awards: those that the backup holds are not booked twice)",
        f"programs that follow the feed must go back to position {copy.last_position}",
        "next: run `trc-engage status`, then start the daemon or timer again",
    )


Source = Annotated[str, argument("FROM", f"The existing store, written as in {STORE}.")]
Target = Annotated[str, argument("TO", "A store that does not exist yet, or is empty.")]


@command(
    "trc-engage migrate-store /var/lib/trc/engage.db postgresql://trc@db.example/trc",
    title="Example (keep the password in ~/.pgpass, since other users can see arguments):",
)
def migrate_store(source: Source, target: Target) -> None:
    """Copy a whole store into an empty one.

    From a file into PostgreSQL, or back. Stop everything that writes to FROM first: TO will not have what is
    written later. The copy is one transaction, and the doctor checks both stores. Points, streaks and feed
    positions stay the same; FROM is not changed.
    """
    found = move_store(_settings_naming("FROM", source), _settings_naming("TO", target), print_note)
    sizes = ((found.members, "member"), (found.accounts, "account"), (found.entries, "entry"))
    print_lines(
        f"copied: {', '.join(counted(*size) for size in sizes)}; both sound",
        f"next: set {STORE} to the new store everywhere, run `trc-engage status`, then start the daemon or timer again",
    )


def _settings_naming(argument: str, value: str) -> Settings:
    try:
        return Settings.from_mapping({STORE: value})
    except SettingsError as error:
        raise SettingsError(argument, error.value, error.advice) from None


PAGE = 5_000
FORMULA = re.compile("(^|;)(?='*[-=+@\uff1d\uff0b\uff0d\uff20\t\r])")
"""Where a spreadsheet sees one begin (some start a cell after a semicolon), or import would see a guarded one."""
GUARDED = re.compile(FORMULA.pattern.replace("(?=", "'(?="))
Write = Callable[[Iterable[Shape]], None]


@command("trc-engage export entries > entries.csv", "trc-engage export members --json | jq -c 'select(.points < 0)'")
def export(
    what: Annotated[
        Literal["entries", "members", "events", "excusals"],
        argument("entries|members|events|excusals", "What to write."),
    ],
    *,
    as_csv: Annotated[bool, flag("--csv", "Write CSV. [default]")] = False,
    as_json: Annotated[bool, flag("--json", "Write one JSON object per line.")] = False,
) -> None:
    """Write all entries, members, events or excusals to stdout.

    CSV has a header, in UTF-8 and as in RFC 4180. A text that begins with = + - @ TAB or CR, or goes on so after a
    semicolon, gets a ' there, so that no spreadsheet runs it as a formula; `members import` takes it off again. In a
    spreadsheet, import Discord ids as text: it would round them.

    With --json you get JSON Lines: one object per line, with texts unchanged.

    Entries are ordered by position and never change, so everything above the last position that you have seen is
    new. Members are ordered by id, and events (who was enrolled, linked, left and more) by their numbers, as are days
    that were excused or required again.
    """
    if as_csv and as_json:
        raise WrongUsage("pass either --csv or --json")
    shape, read, cursor, first = WHAT[what]
    with opened_to_read(settings_in_force()) as reader, _writing(shape, as_json=as_json) as write:
        for page in _pages(reader, shape, read, cursor, first):
            write(page)


@contextmanager
def _writing(shape: type[Shape], *, as_json: bool) -> Iterator[Write]:
    """Yield a function that writes a page to stdout, and flush at the end."""
    if as_json:
        # ASCII, so that any stdout can take it.
        yield lambda page: sys.stdout.writelines(f"{json.dumps(row)}\n" for row in page)
    else:
        if reconfigure := getattr(sys.stdout, "reconfigure", None):
            reconfigure(encoding="utf-8", newline="")
        rows = csv.writer(sys.stdout)
        rows.writerow(hints_of(shape))
        yield lambda page: rows.writerows(map(_cell, row.values()) for row in page)
    sys.stdout.flush()


def _cell(value: Any) -> Any:
    """Return the value of a cell; a text that looks like a formula is quoted."""
    if isinstance(value, bool):
        return int(value)
    text = json.dumps(value) if isinstance(value, dict) else value
    return FORMULA.sub(r"\1'", text) if isinstance(text, str) else text


def unguarded(cell: str) -> str:
    """Return a cell's text as it was before the export guarded it."""
    return GUARDED.sub(r"\1", cell)


def _members(reader: Reader, **page: Any) -> Sequence[Standing]:
    return [reader.standing(one.member_id) for one in reader.members(**page)]


def _excusals(reader: Reader, *, after: int, limit: int) -> Sequence[Excusal]:
    return [one for one in reader.excusals() if one.number > after][:limit]


def _pages(
    reader: Reader, shape: type[Shape], read: Callable[..., Sequence[Any]], cursor: str, after: str | int
) -> Iterator[Iterable[Shape]]:
    while page := read(reader, after=after, limit=PAGE):
        yield map(shape.of, page)
        after = getattr(page[-1], cursor)


WHAT: dict[str, tuple[type[Shape], Callable[..., Sequence[Any]], str, str | int]] = {
    "entries": (EntryRow, Reader.feed, "position", 0),
    "members": (MemberRow, _members, "member_id", ""),
    "events": (EventRow, Reader.events, "number", 0),
    "excusals": (ExcusalRow, _excusals, "number", 0),
}
"""What can be written: its shape, what reads a page, the field that the next page begins after, and its first value."""
