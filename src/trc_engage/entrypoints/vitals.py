"""How the system does, as JSON: for scripts, and for the web."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from ..core.status import Status as AccountStatus

if TYPE_CHECKING:
    from ..core.channels import ChannelState
    from ..core.health import Status
    from ..core.incidents import Failing, Trouble


def of_status(status: Status, version: str | None) -> dict[str, Any]:
    """Return how the system does."""
    wait, last, lease, tally = status.wait, status.last_slot, status.lease, status.tally
    return {
        "healthy": status.is_healthy,
        "needs": [{"what": need.what, "advice": need.advice} for need in status.needs],
        "at": status.at.isoformat(),
        "attended": status.is_attended,
        "good_at": status.good_at and status.good_at.isoformat(),
        "board_id": status.board_id,
        "failures": 0 if status.failing is None else status.failing.count,
        "failing": status.failing and _failing(status.failing),
        "troubles": [_trouble(trouble) for trouble in status.troubles],
        "wait": wait and {"kind": wait.kind, "until": wait.until.isoformat()},
        "pending": [{"day": one.day.isoformat(), "cause": one.cause, "why": one.why} for one in status.pending],
        "last_slot": last and {"slot": last.slot.isoformat(), "outcome": last.outcome, "at": last.at.isoformat()},
        "lease": lease
        and {"owner": lease.owner, "taken_at": lease.taken_at.isoformat(), "until": lease.until.isoformat()},
        "channels": [_channel(state) for state in status.shut_channels],
        "next_sync_at": status.next_sync_at.isoformat(),
        "next_settlement_at": status.next_settlement_at.isoformat(),
        "members": tally.members,
        "accounts": {kind: tally.accounts.get(kind, 0) for kind in get_args(AccountStatus)},
        "entries": tally.entries,
        "store": tally.store,
        "store_bytes": tally.size_bytes,
        "version": version,
    }


def _channel(state: ChannelState) -> dict[str, Any]:
    return {
        "channel": state.channel,
        "dead_since": state.dead_since and state.dead_since.isoformat(),
        "not_before": state.not_before and state.not_before.isoformat(),
        "why": state.why,
    }


def _failing(failing: Failing) -> dict[str, Any]:
    return {"since": failing.since.isoformat(), "kind": failing.kind, "message": failing.told}


def _trouble(trouble: Trouble) -> dict[str, Any]:
    return {
        "topic": trouble.topic,
        "since": trouble.since.isoformat(),
        "title": trouble.title,
        "why": trouble.why,
        "meaning": trouble.meaning,
    }
