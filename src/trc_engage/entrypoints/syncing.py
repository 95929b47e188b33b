"""The sync command: one sync, shown to a person or told to a script."""

import os
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ..core.errors import EngageError
from .arguments import Json, examples
from .jsonable import of_failure, of_report, say_json
from .settings import Settings
from .wiring import opened_with_source

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog=examples(
        "Examples:",
        "trc-engage sync --dry-run       what would happen?",
        'trc-engage sync --json          for cron: "outcome" is synced, cached or failed',
        "trc-engage sync --rebase-drops  all XP was reset for a new season",
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
    as_json: Json = False,
) -> None:
    """Read MEE6's board and post what it means.

    Every linked member is looked for: 1 point per 100 XP earned since the last sync, and the rest is
    carried. The first sync of a member only notes the XP: there are no points for history. A board that
    cannot be read whole, or that would lower many members at once, changes nothing.
    """
    if accept_drops and rebase_drops:
        raise typer.BadParameter("give either --accept-drops or --rebase-drops: they are two decisions")
    synced(
        os.environ, as_json=as_json, dry_run=dry_run, fresh=fresh, accept_drops=accept_drops, rebase_drops=rebase_drops
    )


def synced(environ: Mapping[str, str], *, as_json: bool, dry_run: bool, **how: Any) -> None:
    """Sync once and say what it did; a failure is told in JSON too, and raised."""
    from .progress import Progress  # noqa: PLC0415

    try:
        settings = Settings.from_mapping(environ)
        with Progress(sys.stderr) as on_page, opened_with_source(settings, on_page=on_page) as engage:
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
