"""The doctor command: it checks the store."""

from itertools import groupby
from typing import Annotated

import typer

from ...core.audit import BALANCE, STREAK, Audit, Repair
from ..wire import runs as wire
from ..wiring import opened
from ..wording import counted
from .options import NOT_HEALTHY, Json, command, flag, settings_in_force
from .output import print_lines, print_result, print_some


@command(
    "trc-engage doctor",
    "trc-engage doctor --repair",
    "TRC_ENGAGE_STORE=/backups/engage.db trc-engage doctor   checks a backup",
)
def doctor(
    *,
    repair: Annotated[bool, flag("--repair", "Rebuild balances from entries, and streaks from evidence.")] = False,
    as_json: Json = False,
) -> None:
    """Check the store for damage and inconsistencies.

    It checks entries, accounts, balances, streaks, links, days, runs and the file itself, and lists each
    breach. It changes nothing, and you can run it while a daemon runs. Exit code 0: the store is sound; 1: it
    is not. The output shows no names and no Discord ids.
    """
    with opened(settings_in_force(), read_only=not repair) as engage:
        repaired = engage.repair() if repair else None
        audit = engage.audit() if repaired is None else repaired.audit
    shape = wire.Audit.of(audit, rebuilt=repaired and repaired.changes)
    print_result(shape, lambda: print_audit(audit, repaired), as_json=as_json)
    if not audit.is_healthy:
        raise typer.Exit(NOT_HEALTHY)


SHOWN_MAX = 10
DERIVED = (BALANCE, STREAK)


def print_audit(audit: Audit, repaired: Repair | None) -> None:
    """Print what was rebuilt and checked, the breaches by check, and what to do."""
    if repaired is not None:
        print_repair(repaired)
    sizes = ((audit.members, "member"), (audit.accounts, "account"), (audit.entries, "entry"))
    looked_at = f"audited {', '.join(counted(*size) for size in sizes)}"
    if audit.is_healthy:
        print_lines(f"{looked_at}: all is well")
        return
    print_lines(f"{looked_at}: {counted(len(audit.breaches), 'breach')}")
    for check, found in groupby(audit.breaches, key=lambda breach: breach.check):
        print_lines(f"{check}:")
        print_some([breach.message for breach in found], SHOWN_MAX)
    _print_what_next(audit, is_repaired=repaired is not None)


def print_repair(repair: Repair) -> None:
    """Print what was rebuilt, before and after."""
    if not repair.changes:
        print_lines("rebuilt: nothing")
        return
    print_lines(f"rebuilt {counted(len(repair.changes), 'value')}:")
    print_some([f"{one.subject}: {one.what}: {one.found} → {one.expected}" for one in repair.changes], SHOWN_MAX)


def _print_what_next(audit: Audit, *, is_repaired: bool) -> None:
    can = [check for check in DERIVED if audit.can_rebuild(check)]
    if can and not is_repaired:
        print_lines(f"run `trc-engage doctor --repair` to rebuild each {' and '.join(can)}; it changes nothing else")
    found = {breach.check for breach in audit.breaches}
    lost = [check for check in DERIVED if check in found and check not in can]
    if lost:
        print_lines(
            f"cannot be rebuilt: each {' and '.join(lost)}. Its source is damaged, and it may be the last record of "
            "what the source held"
        )
    if found - {*can}:
        print_lines("to get the rest back, run `trc-engage restore FILE` with a backup that the doctor finds sound")
