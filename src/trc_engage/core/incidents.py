"""What is wrong, and who is to be told: an alert, a reminder a day, one all-clear; and which channels take it (R20)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from attrs import frozen

from .days import CLOCK_SLACK
from .errors import AlertFailed, ClockWentBack, SourceTrouble
from .settlement import Pending, ends_at

WAIT_MIN = timedelta(seconds=1)
WAIT_MAX = timedelta(hours=24)
"""As long as a reminder waits: whoever asks for more is asked again once a day."""


@frozen
class ChannelState:
    """What is remembered of a channel's address."""

    channel: str
    fingerprint: str
    """Stands for the address, which may be a secret; empty for all addresses of the channel's name."""
    dead_since: datetime | None = None
    """When it was found to take nothing any more: it is not used again until the address is another."""
    not_before: datetime | None = None
    """Until when it asked to be left alone."""
    why: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether nothing need be remembered."""
        return self.dead_since is None and self.not_before is None

    def is_shut(self, now: datetime) -> bool:
        """Tell whether nothing is to be sent; what was noted under a clock that ran ahead shuts nothing."""
        if self.dead_since is not None:
            return True
        return self.not_before is not None and now < self.not_before <= now + WAIT_MAX + CLOCK_SLACK


def state_of(states: Iterable[ChannelState], channel: str, fingerprint: str, now: datetime) -> ChannelState | None:
    """Return why nothing is to be sent to a channel now; None if it may be."""
    mine = [one for one in states if one.channel == channel and one.fingerprint in {fingerprint, ""}]
    return next((one for one in mine if one.is_shut(now)), None)


def after_failure(channel: str, fingerprint: str, error: AlertFailed, now: datetime) -> ChannelState | None:
    """Return what is to be remembered of a channel that did not take a notice; None if nothing is.

    One without a fingerprint is never given up, for nobody could tell when it is another.
    """
    if error.is_gone and fingerprint:
        return ChannelState(channel, fingerprint, dead_since=now, why=str(error))
    if error.retry_after is None:
        return None
    wait = min(max(error.retry_after, WAIT_MIN), WAIT_MAX)
    return ChannelState(channel, "" if error.is_for_all else fingerprint, not_before=now + wait, why=str(error))


Topic = Literal["source", "frozen", "clock", "store"]
"""Frozen: a day without any rise (R15a). Clock: time went back (R22)."""
NoticeKind = Literal["alert", "reminder", "all_clear"]

FAILURES_MIN = 3
AT_ONCE = frozenset({"distrusted", "clock"})
"""Kinds of failure that no later sync mends by itself (R10, R22)."""
REMIND_AFTER = timedelta(hours=24)

NAMES = {
    "private": "the leaderboard is private",
    "unknown_guild": "MEE6 does not know the server",
    "rate_limited": "rate limit",
    "blocked": "blocked by MEE6's edge",
    "malformed": "answers that make no sense",
    "down": "outage",
    "distrusted": "a board that is not trusted",
    "clock": "clocks that disagree",
    "overtaken": "reads that take too long",
}
"""The kinds of failure in plain words."""

_AFTER_A_CHANGE = (
    "The daemon reads its settings when it starts, so restart it after a change; `trc-engage sync` shows at once "
    "whether it helped"
)
_BY_ITSELF = "Syncs go on by themselves once the wait is over; `trc-engage status` tells when"
WHAT_HELPS: Mapping[SourceTrouble, str] = {
    "private": _AFTER_A_CHANGE,
    "unknown_guild": _AFTER_A_CHANGE,
    "rate_limited": _BY_ITSELF,
    "blocked": _BY_ITSELF,
    "malformed": "`trc-engage sync` shows whether it still does",
    "down": "It has lasted: see whether this machine reaches other sites. If it does, MEE6 is down: just wait",
}
"""What an error does not say, because it is written for whoever runs one sync; the other kinds' errors say all."""

SOURCE_URL = "TRC_ENGAGE_MEE6_URL"
"""What an admin knows as the setting that a source's errors call `base_url`."""


@frozen
class FailureRun:
    """Failures in a row, of those that count (R20)."""

    count: int
    since: datetime
    """When the first of them failed."""
    kind: SourceTrouble
    """The last one's, …"""
    message: str
    """… and what it said."""
    urgent: "FailureRun | None" = None
    """Those among them that no later sync mends by itself."""

    @property
    def told(self) -> str:
        """What the last one said, with the setting's name as an admin knows it."""
        return self.message.replace("base_url", SOURCE_URL)


@frozen
class Trouble:
    """Something that lasts and that an admin should know of."""

    topic: Topic
    since: datetime
    title: str
    why: str
    """What is known of the cause, and what to do about it."""
    meaning: str
    """What waits because of it, and what does not."""


@frozen
class Notice:
    """One message to an admin; it names no member and holds no secret."""

    kind: NoticeKind
    topic: Topic
    since: datetime
    title: str
    text: str


@frozen
class SentNotice:
    """The last notice of a topic that a channel took, or may have taken."""

    channel: str
    topic: Topic
    kind: NoticeKind
    since: datetime
    at: datetime
    is_sure: bool = True
    """False: it was about to be sent, and nobody noted what became of it."""


def failed_again(failure_run: FailureRun | None, at: datetime, kind: SourceTrouble, message: str) -> FailureRun:
    """Return the failures in a row with one more."""
    before = failure_run or FailureRun(0, at, kind, message)
    urgent = before.urgent
    if kind in AT_ONCE:
        first = urgent or FailureRun(0, at, kind, message)
        urgent = FailureRun(first.count + 1, first.since, kind, message)
    return FailureRun(before.count + 1, before.since, kind, message, urgent)


def source_trouble(failure_run: FailureRun | None, pending: Sequence[Pending]) -> Trouble | None:
    """Say that syncs fail: from the third in a row on, at once for what an admin has to decide.

    What needs a decision comes first, and under its own time: told of an outage, an admin is told of it too.
    """
    if failure_run is None or (failure_run.count < FAILURES_MIN and failure_run.urgent is None):
        return None
    times = "once" if failure_run.count == 1 else f"{failure_run.count:,} times in a row"
    cause = failure_run.urgent or failure_run
    return Trouble(
        "source",
        cause.since,
        f"MEE6's board could not be synced, {times} since {_moment(failure_run.since)}: {NAMES[cause.kind]}",
        _why(cause),
        "No XP is lost: MEE6 counts on, and the next good sync pays all of it. Until then nobody gets points for "
        f"Discord; {_waiting(pending)}",
    )


def _why(failure_run: FailureRun) -> str:
    return ". ".join(filter(None, (failure_run.told.rstrip("."), WHAT_HELPS.get(failure_run.kind))))


def frozen_trouble(pending: Sequence[Pending]) -> Trouble | None:
    """Say that a day waits for a decision (R15a)."""
    if not pending or pending[0].cause != "frozen":
        return None
    day = pending[0].day
    return Trouble(
        "frozen",
        ends_at(day),
        f"{day:%a %Y-%m-%d} cannot be settled: nobody's XP rose on it",
        pending[0].why,
        f"Points go on; {_waiting(pending)}",
    )


def clock_trouble(error: ClockWentBack) -> Trouble:
    """Say that this machine's time lies before what the ledger has seen (R22)."""
    return Trouble(
        "clock",
        error.seen_at,
        "The clock went back: nothing is synced or settled",
        str(error),
        "No XP is lost: MEE6 counts on. Until time has caught up nobody gets points for Discord and no streak breaks",
    )


def notices_due(troubles: Iterable[Trouble], told: Iterable[SentNotice], now: datetime) -> list[Notice]:
    """Return what one channel is to be told now, given the last notice of each topic that it took.

    A notice that it may have taken counts as taken where it has to be cleared, and as not taken where it may be due.
    """
    lasting = {trouble.topic: trouble for trouble in troubles}
    known: dict[Topic, SentNotice] = {}
    perhaps: dict[Topic, SentNotice] = {}
    for one in told:
        (known if one.is_sure else perhaps)[one.topic] = one
    open_ones = {last.topic: last for last in (*known.values(), *perhaps.values()) if last.kind != "all_clear"}
    notices = [_over(last, now) for topic, last in open_ones.items() if topic not in lasting]
    for topic, trouble in lasting.items():
        last = known.get(topic)
        cleared = topic in perhaps and perhaps[topic].kind == "all_clear"
        if last is None or cleared or last.kind == "all_clear" or last.since != trouble.since:
            notices.append(_told_of(trouble, "alert"))
        # A notice from a time to come was sent under a clock that ran ahead, and is no reason to be silent.
        elif abs(now - last.at) >= REMIND_AFTER:
            notices.append(_told_of(trouble, "reminder"))
    return notices


def _told_of(trouble: Trouble, kind: NoticeKind) -> Notice:
    title = trouble.title if kind == "alert" else f"Still so: {trouble.title}"
    text = (
        f"Why: {trouble.why}.\nWhat it means: {trouble.meaning}.\nSee `trc-engage status`; a reminder follows each day."
    )
    return Notice(kind, trouble.topic, trouble.since, title, text)


def _over(last: SentNotice, now: datetime) -> Notice:
    title, text = f"All clear: {ENDED[last.topic]}", f"{_lasted(last, now)}. {MADE_UP[last.topic]}."
    return Notice("all_clear", last.topic, last.since, title, text)


def _lasted(last: SentNotice, now: datetime) -> str:
    if last.topic == "clock":
        return f"This machine's time is past {_moment(last.since)} again"
    minutes = max(int((now - last.since) / timedelta(minutes=1)), 0)
    return f"It began {_moment(last.since)} and lasted {minutes // 60:,} h {minutes % 60:02} min"


ENDED = {
    "source": "MEE6's board is synced again",
    "frozen": "the day that nobody's XP rose on is decided",
    "clock": "the clock is right again",
    "store": "runs work again",
}
MADE_UP = {
    "source": "What was earned meanwhile has been paid, and no day waits for it any more",
    "frozen": "Streaks are settled through it",
    "clock": "Syncs and settlements go on",
    "store": "Runs go on, and what was earned meanwhile is paid by the next sync",
}


def _waiting(pending: Sequence[Pending]) -> str:
    if not pending:
        return "no streak breaks, for a day is settled only once a good sync began after it"
    days = f"{pending[0].day:%a %Y-%m-%d}"
    if len(pending) > 1:
        days = f"{days} to {pending[-1].day:%a %Y-%m-%d} ({len(pending):,} days)"
    return f"the streaks of {days} wait, and nobody's breaks meanwhile"


def _moment(at: datetime) -> str:
    return f"{at:%a %Y-%m-%d %H:%M} UTC"
