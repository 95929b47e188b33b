"""When what happens: the same events in five weeks as in a year, only closer together."""

from datetime import UTC, date, datetime, time, timedelta

from attrs import define, field

from .outages import Outage

STARTS = datetime(2026, 1, 5, 8, tzinfo=UTC)
"""A Monday."""
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
SUNDAY, TUESDAY, WEDNESDAY = 6, 1, 2


@define
class Calendar:
    """The events of a life of this many weeks."""

    weeks: int
    errors: Outage = field(init=False)
    migrated_at: datetime = field(init=False)
    private: Outage = field(init=False)
    renewed_at: datetime = field(init=False)
    """When the admin sets the address of a new webhook; the old one died when the board became private."""
    restored_at: datetime = field(init=False)
    """Two days after a backup."""
    refused: Outage = field(init=False)
    holiday: date = field(init=False)
    ends_at: datetime = field(init=False)

    def __attrs_post_init__(self) -> None:
        errors, private, refused = (self._at(0.12, 11), self._at(0.31, 7), self._at(0.65, 13))
        self.errors = Outage("status 500", errors, errors + timedelta(hours=6))
        self.migrated_at = self._at(0.23, 10)
        self.private = Outage("a private board", private, private + timedelta(hours=26))
        self.renewed_at = private + timedelta(hours=12)
        self.restored_at = self._at(0.40, 10, weekday=TUESDAY)
        self.refused = Outage("connections refused", refused, refused + 3 * DAY)
        self.holiday = self._at(0.5, 0, weekday=WEDNESDAY).date()
        self.ends_at = datetime.combine(STARTS.date(), time(0, 10), UTC) + self.weeks * WEEK

    def _at(self, share: float, hour: int, weekday: int | None = None) -> datetime:
        """Return twenty past an hour on the day at a share of the life, or on the next such weekday."""
        day = STARTS.date() + round(share * self.weeks * 7) * DAY
        while weekday is not None and day.weekday() != weekday:
            day += DAY
        return datetime.combine(day, time(hour, 20), UTC)

    def each(self, weekday: int, at: time) -> list[datetime]:
        """Return every instant at this time on this weekday."""
        return [datetime.combine(day, at, UTC) for day in self.days if day.weekday() == weekday]

    @property
    def days(self) -> list[date]:
        """Every day of the life."""
        return [STARTS.date() + number * DAY for number in range(self.weeks * 7)]

    @property
    def quiet_days(self) -> list[date]:
        """Days on which the daemon neither starts nor meets trouble."""
        noisy = {STARTS.date(), self.migrated_at.date(), self.renewed_at.date(), self.restored_at.date()}
        for outage in (self.errors, self.private, self.refused):
            noisy |= {day for day in self.days if outage.since.date() <= day <= outage.until.date()}
        return [day for day in self.days if day not in noisy]
