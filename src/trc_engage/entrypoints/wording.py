"""Sentences that the command line and the web both say."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import get_args

from ..core.errors import EngageError, SourceError
from ..core.incidents import NAMES, ChannelState
from ..core.model import Entry, Status as Kind
from ..core.reports import Mark, Standing, StreakChange
from ..usecases.runs import Status
from .settings import MEE6_URL


def told(error: EngageError) -> str:
    """Return an error's sentence for an operator: the variable to set, and until when syncs wait."""
    message = str(error)
    if not isinstance(error, SourceError):
        return message
    message = message.replace("base_url", MEE6_URL)
    if error.retry_at is None or (until := f"{error.retry_at:%Y-%m-%d %H:%M:%S} UTC") in message:
        return message
    return f"{message}; until {until} no sync asks again"


MARKS: dict[Mark, str] = {
    "active": "active",
    "missed": "missed: nothing was earned",
    "excused": "excused, nothing earned",
    "weekend": "weekend, nothing earned",
    "pending": "not settled yet, nothing so far",
    "before": "before the enrolment",
}


def explained(entry: Entry) -> str:
    """Tell how an entry came about, so that it can be checked from the one before it."""
    if entry.xp is None:
        return _by_hand(entry)
    change = entry.xp
    if entry.kind == "opening":
        return f"counts from {change.xp_after:,} XP" + ("; no points for history" if change.xp_after else "")
    moved = xp_moved(change.xp_before or 0, change.xp_after)
    decided = f"; decided by {entry.actor}: {entry.reason}" if entry.actor else ""
    if entry.kind == "rebase":
        return f"{moved} not counted; carried {change.carried_after} stays{decided}"
    return f"{moved}, carried {change.carried_before} → {change.carried_after}{decided}"


def _by_hand(entry: Entry) -> str:
    if entry.kind == "award":
        return f"{entry.source}, key {entry.key}"
    if entry.kind == "reversal":
        return f"{entry.source}: entry {entry.reverses} taken back by {entry.actor}: {entry.reason}"
    return f"adjusted by {entry.actor}: {entry.reason}, key {entry.key}"


def xp_moved(before: int, after: int) -> str:
    """Return how XP rose or fell."""
    return f"XP {before:,} → {after:,} ({after - before:+,})"


def changed(change: StreakChange) -> str:
    """Return how a streak changed."""
    current = _step(change.current_before, change.current_after)
    return f"current {current}, longest {_step(change.longest_before, change.longest_after)}"


def _step(before: int, after: int) -> str:
    return f"{before:,} → {after:,}" if before != after else f"{after:,}"


def safe(text: str) -> str:
    """Return foreign text on one line, without anything that a terminal would obey or an eye be misled by.

    >>> safe("Ada" + chr(27) + "[31m" + chr(10))
    'Ada[31m '
    """
    return "".join(char if char.isprintable() else " " if char.isspace() else "" for char in text)


def points(amount: int) -> str:
    """Return points gained or lost with their noun."""
    return f"{signed(amount)} {_noun(amount, 'point')}"


def signed(amount: int) -> str:
    """Return a number with its sign; nothing has none."""
    return f"{amount:+,}" if amount else "0"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {_noun(number, noun)}"


def moment(at: datetime) -> str:
    """Return a UTC instant to the minute."""
    return f"{at:%Y-%m-%d %H:%M}"


def dated(day: date) -> str:
    """Return a day with its weekday, on which so much depends."""
    return f"{day:%a %Y-%m-%d}"


def _noun(number: int, noun: str) -> str:
    return noun if abs(number) == 1 else f"{noun}s"


PENDING_SHOWN_MAX = 3
LINE_MIN = 40
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

Fact = tuple[str, str]


def lasted(span: timedelta) -> str:
    """Return how long something lasts, in its two largest units.

    >>> lasted(timedelta(hours=26, minutes=5)), lasted(timedelta(minutes=7, seconds=3)), lasted(timedelta(seconds=-2))
    ('1 d 2 h', '7 min', '0 s')
    """
    if span >= DAY:
        return f"{span // DAY:,} d {span % DAY // HOUR} h"
    if span >= HOUR:
        return f"{span // HOUR} h {span % HOUR // MINUTE} min"
    if span >= MINUTE:
        return f"{span // MINUTE} min"
    return f"{max(span, timedelta(0)).seconds} s"


def size(number: int) -> str:
    """Return a number of bytes to two digits or more.

    >>> size(999), size(110_592), size(62_849_024)
    ('999 bytes', '111 kB', '62.8 MB')
    """
    for unit, digits, name in ((10**9, 1, "GB"), (10**6, 1, "MB"), (10**3, 0, "kB")):
        if number >= unit:
            return f"{number / unit:,.{digits}f} {name}"
    return counted(number, "byte")


def answer(status: Status) -> str:
    """Return why it is healthy, or what is wrong first and what to do about it."""
    if status.needs:
        return f"{status.needs[0].what}; {status.needs[0].advice}"
    return ", ".join(_well(status))


def _well(status: Status) -> Iterator[str]:
    if not status.synced_accounts:
        yield "it runs, and nobody is linked, so there is nothing to sync"
    elif status.good_at is None:
        yield "it runs, and no sync was good yet"
    else:
        yield f"last good sync {_ago(status, status.good_at)}"
    if status.failure_run is not None and status.synced_accounts:
        yield f"{counted(status.failure_run.count, 'failure')} since (an alert comes with the third in a row)"
    if status.wait is not None:
        yield f"MEE6 asked to be left alone until {status.wait.until:%H:%M} UTC"
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
        yield "failures", f"{since}; the last one: {NAMES[failure_run.kind]}. {failure_run.told}"
    for trouble in status.troubles:
        yield "incident", f"{trouble.topic}, since {moment(trouble.since)} UTC. {trouble.meaning}"
    if not status.troubles:
        yield "incident", "none"
    for state in status.shut_channels:
        yield f"alerts by {state.channel}", _shut(status, state)
    wait = status.wait
    yield "wait", "none" if wait is None else f"MEE6 asked for it: until {_to_come(status, wait.until)}"
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
    tally = status.tally
    yield "members", f"{tally.members:,}"
    accounts = [f"{number:,} {kind}" for kind in get_args(Kind) if (number := tally.accounts.get(kind))]
    yield "accounts", ", ".join(accounts) or "none"
    yield "entries", f"{tally.entries:,}"
    yield "store", tally.store if tally.size_bytes is None else f"{tally.store} ({size(tally.size_bytes)})"


def _shut(status: Status, state: ChannelState) -> str:
    """Return since when and why nothing is sent to a channel, or until when."""
    if state.dead_since is not None:
        return f"none since {_when(status, state.dead_since)}: {state.why}"
    free_at = state.not_before or status.at
    return f"none until {_to_come(status, free_at)}: {state.why}"


def _pending(status: Status) -> str:
    if not status.pending:
        return "none"
    told = status.pending[0].why
    others = [f"{one.day:%a %Y-%m-%d}" for one in status.pending[1:]]
    if not others:
        return told
    if len(others) > PENDING_SHOWN_MAX:
        return f"{told}. Behind it: {len(others):,} days, {others[0]} to {others[-1]}"
    return f"{told}. Behind it: {', '.join(others)}"


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


STATUSES = {
    "waiting": "waiting for its first sync",
    "tracked": "tracked",
    "absent": "not on the board at the last sync; the XP is kept",
    "left": "left Discord; the XP is kept",
    "unlinked": "unlinked; the points stay",
}

FORGOTTEN = "(forgotten)"


def named(standing: Standing) -> str:
    """Return a member's name and id, made safe."""
    member_id, name = safe(standing.member_id), name_of(standing)
    return f"{safe(name)} ({member_id})" if name else member_id


def name_of(standing: Standing) -> str:
    """Return a member's name as it was given; one who was forgotten has none."""
    return standing.name or (FORGOTTEN if standing.is_forgotten else "")
