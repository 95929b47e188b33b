"""The sync command: one sync, shown to a person or told to a script."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import EngageError
from ..core.reports import SyncReport
from .arguments import Json, examples
from .jsonable import of_failure, of_report, say_json
from .settings import Settings
from .wiring import opened_with_source

if TYPE_CHECKING:
    from ..engage import Engage

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog=examples(
        "Examples:",
        "trc-engage sync --dry-run       what would happen?",
        'trc-engage sync --json          for cron: "outcome" is synced, cached or failed',
        "trc-engage sync --rebase-drops  all XP was reset for a new season",
        "trc-engage sync --adopt-board --by admin-7 --reason 'our server moved'",
    )
)
def sync(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and plan, write nothing.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Read even if the last reading is under 5 minutes old.")
    ] = False,
    accept_drops: Annotated[bool, typer.Option("--accept-drops", help="XP fell and that is right: deduct.")] = False,
    rebase_drops: Annotated[bool, typer.Option("--rebase-drops", help="A new season: keep all points.")] = False,
    adopt_board: Annotated[
        bool, typer.Option("--adopt-board", help="Another board from now on: keep all points.")
    ] = False,
    by: Annotated[str | None, typer.Option(metavar="WHO", help="Who decides on drops or a board.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; members may read it.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Adopt without a question; needed where nobody can answer.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read MEE6's board and post what it means.

    Every linked member is looked for: 1 point per 100 XP earned since the last sync, and the rest is
    carried. The first sync of a member only notes the XP: there are no points for history. A board that
    cannot be read whole, that would lower many members at once, or that is another than the last one,
    changes nothing.
    """
    if accept_drops + rebase_drops + adopt_board > 1:
        raise typer.BadParameter("give --accept-drops, --rebase-drops or --adopt-board: they are two decisions")
    how: dict[str, Any] = {"accept_drops": accept_drops, "rebase_drops": rebase_drops, "by": by, "reason": reason}
    if adopt_board:
        how |= {"adopt_board": True, "shown": None if dry_run else _decided_on(by, reason, yes=yes)}
    synced(os.environ, as_json=as_json, dry_run=dry_run, fresh=fresh, **how)


def _decided_on(by: str | None, reason: str | None, *, yes: bool) -> SyncReport | None:
    """Show whoever is at the terminal what an adoption would do, and ask; where nobody is, nothing is adopted (R27)."""
    if by is None or reason is None:
        raise typer.BadParameter("--adopt-board needs --by and --reason: who decides, and why")
    if yes:
        return None
    if not sys.stdin.isatty():
        advice = "look at it with --dry-run first, and if it is meant, give --yes"
        raise typer.BadParameter(f"--adopt-board lets everybody count on from another board: {advice}")
    from .sentences.syncs import adoption  # noqa: PLC0415

    with _opened(os.environ) as engage:
        known = engage.status().board_id
        shown = engage.sync(adopt_board=True, dry_run=True)
    typer.echo(adoption(shown, known), err=True)
    # Nothing is held while the question stands: the board is read again on yes.
    if not typer.confirm("Adopt it?", err=True):
        typer.echo("nothing was changed", err=True)
        raise typer.Exit
    return shown


@contextmanager
def _opened(environ: Mapping[str, str]) -> Iterator["Engage"]:
    """Open the store and the source, with a bar while a long read lasts."""
    from .progress import Progress  # noqa: PLC0415

    settings = Settings.from_mapping(environ)
    with Progress(sys.stderr) as on_page, opened_with_source(settings, on_page=on_page) as engage:
        yield engage


def synced(environ: Mapping[str, str], *, as_json: bool, dry_run: bool, **how: Any) -> None:
    """Sync once and say what it did; a failure is told in JSON too, and raised."""
    try:
        with _opened(environ) as engage:
            report = engage.sync(dry_run=dry_run, **how)
    except EngageError as error:
        if as_json:
            say_json(of_failure(error, dry_run=dry_run))
        raise
    if as_json:
        say_json(of_report(report, dry_run=dry_run))
    else:
        from .sentences.syncs import say_report  # noqa: PLC0415

        say_report(report)
