"""Half a year of a community, for pages to tell of."""

from datetime import UTC, date, datetime, timedelta
from random import Random

from trc_engage import Engage, SourceError

from .community import IDS, Community

BEGINS = datetime(2025, 8, 25, 8, 0, tzinfo=UTC)
ENDS = date(2026, 3, 5)
"""A Thursday; the scene stands at its afternoon."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
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
"""Who has no Discord account."""
STAR = "ada"
HABITS = {"ada": 0.97, "bo": 0.85, "cy": 0.6, "dee": 0.9, "eli": 0.75, "fay": 0.95, "gus": 0.3, "hal": 0.5, "ivy": 0.8}
"""How likely each is to write on a weekday."""


def lived(*, fails: bool = False) -> Engage:
    """Live the half year, and return what tells of it; at its end the board may be down, past midnight."""
    community, chance = Community(), Random(SEED)
    engage = community.engage
    community.now = BEGINS
    for name, called in PEOPLE.items():
        engage.enroll(name, discord_id=IDS[name], name=called)
    for number, called in enumerate(AWARDED):
        engage.enroll(f"m-{number + 101}", name=called)
    community.sync(HOUR, **dict.fromkeys(PEOPLE, 5_000))
    while community.now.date() < ENDS:
        _live(community, chance)
    _live_today(community, chance)
    if fails:
        _fail(community)
    return engage


def _live(community: Community, chance: Random) -> None:
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
    """Let this month's first days hold something of each kind."""
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
    """Let MEE6 be down from the evening on, through midnight."""
    community.trouble = SourceError("down", "MEE6 answered 502 Bad Gateway three times; try again later")
    for _ in range(14):
        community.now += HOUR
        community.engage.run_due()
    community.now += timedelta(minutes=5)
