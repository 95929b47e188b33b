"""What PostgreSQL says in its own words, whoever's connection it is."""

from ..sql.session import Session
from .opening import BULK_SECONDS
from .place import Place
from .staging import fill, merge, own, stage

# The key leads with the day, so that a member's own days are looked up one by one, and nobody else's are read.
DISCORD_EVIDENCE = """
WITH held AS (SELECT min(day) AS first, max(day) AS last FROM discord_days),
bounds AS (
    SELECT greatest(CAST(:first AS date), first) AS first, least(CAST(:last AS date), last) AS last
    FROM held WHERE first IS NOT NULL
)
SELECT mine.day, mine.account_id, mine.opens_at, mine.closes_at
FROM bounds
    CROSS JOIN generate_series(0, bounds.last - bounds.first) AS later
    CROSS JOIN LATERAL (
        SELECT * FROM discord_days WHERE day = bounds.first + later AND member_id = :member OFFSET 0
    ) AS mine
"""

SIZE = """
SELECT CAST(coalesce(sum(pg_total_relation_size(oid)), 0) AS BIGINT) FROM pg_class
WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind = 'r'
"""


class Statements:
    """The part of `Sessions` that is the same for a pool and for a caller's connection."""

    discord_evidence = DISCORD_EVIDENCE
    stage = staticmethod(stage)
    merge = staticmethod(merge)
    fill = staticmethod(fill)

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def place(self) -> str:
        """Where the store is, without any password."""
        return self._place.shown

    def be_patient(self, session: Session, /) -> None:
        """Let what the session does from here on take as long as a claim holds."""
        own(session).be_patient(BULK_SECONDS)

    def size_bytes(self, session: Session, /) -> int:
        """Return how much room tables and indices take."""
        (size,) = session.execute(SIZE, {"schema": self._place.quoted_schema}).fetchone()
        return int(size)
