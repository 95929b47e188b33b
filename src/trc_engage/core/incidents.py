"""Incidents that need an admin, and their notices: an alert, a daily reminder, one all-clear (R20)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from attrs import field, frozen

from .errors import AlertFailed, ClockError, ClockLeapt, EngageError, RosterTrouble, SourceTrouble
from .settlement import Pending, ends_at
from .slots import keeps_away

WAIT_MIN = timedelta(seconds=1)
WAIT_MAX = timedelta(hours=24)
"""The gap between reminders, so that a channel that asks for a longer wait is still tried once a day."""
UNNAMED = "the source"
"""The name of a source without one."""


@frozen
class ChannelState:
    """What the store keeps about a channel's address."""

    channel: str
    fingerprint: str
    """Stands for the address, which may be a secret; empty for all addresses under the channel's name."""
    dead_since: datetime | None = None
    """When the address was found to be dead; it is not used again until it changes."""
    not_before: datetime | None = None
    """Until when the channel asked to wait."""
    why: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to keep."""
        return self.dead_since is None and self.not_before is None

    def is_shut(self, now: datetime) -> bool:
        """Return whether nothing is sent to it."""
        return self.dead_since is not None or keeps_away(self.not_before, now, WAIT_MAX)


def state_of(states: Iterable[ChannelState], channel: str, fingerprint: str, now: datetime) -> ChannelState | None:
    """Return the state that shuts a channel now; None if notices may be sent."""
    mine = [one for one in states if one.channel == channel and one.fingerprint in {fingerprint, ""}]
    return next((one for one in mine if one.is_shut(now)), None)


def after_failure(channel: str, fingerprint: str, error: AlertFailed, now: datetime) -> ChannelState | None:
    """Return the state to keep of a channel that did not accept a notice; None if there is none.

    A channel without a fingerprint is never given up, because a new address would look like the old one.
    """
    if error.is_gone and fingerprint:
        return ChannelState(channel, fingerprint, dead_since=now, why=str(error))
    if error.retry_after is None:
        return None
    wait = min(max(error.retry_after, WAIT_MIN), WAIT_MAX)
    return ChannelState(channel, "" if error.is_for_all else fingerprint, not_before=now + wait, why=str(error))


Topic = Literal["source", "frozen", "clock", "store", "roster", "unseen"]
"""Frozen: a day without any rise (R15a). Clock: time went back or leapt (R22). Roster: rounds fail (R25).
Unseen: no linked account is on the board (R31)."""
NoticeKind = Literal["alert", "reminder", "all_clear"]

FAILURES_MIN = 3
UNSEEN_MIN = 3
"""How many accounts must be looked for, none ever shown by a board, for ids or board to be suspect (R31)."""
AT_ONCE = frozenset({"distrusted", "another_board", "clock"})
"""Kinds of failure that no later sync can clear by itself (R10, R22)."""
REMIND_AFTER = timedelta(hours=24)

NAMES: dict[str, str] = {
    "private": "the leaderboard is private",
    "unknown_guild": "the server is not known there",
    "rate_limited": "rate limit",
    "blocked": "this client is turned away",
    "malformed": "answers that make no sense",
    "down": "outage",
    "distrusted": "a board that is not trusted",
    "another_board": "the source reads another board",
    "clock": "clocks that disagree",
    "overtaken": "reads that take too long",
    "token": "its token is rejected",
    "no_access": "it has no access to the server",
}
"""The kinds of failure in plain words."""
ROSTER_NAMES: dict[str, str] = NAMES | {"down": "no clear answers", "distrusted": "too many would have left"}
"""`NAMES` with the kinds that have other names for a roster."""


@frozen
class FailureRun:
    """Consecutive failures, of those that count (R20)."""

    count: int
    since: datetime
    """When the first of them occurred."""
    kind: SourceTrouble | RosterTrouble
    """Of the last failure, as is `message`."""
    message: str
    urgent: "FailureRun | None" = None
    """Those that no later sync can clear by itself."""

    @property
    def cause(self) -> "FailureRun":
        """The failures to report first: those that need a decision, if any."""
        return self.urgent or self


@frozen
class Trouble:
    """An ongoing problem that an admin should know about: the facts, and what they mean in plain words.

    The text names no command or setting; entry points add those.
    """

    topic: Topic
    since: datetime
    pending: tuple[Pending, ...] = ()
    """The days that wait."""
    failure_run: FailureRun | None = None
    """Of syncs or of the roster."""
    error: Exception | None = field(default=None, eq=False)
    """The error that ended the last run, or the clock's."""
    count: int = 0
    """In how many consecutive slots runs ended in an error."""
    source_name: str = UNNAMED

    @property
    def title(self) -> str:
        """What is wrong, in one line."""
        if self.topic == "frozen":
            return f"{self.pending[0].day:%a %Y-%m-%d} cannot be settled: nobody's XP rose on it"
        if self.topic == "clock":
            how = "leapt ahead" if isinstance(self.error, ClockLeapt) else "went back"
            return f"The clock {how}: nothing is synced or settled"
        if self.topic == "unseen":
            return f"No linked account has ever been on {self.source_name}'s board"
        if self.failure_run is None:
            what = "The store failed" if isinstance(self.error, EngageError) else "Runs broke off"
            return f"{what}, {self.count:,} times in a row since {moment(self.since)}"
        count, since = self.failure_run.count, moment(self.failure_run.since)
        times = "once" if count == 1 else f"{count:,} times in a row"
        what, names = f"{begun(self.source_name)}'s board could not be synced", NAMES
        if self.topic == "roster":
            what, names = "The roster failed", ROSTER_NAMES
        return f"{what}, {times} since {since}: {names[self.failure_run.cause.kind]}"

    @property
    def why(self) -> str:
        """The known cause, and what helps."""
        if self.topic == "frozen":
            return self.pending[0].why
        if self.topic == "unseen":
            return (
                "either another server's board is read, or the Discord ids are wrong: a spreadsheet rounds ids. Copy "
                "them again from their source as text, and link the members anew"
            )
        if self.failure_run is not None:
            cause = self.failure_run.cause
            helps = "" if self.topic == "roster" else _LASTED.get(cause.kind, "").format(begun(self.source_name))
            return ". ".join(filter(None, (cause.message.rstrip("."), helps)))
        if isinstance(self.error, EngageError):
            return str(self.error)
        return f"an error of the program ({type(self.error).__name__}), whose traceback is in the log; report it"

    @property
    def meaning(self) -> str:
        """What waits because of it, and what does not."""
        kept = f"No XP is lost: {self.source_name} keeps counting"
        until = "the clock is confirmed" if isinstance(self.error, ClockLeapt) else "time has caught up"
        kind = self.failure_run.cause.kind if self.topic == "source" and self.failure_run is not None else None
        return MEANINGS[kind if kind in {"another_board", "distrusted"} else self.topic].format(
            kept=kept, source=begun(self.source_name), waiting=_waiting(self.pending), until=until
        )


MEANINGS: Mapping[str, str] = {
    "source": "{kept}, and the next good sync pays all of it. Until then nobody gets points for Discord; {waiting}",
    "frozen": "Points go on; {waiting}",
    "clock": "{kept}. Until {until} nobody gets points for Discord and no streak breaks",
    "store": "Nothing is synced or settled. {kept}, the next good sync pays all of it, and until then no streak breaks",
    "roster": "Nobody is noted as left or as returned meanwhile. Points and streaks go on",
    "unseen": "Nobody gets points for Discord, and what is earned until it is corrected does not count",
    "distrusted": "No points change until the board recovers or an admin decides. {source} keeps counting; {waiting}",
    "another_board": "Nothing is synced. If the source is set back, no XP is lost; {waiting}",
}

_LASTED: Mapping[str, str] = {
    "rate_limited": "Syncing resumes by itself once the wait is over",
    "blocked": "Syncing resumes by itself once the wait is over",
    "down": "It has lasted: see whether this machine reaches other sites. If it does, {} is down: just wait",
}
"""What to add to a repeated error, whose own text is written for one sync; other kinds need no addition."""


@frozen
class Message:
    """A notice in words."""

    title: str
    text: str


@frozen
class Notice:
    """One message to an admin; it names no member and holds no secret."""

    kind: NoticeKind
    topic: Topic
    since: datetime
    at: datetime
    """When it was due."""
    trouble: Trouble | None = None
    """The ongoing trouble; None in an all-clear."""
    source_name: str = UNNAMED

    @property
    def title(self) -> str:
        """The title of its message."""
        return self.message().title

    @property
    def text(self) -> str:
        """The text of its message."""
        return self.message().text

    def message(
        self, why: Callable[[Trouble], str] = lambda trouble: trouble.why, more: str = "A reminder follows each day"
    ) -> Message:
        """Return its words; an entry point passes its own reasons with remedies, and where to see more."""
        if self.trouble is None:
            ended = ENDED[self.topic].format(self.source_name)
            return Message(f"All clear: {ended}", f"{_lasted(self)}. {MADE_UP[self.topic]}.")
        title = self.trouble.title if self.kind == "alert" else f"Still so: {self.trouble.title}"
        return Message(title, f"Why: {why(self.trouble)}.\nWhat it means: {self.trouble.meaning}.\n{more}.")


Describe = Callable[[Notice], Message]
"""How a channel words its notices."""
describe: Describe = Notice.message


@frozen
class SentNotice:
    """The last notice of a topic that a channel accepted, or may have accepted."""

    channel: str
    topic: Topic
    kind: NoticeKind
    since: datetime
    at: datetime
    is_sure: bool = True
    """False: it was about to be sent, and its outcome was not recorded."""


def failed_again(
    failure_run: FailureRun | None, at: datetime, kind: SourceTrouble | RosterTrouble, message: str
) -> FailureRun:
    """Return the failure run with one more failure."""
    before = failure_run or FailureRun(0, at, kind, message)
    urgent = before.urgent
    if kind in AT_ONCE:
        first = urgent or FailureRun(0, at, kind, message)
        urgent = FailureRun(first.count + 1, first.since, kind, message)
    return FailureRun(before.count + 1, before.since, kind, message, urgent)


def failure_trouble(
    failure_run: FailureRun | None, pending: Sequence[Pending] = (), topic: Topic = "source"
) -> Trouble | None:
    """Return the trouble of a failure run, from the third failure on, or at once if an admin has to decide.

    Failures that need a decision come first and have their own start, so that they are reported during an outage too.
    """
    if failure_run is None or (failure_run.count < FAILURES_MIN and failure_run.urgent is None):
        return None
    return Trouble(topic, failure_run.cause.since, tuple(pending), failure_run)


def frozen_trouble(pending: Sequence[Pending]) -> Trouble | None:
    """Return the trouble of a frozen day, which waits for a decision (R15a)."""
    if not pending or pending[0].cause != "frozen":
        return None
    return Trouble("frozen", ends_at(pending[0].day), tuple(pending))


UNSEEN_FOR = timedelta(hours=24)
"""How long boards must have shown no linked account."""


def unseen_trouble(since: datetime | None, good_at: datetime | None) -> Trouble | None:
    """Return the trouble of a day of good syncs that showed no linked account (R31)."""
    if since is None or good_at is None or good_at - since < UNSEEN_FOR:
        return None
    return Trouble("unseen", since)


def clock_trouble(error: ClockError) -> Trouble:
    """Return the trouble of a clock that contradicts the ledger (R22)."""
    return Trouble("clock", error.seen_at, error=error)


def notices_due(
    troubles: Iterable[Trouble], sent: Iterable[SentNotice], now: datetime, source_name: str = UNNAMED
) -> list[Notice]:
    """Return the notices due to one channel, given the last one of each topic that it accepted.

    One that it may have accepted counts as accepted for an all-clear, and as not accepted for an alert.
    """
    lasting = {trouble.topic: trouble for trouble in troubles}
    known: dict[Topic, SentNotice] = {}
    perhaps: dict[Topic, SentNotice] = {}
    for one in sent:
        (known if one.is_sure else perhaps)[one.topic] = one
    last_ones = (*known.values(), *perhaps.values())
    open_ones = {last.topic: last for last in last_ones if last.kind != "all_clear" or not last.is_sure}
    over = [last for topic, last in open_ones.items() if topic not in lasting]
    notices = [Notice("all_clear", last.topic, last.since, now, source_name=source_name) for last in over]
    for topic, trouble in lasting.items():
        last = known.get(topic)
        cleared = topic in perhaps and perhaps[topic].kind == "all_clear"
        if last is None or cleared or last.kind == "all_clear" or last.since != trouble.since:
            notices.append(Notice("alert", topic, trouble.since, now, trouble, source_name))
        # A notice dated in the future was sent while the clock ran ahead: ignore it.
        elif abs(now - last.at) >= REMIND_AFTER:
            notices.append(Notice("reminder", topic, trouble.since, now, trouble, source_name))
    return notices


def _lasted(notice: Notice) -> str:
    if notice.topic == "clock":
        return f"This machine's time is past {moment(notice.since)} again"
    minutes = max(int((notice.at - notice.since) / timedelta(minutes=1)), 0)
    return f"It began {moment(notice.since)} and lasted {minutes // 60:,} h {minutes % 60:02} min"


ENDED = {
    "source": "{}'s board is synced again",
    "frozen": "the day that nobody's XP rose on is decided",
    "clock": "the clock is right again",
    "store": "runs work again",
    "roster": "the roster answers again",
    "unseen": "linked accounts are on {}'s board",
}
MADE_UP = {
    "source": "What was earned meanwhile is paid, unless an admin started XP counting over, and no day waits any more",
    "frozen": "Streaks are settled through it",
    "clock": "Syncs and settlements go on",
    "unseen": "What is earned from now on is paid",
    "store": "Runs go on, and what was earned meanwhile is paid by the next sync",
    "roster": "Who left and who returned is noted again",
}


def _waiting(pending: Sequence[Pending]) -> str:
    if not pending:
        return "streaks are safe: a day is settled only after a good sync that started after it ended"
    days = f"{pending[0].day:%a %Y-%m-%d}"
    if len(pending) > 1:
        days = f"{days} to {pending[-1].day:%a %Y-%m-%d} ({len(pending):,} days)"
    return f"the streaks of {days} wait, and nobody's breaks meanwhile"


def moment(at: datetime) -> str:
    """Return a UTC instant with its weekday, to the minute."""
    return f"{at:%a %Y-%m-%d %H:%M} UTC"


def begun(text: str) -> str:
    """Return a text with its first letter capitalized."""
    return text[:1].upper() + text[1:]
