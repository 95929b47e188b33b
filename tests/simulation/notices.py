"""Whether each notice that is due reaches the admin once, and a webhook that asks for a wait is left alone (R20)."""

from collections.abc import Iterable, Set
from datetime import datetime, timedelta

from attrs import define, field

from trc_engage.core.incidents import ChannelState, Notice

from .pager import Attempt
from .verdict import check

REMIND_AFTER = timedelta(hours=24)
WAIT_MIN, WAIT_MAX = timedelta(seconds=1), timedelta(hours=24)
SLACK = timedelta(minutes=2)
ALL = ""


@define(eq=False)
class Webhook:
    """What must be remembered of the pager's addresses."""

    shut: dict[str, datetime | None] = field(factory=dict)
    """Until when each is to be left alone; None for one that is gone for good."""

    def is_shut(self, address: str, at: datetime) -> bool:
        """Return whether nothing may be sent to an address now."""
        for one in {address, ALL} & self.shut.keys():
            until = self.shut[one]
            if until is None or at < until <= at + WAIT_MAX + SLACK:
                return True
        return False

    def follow(self, attempt: Attempt) -> None:
        """Record what an address answered."""
        if attempt.answer == "taken":
            self.shut.clear()
        elif attempt.answer == "gone":
            self.shut[attempt.address] = None
        elif attempt.wait is not None:
            wait = min(max(attempt.wait, WAIT_MIN), WAIT_MAX)
            self.shut[ALL if attempt.answer == "all limited" else attempt.address] = attempt.at + wait

    def check(self, states: Iterable[ChannelState], *, plain: bool) -> None:
        """Check that the system remembers the same, or accept what it remembers if that cannot be known."""
        told = {state.fingerprint: state.not_before for state in states}
        if not plain:
            self.shut = told
        check(told == self.shut, f"remembered of the webhook is {told}, not {self.shut}")


@define(eq=False)
class Notices:
    """What the pager showed so far, by topic."""

    webhook: Webhook = field(factory=Webhook)
    last: dict[str, tuple[str, datetime, datetime]] = field(factory=dict)
    """The last notice of a topic: its kind, since when, and when it came."""
    unsure: set[str] = field(factory=set)
    """Topics whose last notice may not have been recorded, so that it may come once more."""
    perhaps: set[str] = field(factory=set)
    """Topics of which a notice was lost on its way, so that its sender does not know whether it arrived."""

    def follow(self, attempt: Attempt, *, sure: bool) -> None:
        """Check an attempt against all before it; `sure` is False if its sender may have died before it recorded it."""
        check(not self.webhook.is_shut(attempt.address, attempt.at), "sent where nothing is taken now", attempt)
        if sure:
            self.webhook.follow(attempt)
        if attempt.arrived:
            self._hear(attempt.notice, attempt.at, sure=sure and attempt.answer == "taken")
        elif attempt.answer == "unknown":
            self.perhaps.add(attempt.notice.topic)

    def _hear(self, notice: Notice, at: datetime, *, sure: bool) -> None:
        topic = notice.topic
        kind, since, heard_at = self.last.get(topic, ("all_clear", at, at))
        again = topic in self.perhaps or (topic in self.unsure and notice.kind == kind)
        if notice.kind == "alert":
            check(again or kind == "all_clear" or since != notice.since, f"alerted twice of {topic}", since, at)
        elif notice.kind == "reminder":
            check(again or kind != "all_clear", f"reminded of {topic}, which nobody was alerted of")
            check(again or abs(at - heard_at) >= REMIND_AFTER, f"reminded of {topic} too soon", heard_at, at)
        else:
            check(again or kind != "all_clear", f"all clear of {topic}, which nobody was alerted of")
        self.last[topic] = (notice.kind, notice.since, at)
        if sure:
            self.unsure.discard(topic)
            self.perhaps.discard(topic)
        else:
            self.unsure.add(topic)

    def check_all_told(self, lasting: Set[str], at: datetime) -> None:
        """Check that admins were alerted to each lasting trouble, reminded daily, and told of each that is over."""
        for topic in lasting:
            kind, _, heard_at = self.last.get(topic, ("all_clear", at, at))
            check(kind != "all_clear", f"nobody was told of {topic}")
            check(at - heard_at < REMIND_AFTER, f"nobody was reminded of {topic}", heard_at, at)
        for topic, (kind, _, _) in self.last.items():
            check(topic in lasting or kind == "all_clear", f"nobody was told that {topic} is over", at)
