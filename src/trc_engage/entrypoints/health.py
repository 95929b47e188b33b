"""The status command: whether all is well, and what to do if not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, get_args

import typer

from ..core.status import Status as AccountStatus
from .arguments import Json, examples
from .exits import NOT_HEALTHY
from .jsonable import say_json
from .settings import Settings
from .version import installed_version
from .wiring import existing_store_path, opened

if TYPE_CHECKING:
    from ..core.health import Status
    from ..core.incidents import Failing, Trouble

app = typer.Typer(rich_markup_mode=None)


@app.command(
    epilog=examples(
        "Examples:",
        "trc-engage status",
        "trc-engage status > /dev/null || mail-somebody  exit code 1: not healthy",
        'trc-engage status --json | jq .healthy          "needs" holds what is wrong, and what to do',
    )
)
def status(*, as_json: Json = False) -> None:
    """Tell whether all is well, and what to do if not.

    The first line is the answer: healthy (exit code 0) or not (1), the reason and the next step. Not healthy
    is what lasts and needs somebody: nothing runs, three syncs in a row failed, a board that is not trusted,
    a day that cannot be settled, a clock that went back. Times are UTC.
    """
    settings = Settings.from_mapping(os.environ)
    existing_store_path(settings)
    with opened(settings) as engage:
        found = engage.status()
    if as_json:
        say_json(of_status(found, installed_version()))
    else:
        from .sentences.health import say_status  # noqa: PLC0415

        say_status(found, installed_version())
    if not found.is_healthy:
        raise typer.Exit(NOT_HEALTHY)


def of_status(status: Status, version: str | None) -> dict[str, Any]:
    """Return how the system does."""
    wait, last, lease, tally = status.wait, status.last_slot, status.lease, status.tally
    return {
        "healthy": status.is_healthy,
        "needs": [{"what": need.what, "advice": need.advice} for need in status.needs],
        "at": status.at.isoformat(),
        "attended": status.is_attended,
        "good_at": status.good_at and status.good_at.isoformat(),
        "failures": 0 if status.failing is None else status.failing.count,
        "failing": status.failing and _failing(status.failing),
        "troubles": [_trouble(trouble) for trouble in status.troubles],
        "wait": wait and {"kind": wait.kind, "until": wait.until.isoformat()},
        "pending": [
            {"day": one.day.isoformat(), "cause": one.cause, "why": one.why} for one in status.pending
        ],
        "last_slot": last and {"slot": last.slot.isoformat(), "outcome": last.outcome, "at": last.at.isoformat()},
        "lease": lease
        and {"owner": lease.owner, "taken_at": lease.taken_at.isoformat(), "until": lease.until.isoformat()},
        "next_sync_at": status.next_sync_at.isoformat(),
        "next_settlement_at": status.next_settlement_at.isoformat(),
        "members": tally.members,
        "accounts": {kind: tally.accounts.get(kind, 0) for kind in get_args(AccountStatus)},
        "entries": tally.entries,
        "store": tally.store,
        "store_bytes": tally.size_bytes,
        "version": version,
    }


def _failing(failing: Failing) -> dict[str, Any]:
    return {"since": failing.since.isoformat(), "kind": failing.kind, "message": failing.message}


def _trouble(trouble: Trouble) -> dict[str, Any]:
    return {
        "topic": trouble.topic,
        "since": trouble.since.isoformat(),
        "title": trouble.title,
        "why": trouble.why,
        "meaning": trouble.meaning,
    }
