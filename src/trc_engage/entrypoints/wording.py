"""Sentences that the command line and the web both say."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

from ..core import incidents
from ..core.errors import (
    ClockWentBack,
    EngageError,
    LinkTaken,
    NotLinked,
    RosterError,
    SourceError,
    UnknownAward,
    UnknownMember,
)
from ..core.incidents import NAMES, ROSTER_NAMES, ChannelState, FailureRun, Message, Notice, Trouble
from ..core.model import Entry, Status as Kind
from ..core.reports import Mark, Standing
from ..core.roster import Check, Contradiction
from ..core.settlement import Pending
from .settings import ALERT_WEBHOOK, DISCORD_GUILD_ID, DISCORD_TOKEN, GUILD_ID, SOURCE, SOURCES, variable_of

if TYPE_CHECKING:
    # What it runs takes a tenth of the time of `show` to load.
    from ..usecases.runs import Need, NeedKind, Status

REMEDIES: Mapping[type[EngageError], Callable[[Any], str]] = {
    UnknownMember: lambda _: "check the id (`trc-engage members list`) or enroll the member first",
    NotLinked: lambda _: "link one first (`trc-engage members link MEMBER DISCORD_ID`)",
    LinkTaken: lambda error: f"unlink that member first (`trc-engage members unlink {error.member_id}`)",
    UnknownAward: lambda _: (
        "look for it with `trc-engage history MEMBER` (only awards can be reversed; correct an adjustment by another)"
    ),
}
"""What an operator can do about an error, in place of what it says itself."""

ARGUMENTS: Mapping[str, str] = {
    "token": "A token is set by {token}",
    "guild_id": "The guild is set by {guild_id}",
    "base_url": "The address is set by {base_url}",
    "accept_drops": "`trc-engage sync --accept-drops` accepts it, `trc-engage sync --rebase-drops` rebases it",
    "adopt_board": "`trc-engage sync --adopt-board` adopts it",
}
"""What an operator knows as the argument that a source's error names."""

FAILED: Mapping[str, str] = {
    "private": ARGUMENTS["token"],
    "unknown_guild": ARGUMENTS["guild_id"],
    "distrusted": "The decision is `trc-engage sync --accept-drops`, `trc-engage sync --rebase-drops` or, for another "
    "board, `trc-engage sync --adopt-board`",
    "clock": "`date -u` shows this machine's clock, and `timedatectl set-ntp true` sets it",
}
"""What an operator can do about a sync that failed, …"""

_AFTER_A_CHANGE = (
    "The daemon reads its settings when it starts, so restart it after a change; `trc-engage sync` shows at once "
    "whether it helped"
)
FAILED_FOR_LONG: Mapping[str, str] = {
    "private": _AFTER_A_CHANGE,
    "unknown_guild": _AFTER_A_CHANGE,
    "rate_limited": "`trc-engage status` shows until when",
    "blocked": "`trc-engage status` shows until when",
    "malformed": f"`trc-engage sync` shows whether it still does. {ARGUMENTS['base_url']}",
    "down": ARGUMENTS["base_url"],
}
"""… and if it goes on."""
_SERVER = f"The server is set by {DISCORD_GUILD_ID}, or else by {GUILD_ID}"
ROSTER_FAILED: Mapping[str, str] = {
    "token": f"The bot's token is set by {DISCORD_TOKEN}",
    "unknown_guild": _SERVER,
    "no_access": _SERVER,
    "distrusted": "`trc-engage roster check --dry-run` shows them, and `trc-engage roster check --accept-departures` "
    f"accepts it. {_SERVER}",
}
"""What an operator can do about a roster that fails."""

START = "start the daemon (`trc-engage daemon`), or have cron call `trc-engage run-due`"
UNSEEN = "`trc-engage members list --never-seen`"
ENROLL = "enroll members (`trc-engage members enroll --help`)"
NEEDED: Mapping[NeedKind, str] = {"unused": f"{ENROLL}, then {START}", "not_running": START, "empty": ENROLL}


def describe_notice(notice: Notice) -> Message:
    """Put a notice into words for an operator, who has the commands and sets the variables."""
    return incidents.describe(notice, why_of, "See `trc-engage status`; a reminder follows each day")


def describe_error(error: EngageError) -> str:
    """Return an error's sentence for an operator: what helps, by command or variable, and until when syncs wait."""
    if remedy := REMEDIES.get(type(error)):
        return f"{error.fact}; {remedy(error)}"
    if isinstance(error, ClockWentBack):
        return _sentences(str(error), FAILED["clock"])
    if isinstance(error, RosterError):
        return _sentences(str(error), ROSTER_FAILED.get(error.kind, ""))
    if not isinstance(error, SourceError):
        return str(error)
    helps = FAILED.get(error.kind, "") if error.kind != "distrusted" else ""
    message = _sentences(str(error), _helps(ARGUMENTS.get(error.argument or "", helps)))
    if error.retry_at is None or (until := f"{error.retry_at:%Y-%m-%d %H:%M:%S} UTC") in message:
        return message
    return f"{message}; until {until} no sync asks again"


def _helps(text: str) -> str:
    """Return what helps, with the variables of the source that is set."""
    source = os.environ.get(SOURCE, "").strip() or next(iter(SOURCES))
    arguments = ("token", "guild_id", "base_url")
    if source.lower() in SOURCES:
        return text.format(**{one: variable_of(one, source) for one in arguments})
    return text.format(**dict.fromkeys(arguments, f"what {SOURCE} names"))


def _sentences(*texts: str) -> str:
    """Return texts one after the other."""
    first, *others = filter(None, texts)
    return ". ".join([first.rstrip("."), *others]) if others else first


def describe_failures(failure_run: FailureRun) -> str:
    """Return what the last of the failures said, with what helps."""
    return _sentences(failure_run.message, _helps(FAILED.get(failure_run.kind, "")))


def why_of(trouble: Trouble) -> str:
    """Return why something is wrong, with what helps."""
    if trouble.failure_run is not None and trouble.topic == "roster":
        return _sentences(trouble.why, ROSTER_FAILED.get(trouble.failure_run.cause.kind, ""))
    if trouble.failure_run is not None:
        kind = trouble.failure_run.cause.kind
        return _sentences(trouble.why, _helps(FAILED.get(kind, "")), _helps(FAILED_FOR_LONG.get(kind, "")))
    if trouble.topic == "frozen":
        return describe_pending(trouble.pending[0])
    if trouble.topic == "unseen":
        return _sentences(trouble.why, f"{UNSEEN} lists them", _helps(ARGUMENTS["guild_id"]))
    return describe_error(trouble.error) if isinstance(trouble.error, EngageError) else trouble.why


def describe_pending(pending: Pending) -> str:
    """Return what a day waits for, with what helps."""
    if pending.cause == "no_sync":
        return f"{pending.why}. See `trc-engage sync`"
    if pending.cause == "frozen":
        excuse, settle = f"excuse {pending.day} --reason … --by …", f"settle --accept-quiet {pending.day}"
        return (
            f"{pending.fact}. If the board stood still: `trc-engage {excuse}`. If it was really that quiet: "
            f"`trc-engage {settle}`"
        )
    return pending.why


def why_shut(state: ChannelState) -> str:
    """Return why nothing is sent to a channel, with what helps."""
    return _sentences(state.why, f"Its address is set by {ALERT_WEBHOOK}" if state.channel == "webhook" else "")


def advice_of(need: Need) -> str:
    """Return what to do about what is wrong."""
    if need.trouble is not None:
        return why_of(need.trouble)
    if need.channel is not None:
        return why_shut(need.channel)
    return NEEDED.get(need.kind, need.advice)


MARKS: dict[Mark, str] = {
    "active": "active",
    "missed": "missed: nothing was earned",
    "not_watched": "not watched, or not wholly; nothing is known to have been earned",
    "excused": "excused, nothing earned",
    "weekend": "weekend, nothing earned",
    "pending": "not settled yet, nothing so far",
    "before": "before the enrollment",
}


def explained(entry: Entry) -> str:
    """Return how an entry came about, so that it can be checked from the one before it."""
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
        booked = "" if entry.booked_at is None else f", booked {moment(entry.booked_at)}"
        who = "" if entry.actor is None else f" by {entry.actor}"
        return f"{entry.source}, key {entry.key}{booked}{who}"
    if entry.kind == "reversal":
        return f"{entry.source}: entry {entry.reverses} taken back by {entry.actor}: {entry.reason}"
    return f"adjusted by {entry.actor}: {entry.reason}, key {entry.key}"


def xp_moved(before: int, after: int) -> str:
    """Return how XP rose or fell."""
    return f"XP {before:,} → {after:,} ({after - before:+,})"


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return what sorts texts as people do: m-2 before m-10.

    >>> sorted(["m-10", "M-2", "m-9b"], key=natural)
    ['M-2', 'm-9b', 'm-10']
    """
    parts = re.split("([0-9]+)", text.casefold())
    return [(0, int(part), "") if number % 2 else (1, 0, part) for number, part in enumerate(parts)]


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


PLURALS = {"entry": "entries", "breach": "breaches"}


def _noun(number: int, noun: str) -> str:
    return noun if abs(number) == 1 else PLURALS.get(noun, f"{noun}s")


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
        return f"{status.needs[0].what}; {advice_of(status.needs[0])}"
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
    for state in status.shut_channels:
        yield f"alerts by {state.channel}", _shut(status, state)
    for one in status.last_sent:
        if one.channel not in {state.channel for state in status.shut_channels}:
            sent = "nothing sent yet" if one.sent_at is None else f"{one.topic}, {_when(status, one.sent_at)}"
            yield f"alerts by {one.channel}", sent
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
    tally = status.tally
    yield "members", f"{tally.members:,}"
    accounts = [f"{number:,} {kind}" for kind in get_args(Kind) if (number := tally.accounts.get(kind))]
    accounts += [f"{tally.never_seen:,} never seen ({UNSEEN})"] if tally.never_seen else []
    yield "accounts", ", ".join(accounts) or "none"
    yield "entries", f"{tally.entries:,}"
    yield "store", tally.store if tally.size_bytes is None else f"{tally.store} ({size(tally.size_bytes)})"


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
    told = f"{one.member_id} is noted by hand as {noted}, and the roster tells otherwise"
    return f"{told}: if that is right, `trc-engage members {command} {one.member_id}`"


def presence(check: Check, now: datetime) -> str:
    """Return what the roster told of a member."""
    asked = f"asked {lasted(now - check.asked_at)} ago"
    if check.gone_at is not None:
        return f"gone since {moment(check.gone_at)} UTC or earlier, {asked}"
    since = "" if check.joined_at is None else f" since {moment(check.joined_at)} UTC"
    return f"on the server{since}, {asked}" if check.present_at else f"not known, {asked}"


def _pending(status: Status) -> str:
    if not status.pending:
        return "none"
    first = describe_pending(status.pending[0])
    others = [f"{one.day:%a %Y-%m-%d}" for one in status.pending[1:]]
    if not others:
        return first
    if len(others) > PENDING_SHOWN_MAX:
        return f"{first}. Behind it: {len(others):,} days, {others[0]} to {others[-1]}"
    return f"{first}. Behind it: {', '.join(others)}"


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
