"""What an audit found and what was rebuilt, in words."""

from itertools import groupby

from ...core.audit.breaches import BALANCE, STREAK, Audit, Repair
from ..text import counted, safe, say

SHOWN_MAX = 10
DERIVED = (BALANCE, STREAK)


def say_audit(audit: Audit, *, is_repaired: bool) -> None:
    """Say what was looked at and what is not as it must be, by check; then what can be done."""
    entries = f"{audit.entries:,} {'entry' if audit.entries == 1 else 'entries'}"
    looked_at = f"audited {counted(audit.members, 'member')}, {counted(audit.accounts, 'account')}, {entries}"
    if audit.is_healthy:
        say(f"{looked_at}: all is well")
        return
    breaches = f"{len(audit.breaches):,} {'breach' if len(audit.breaches) == 1 else 'breaches'}"
    say(f"{looked_at}: {breaches}")
    for check, found in groupby(audit.breaches, key=lambda breach: breach.check):
        group = list(found)
        say(f"{check}:", *(f"  {safe(breach.message)}" for breach in group[:SHOWN_MAX]))
        if len(group) > SHOWN_MAX:
            say(f"  … and {len(group) - SHOWN_MAX:,} more (all of them with --json)")
    _say_what_next(audit, is_repaired=is_repaired)


def say_repair(repair: Repair) -> None:
    """Say what was rebuilt, before and after."""
    if not repair.changes:
        say("rebuilt: nothing")
        return
    say(f"rebuilt {counted(len(repair.changes), 'value')}:")
    say(*(f"  {safe(f'{one.subject}: {one.what}: {one.before} → {one.after}')}" for one in repair.changes[:SHOWN_MAX]))
    if len(repair.changes) > SHOWN_MAX:
        say(f"  … and {len(repair.changes) - SHOWN_MAX:,} more (all of them with --json)")


def _say_what_next(audit: Audit, *, is_repaired: bool) -> None:
    can = [check for check in DERIVED if audit.can_rebuild(check)]
    if can and not is_repaired:
        say(f"`trc-engage doctor --repair` rebuilds each {' and '.join(can)}; the store is changed in nothing else")
    found = {breach.check for breach in audit.breaches}
    lost = [check for check in DERIVED if check in found and check not in can]
    if lost:
        say(
            f"not to be rebuilt: each {' and '.join(lost)}. What it is derived from is damaged, and it may be the last "
            "witness of what that was"
        )
    if found - {*can}:
        say("what no repair rebuilds comes back from a backup that this command finds well: `trc-engage restore FILE`")
