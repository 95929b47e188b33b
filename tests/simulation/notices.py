"""Whether the admin hears what must be heard, once (R20)."""

from collections.abc import Set
from datetime import datetime, timedelta

from attrs import define, field

from trc_engage.core.incidents import Notice

from .verdict import check

REMIND_AFTER = timedelta(hours=24)


@define(eq=False)
class Notices:
    """What the pager showed so far, by topic."""

    last: dict[str, tuple[str, datetime, datetime]] = field(factory=dict)
    """Kind, since when, and when it came."""
    unsure: set[str] = field(factory=set)
    """Topics whose last notice may not have been recorded: it may come once more."""

    def hear(self, notice: Notice, at: datetime, *, sure: bool) -> None:
        """Check a notice against those before."""
        topic = notice.topic
        kind, since, heard_at = self.last.get(topic, ("all_clear", at, at))
        again = topic in self.unsure and notice.kind == kind
        if notice.kind == "alert":
            check(again or kind == "all_clear" or since != notice.since, f"alerted twice of {topic}", since, at)
        elif notice.kind == "reminder":
            check(kind != "all_clear", f"reminded of {topic}, which nobody was alerted of")
            check(again or abs(at - heard_at) >= REMIND_AFTER, f"reminded of {topic} too soon", heard_at, at)
        else:
            check(again or kind != "all_clear", f"all clear of {topic}, which nobody was alerted of")
        self.last[topic] = (notice.kind, notice.since, at)
        (self.unsure.discard if sure else self.unsure.add)(topic)

    def check_all_told(self, lasting: Set[str], at: datetime) -> None:
        """Check that what lasts was told, is told again each day, and what is over as well."""
        for topic in lasting:
            kind, _, heard_at = self.last.get(topic, ("all_clear", at, at))
            check(kind != "all_clear", f"nobody was told of {topic}")
            check(at - heard_at < REMIND_AFTER, f"nobody was reminded of {topic}", heard_at, at)
        for topic, (kind, _, _) in self.last.items():
            check(topic in lasting or kind == "all_clear", f"nobody was told that {topic} is over", at)
