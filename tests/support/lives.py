"""Communities with a past: ten days with a bit of everything, five weeks, and half a year."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from trc_engage import Engage, SourceError
from trc_engage.core.incidents import SentNotice
from trc_engage.core.ports import Store
from trc_engage.core.posting import Posting

from .community import IDS, MONDAY, Community, opened

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@cache
def ten_days() -> bytes:
    """Return a store of ten days: seven members, all kinds of entries, statuses, runs, slots, a lease and a notice."""
    with TemporaryDirectory() as folder:
        with opened("sqlite", Path(folder)) as ledger:
            _live_ten_days(Community(ledger))
        return Path(folder, "engage.db").read_bytes()


def _live_ten_days(community: Community) -> None:
    engage = community.engage
    community.enroll("ada", "bo", "cy", "dee", "eli", "fay", "gus")
    community.sync(ada=1_000, bo=500, cy=3_000, eli=50, fay=70, gus=80)
    for number in range(10):
        community.sync(timedelta(hours=1), ada=1_250 + 150 * number, bo=560 + 60 * number, dee=120 * number)
        community.award("bo", f"run:{number}")
        engage.run_due()
        community.now = datetime.combine(community.now.date() + DAY, time(), UTC)
        engage.run_due()
        engage.settle()
        community.now += timedelta(hours=9)
    community.sync(cy=2_750)
    engage.reverse("run:3", reason="withdrawn", by="admin")
    engage.adjust("ada", points=-3, key="fix:1", reason="typo", by="admin")
    engage.excuse((community.now - 3 * DAY).date(), reason="a holiday", by="admin")
    engage.leave("eli")
    engage.rejoin("eli")
    community.sync(eli=20)
    engage.forget("fay")
    engage.unlink("gus")
    engage.enroll("hal", discord_id=IDS["gus"])
    community.ledger.post(Posting(community.now, sent=[SentNotice("log", "source", "alert", MONDAY, community.now)]))
    community.ledger.lease("run", community.now, community.now + DAY)


NOW = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
"""A Thursday, at the end of the five weeks; Wednesday is settled."""
FIRST_MONDAY = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)
FOUR = {"m-1": "80351110224678901", "m-2": "80351110224678902", "m-3": "80351110224678903", "m-4": "80351110224678904"}
NAMES = {"m-1": "Ada", "m-2": "Grace\x1b[31m", "m-3": "Barbara", "m-4": "Dennis"}
HOLIDAY = date(2026, 2, 16)


@cache
def five_weeks() -> bytes:
    """Return the file of a store in which four members lived through five weeks, until `NOW`."""
    with TemporaryDirectory() as folder:
        with opened("sqlite", Path(folder)) as ledger:
            _live_five_weeks(four_in(ledger))
        return Path(folder, "engage.db").read_bytes()


def four_in(ledger: Store) -> Community:
    """Return a community of those four members."""
    community = Community(ledger, ids=FOUR)
    community.now, community.strangers = FIRST_MONDAY, 0
    community.xp = dict.fromkeys(FOUR, 1_000)
    return community


def _live_five_weeks(community: Community) -> None:
    """Ada chats every weekday but two, Grace on Mondays and Wednesdays, the others never."""
    engage = community.engage
    for member, discord_id in FOUR.items():
        engage.enroll(member, discord_id=discord_id, name=NAMES[member])
    engage.sync()
    for number in range((NOW - FIRST_MONDAY).days + 1):
        day = FIRST_MONDAY + timedelta(days=number)
        is_quiet = day.date() in {HOLIDAY, date(2026, 2, 11)} or day.weekday() == 6
        community.now = day.replace(hour=8, minute=45)
        engage.sync()
        engage.settle()
        community.chat("m-1", 0 if is_quiet else 120)
        community.chat("m-2", 40 if day.weekday() in {0, 2} else 0)
        community.now = day.replace(hour=9, minute=15)
        engage.sync()
    community.now = NOW
    engage.excuse(HOLIDAY, reason="Carnival", by="admin")
    community.award("m-1", "benchmark:991", points=50, at=datetime(2026, 3, 4, 17, tzinfo=UTC))
    engage.award("m-3", source="download", points=31, key="download:1", at=NOW)


HALF_YEAR_BEGINS = datetime(2025, 8, 25, 8, 0, tzinfo=UTC)
HALF_YEAR_ENDS = date(2026, 3, 5)
"""A Thursday; the story ends on its afternoon."""
CHRISTMAS = (date(2025, 12, 24), date(2025, 12, 25), date(2025, 12, 26))
SEED = 2026

PEOPLE = {
    "ada": "Ada Lovelace",
    "bo": "Böðvar Örn",
    "cy": "Cy Twombly",
    "dee": "דבורה",
    "eli": "Elif Şafak",
    "fay": "Νίκη",
    "gus": "Gus van Rossum-Díaz",
    "hal": "Hal",
    "ivy": "Ivy the Second of her Name, Keeper of Spreadsheets and of the Quarterly Forecast",
}
AWARDED = (
    "Margaret Hamilton", "Radia Perlman", "Katherine Johnson", "Edsger", "Barbara Liskov", "Hedy", "Grace Hopper",
    "Alan Kay", "Dennis", "Frances Allen", "محمد الخوارزمي", "Tim", "Leslie", "Shafi", "Whitfield", "Adele", "Ken",
    "Sister Mary Kenneth", "Donald", "Joan",
)  # fmt: skip
"""Members without a Discord account."""
STAR = "ada"
HABITS = {"ada": 0.97, "bo": 0.85, "cy": 0.6, "dee": 0.9, "eli": 0.75, "fay": 0.95, "gus": 0.3, "hal": 0.5, "ivy": 0.8}
"""How likely each member is to write on a weekday."""


def half_year(*, fails: bool = False) -> Engage:
    """Live the half year and return its `Engage`; with `fails`, MEE6 is down from the last evening past midnight."""
    community, chance = Community(), Random(SEED)
    engage = community.engage
    community.now = HALF_YEAR_BEGINS
    for name, called in PEOPLE.items():
        engage.enroll(name, discord_id=IDS[name], name=called)
    for number, called in enumerate(AWARDED):
        engage.enroll(f"m-{number + 101}", name=called)
    community.sync(HOUR, **dict.fromkeys(PEOPLE, 5_000))
    while community.now.date() < HALF_YEAR_ENDS:
        _live_a_day(community, chance)
    _live_today(community, chance)
    if fails:
        _fail(community)
    return engage


def _live_a_day(community: Community, chance: Random) -> None:
    """Live one day: people write, an evening sync; a morning sync and the settlement of the day."""
    today = community.now.date()
    if today == CHRISTMAS[0]:
        for day in CHRISTMAS:
            community.engage.excuse(day, reason="Christmas", by="admin")
    for name, habit in HABITS.items():
        likely = habit if today.weekday() < 5 else habit / 6
        if chance.random() < likely and not (today in CHRISTMAS and name != "fay"):
            community.chat(name, chance.randint(40, 320))
    _award(community, chance)
    community.sync(10 * HOUR)
    community.now = datetime.combine(today + DAY, community.now.time(), UTC).replace(hour=8)
    community.sync(timedelta())
    community.engage.settle()


def _award(community: Community, chance: Random) -> None:
    at = community.now
    if at.weekday() >= 5:
        return
    for number in range(len(AWARDED)):
        if chance.random() < 0.05 + 0.02 * (number % 7):
            member_id = f"m-{number + 101}"
            community.award(member_id, f"benchmark:{member_id}:{at:%F}", points=chance.choice((5, 10, 25)))
    if chance.random() < 0.12:
        community.award(STAR, f"benchmark:{STAR}:{at:%F}", points=25)
    if chance.random() < 0.08:
        community.engage.award(STAR, source="download", points=5, key=f"download:{at:%F}", at=at)


def _live_today(community: Community, chance: Random) -> None:
    """Let the first days of this month contain entries of each kind."""
    engage = community.engage
    community.award(STAR, "benchmark:wrong", points=40)
    community.now += HOUR
    engage.reverse("benchmark:wrong", reason="run twice by mistake", by="admin-7")
    engage.adjust(STAR, points=15, key="fix:17", reason="helped at the meet-up", by="admin-7")
    community.sync(HOUR, ada=community.xp["ada"] - 130)
    for name in ("ada", "bo", "fay"):
        community.chat(name, chance.randint(100, 300))
    community.sync(4 * HOUR)


def _fail(community: Community) -> None:
    """Take MEE6 down from the evening on, through midnight."""
    community.trouble = SourceError("down", "MEE6 answered 502 Bad Gateway three times; try again later")
    for _ in range(14):
        community.now += HOUR
        community.engage.run_due()
    community.now += timedelta(minutes=5)
