"""Whether all is well, in words: the answer first, then everything that it rests on."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from textwrap import wrap
from typing import get_args

from ...core.channels import ChannelState
from ...core.health import Status
from ...core.incidents import NAMES
from ...core.status import Status as Kind
from ..text import GAP, counted, moment, safe, say, say_coloured

PENDING_SHOWN_MAX = 3
LINE_MIN = 40
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

Fact = tuple[str, str]


def say_status(status: Status, version: str | None) -> None:
    """Say whether all is well, why not and what to do; then the facts."""
    word, style = ("healthy", "green") if status.is_healthy else ("NOT healthy", "red")
    _say_labelled(f"{word}: ", style, answer(status), indent=0)
    for need in status.needs[1:]:
        _say_labelled("also: ", style, f"{need.what}; {need.advice}", indent=0)
    say("")
    facts = [*running(status), *holding(status), ("version", version or "not installed")]
    width = max(len(label) for label, _ in facts)
    for label, value in facts:
        _say_labelled(f"{label:<{width}}{GAP}", "", value, indent=width + len(GAP))


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
    if status.failing is not None and status.synced_accounts:
        yield f"{counted(status.failing.count, 'failure')} since (an alert comes with the third in a row)"
    if status.wait is not None:
        yield f"MEE6 asked to be left alone until {status.wait.until:%H:%M} UTC"
    yield f"{counted(len(status.pending), 'day')} not settled yet" if status.pending else "every day settled"


def running(status: Status) -> Iterator[Fact]:
    """Yield what was done, what fails and what is to come."""
    yield "last good sync", "none yet" if status.good_at is None else _when(status, status.good_at)
    yield "board", "not recorded yet" if status.board_id is None else status.board_id or "one without an id"
    failing = status.failing
    if failing is None:
        yield "failures", "none"
    else:
        since = f"{failing.count:,} in a row since {moment(failing.since)} UTC"
        yield "failures", f"{since}; the last one: {NAMES[failing.kind]}. {failing.told}"
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


def _say_labelled(label: str, style: str, value: str, *, indent: int) -> None:
    """Say a text behind its label; on a terminal it is filled to the width, and hangs from the label."""
    text = safe(value)
    lines: Sequence[str] = [text]
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns, LINE_MIN)
        filled = wrap(
            text,
            width,
            initial_indent=" " * len(label),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines = [filled[0][len(label) :], *filled[1:]] if filled else [""]
    say_coloured([[(label, style), (lines[0], "")], *([(line, "")] for line in lines[1:])])
