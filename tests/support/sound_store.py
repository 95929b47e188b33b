"""A store with a bit of everything in it."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from trc_engage.core.incidents import SentNotice
from trc_engage.core.posting import Posting

from .community import IDS, MONDAY, Community, opened

DAY = timedelta(days=1)


@cache
def sound_file() -> bytes:
    """Return a store of ten days: seven members, all kinds of entries, statuses, runs, slots, a claim and a notice."""
    with TemporaryDirectory() as folder:
        with opened("sqlite", Path(folder)) as ledger:
            _live(Community(ledger))
        return Path(folder, "engage.db").read_bytes()


def _live(community: Community) -> None:
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
