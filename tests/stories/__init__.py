"""Stories of streaks and how they end.

Read in this order: `language`, `steps`, then the tables: `weeks`, `calendars`, `outages`, `boards`, `by_hand`,
`absences`.
"""

from .absences import ABSENCES, MISTAKES
from .boards import BOARDS, COMINGS
from .by_hand import AWARDS, REVERSALS
from .calendars import ALONE, CALENDARS, HOLIDAYS
from .language import Case, Story
from .outages import FROZEN, OUTAGES
from .weeks import MIDNIGHTS, WEEKS

TABLES = (
    WEEKS,
    MIDNIGHTS,
    CALENDARS,
    HOLIDAYS,
    ALONE,
    OUTAGES,
    FROZEN,
    BOARDS,
    COMINGS,
    AWARDS,
    REVERSALS,
    ABSENCES,
    MISTAKES,
)

__all__ = ["TABLES", "Case", "Story"]
