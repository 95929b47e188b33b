"""Text of the status."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, get_args

from ...core.incidents import NAMES, ROSTER_NAMES, ChannelState
from ...core.model import Status as Kind
from ...core.roster import Contradiction

if TYPE_CHECKING:
    # What it runs takes a tenth of the time of `show` to load.
    from ...usecases.runs import Status
from . import counted, days_listed, lasted, moment, size, tally
from .alerts import UNSEEN, advice_of, describe_failures, describe_pending, why_shut

PENDING_SHOWN_MAX = 3
LINE_MIN = 40

Fact = tuple[str, str]


def answer(status: Status) -> str:
    """Return why it is healthy, or what is wrong first and what to do about it."""
    if status.needs:
        return f"{status.needs[0].what}; {advice_of(status.needs[0])}"
    return ", ".join(_well(status))


def _well(status: Status) -> Iterator[str]:
    if not status.synced_accounts:
        yield "running, but nobody is linked, so there is nothing to sync"
    elif status.good_at is None:
        yield "running, but no sync has succeeded yet"
    else:
        yield f"last good sync {_ago(status, status.good_at)}"
    if status.failure_run is not None and status.synced_accounts:
        yield f"{counted(status.failure_run.count, 'failure')} since (an alert comes with the third in a row)"
    if status.wait is not None:
        yield f"{status.source_name} asked to be left alone until {status.wait.until:%H:%M} UTC"
    yield f"{counted(len(status.pending), 'day')} not settled yet" if status.pending else "every day settled"


def running(status: Status) -> Iterator[Fact]:
    """Yield what was done, what fails and what is to come."""
    yield "last good sync", "none yet" if status.good_at is None else _when(status, status.good_at)
    yield "board", "not recorded yet" if status.board_id is None else status.board_id or "one without an id"
    failure_run = status.failure_run
    if failure_run is None:
        yield "failures", "none"
    else:
        since = f"{failure_run.count:,} in a row since {moment(failure_run.since)} UTC"
        yield "failures", f"{since}; the last one: {NAMES[failure_run.kind]}. {describe_failures(failure_run)}"
    for trouble in status.troubles:
        yield "incident", f"{trouble.topic}, since {moment(trouble.since)} UTC. {trouble.meaning}"
    if not status.troubles:
        yield "incident", "none"
    if status.roster.is_known:
        yield "roster", _roster(status)
    for contradiction in status.roster.contradictions:
        yield "contradiction", _contradicted(contradiction)
    yield from _channels(status)
    wait = status.wait
    yield "wait", "none" if wait is None else f"{status.source_name} asked for it: until {_to_come(status, wait.until)}"
    yield "pending days", _pending(status)
    last = status.last_slot
    yield "last slot", "none yet" if last is None else f"{moment(last.slot)}, {last.outcome} at {last.at:%H:%M:%S}"
    lease = status.lease
    held = "nobody" if lease is None else f"{lease.owner} since {lease.taken_at:%H:%M:%S}, until {lease.until:%H:%M:%S}"
    yield "at work", held
    yield "next sync", _to_come(status, status.next_sync_at)
    yield "settlement", _to_come(status, status.next_settlement_at)


def holding(status: Status) -> Iterator[Fact]:
    """Yield what the store holds."""
    held = status.tally
    yield "members", f"{held.members:,}"
    accounts: dict[str, int] = {kind: held.accounts.get(kind, 0) for kind in get_args(Kind)}
    accounts[f"never seen ({UNSEEN})"] = held.never_seen
    yield "accounts", tally(accounts) or "none"
    yield "entries", f"{held.entries:,}"
    yield "store", held.store if held.size_bytes is None else f"{held.store} ({size(held.size_bytes)})"


def _channels(status: Status) -> Iterator[Fact]:
    """Yield what each channel took last, and what it has not taken yet; or why nothing is sent to it."""
    facts = {
        one.channel: "nothing sent yet" if one.sent_at is None else f"{one.topic}, {_when(status, one.sent_at)}"
        for one in status.last_sent
    }
    facts |= {state.channel: _shut(status, state) for state in status.shut_channels}
    for one in status.last_sent:
        if due := ", ".join(f"{notice.kind} of {notice.topic}".replace("_", " ") for notice in one.undelivered):
            facts[one.channel] += f"; not delivered: {due}"
    yield from ((f"alerts by {channel}", fact) for channel, fact in facts.items())


def _shut(status: Status, state: ChannelState) -> str:
    """Return since when and why nothing is sent to a channel, or until when."""
    if state.dead_since is not None:
        return f"none since {_when(status, state.dead_since)}: {why_shut(state)}"
    free_at = state.not_before or status.at
    return f"none until {_to_come(status, free_at)}: {why_shut(state)}"


def _roster(status: Status) -> str:
    run, next_at = status.roster.failure_run, status.roster.next_at
    failures = (
        "" if run is None else f"{counted(run.count, 'failure')} in a row: {ROSTER_NAMES[run.kind]}. {run.message}; "
    )
    return f"{failures}next round {'due' if next_at is None else _to_come(status, next_at)}"


def _contradicted(one: Contradiction) -> str:
    noted, command = ("left", "returned") if one.is_left else ("present", "left")
    told = f"{one.member_id} is noted by hand as {noted}, but the roster says otherwise"
    return f"{told}: if that is right, `trc-engage members {command} {one.member_id}`"


def _pending(status: Status) -> str:
    if not status.pending:
        return "none"
    first, *others = status.pending
    behind = f". Behind it: {days_listed([one.day for one in others], PENDING_SHOWN_MAX)}" if others else ""
    return f"{describe_pending(first)}{behind}"


def _when(status: Status, at: datetime) -> str:
    return f"{moment(at)} UTC, {_ago(status, at)}"


def _ago(status: Status, at: datetime) -> str:
    """Return how long ago something was; a clock that went back sees what is still to come."""
    if at > status.at:
        return f"{lasted(at - status.at)} ahead of this clock"
    return f"{lasted(status.at - at)} ago"


def _to_come(status: Status, at: datetime) -> str:
    if at <= status.at:
        return f"due now, since {at:%H:%M} UTC"
    return f"{moment(at)} UTC, in {lasted(at - status.at)}"
