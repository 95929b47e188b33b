"""The doctor command: whether everything in the store is as it must be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .arguments import Json, examples
from .exits import NOT_HEALTHY
from .jsonable import say_json
from .settings import Settings
from .wiring import check_store, opened, opened_untouched

if TYPE_CHECKING:
    from ..core.audit.breaches import Audit, Change, Repair

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog=examples(
        "Examples:",
        "trc-engage doctor",
        "trc-engage doctor --repair",
        "TRC_ENGAGE_STORE=/backups/engage.db trc-engage doctor   is that backup sound?",
    )
)
def doctor(
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Rebuild balances from entries and streaks from evidence, nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check everything that must hold in the store.

    Entries, accounts, balances, streaks, links, days, runs and the file itself: each breach is named, and nothing
    is changed, also while a daemon runs. Exit code 0: all is well; 1: something is not. No name and no Discord id
    is shown.
    """
    settings = Settings.from_mapping(os.environ)
    check_store(settings)
    if repair:
        with opened(settings) as engage:
            repaired = engage.repair()
        _tell(repaired.audit, repaired, as_json=as_json)
    else:
        with opened_untouched(settings) as engage:
            audit = engage.audit()
        _tell(audit, None, as_json=as_json)


def _tell(audit: Audit, repaired: Repair | None, *, as_json: bool) -> None:
    if as_json:
        say_json(of_audit(audit, repaired))
    else:
        from .sentences.audits import say_audit, say_repair  # noqa: PLC0415

        if repaired is not None:
            say_repair(repaired)
        say_audit(audit, is_repaired=repaired is not None)
    if not audit.is_healthy:
        raise typer.Exit(NOT_HEALTHY)


def of_audit(audit: Audit, repaired: Repair | None = None) -> dict[str, Any]:
    """Return what an audit found, and what was rebuilt before it."""
    value: dict[str, Any] = {
        "healthy": audit.is_healthy,
        "breaches": [
            {
                "check": breach.check,
                "subject": breach.subject,
                "found": breach.found,
                "expected": breach.expected,
                "message": breach.message,
            }
            for breach in audit.breaches
        ],
        "audited": {"members": audit.members, "accounts": audit.accounts, "entries": audit.entries},
    }
    if repaired is not None:
        value["rebuilt"] = [_change(change) for change in repaired.changes]
    return value


def _change(change: Change) -> dict[str, Any]:
    return {
        "check": change.check,
        "subject": change.subject,
        "what": change.what,
        "before": change.before,
        "after": change.after,
    }
