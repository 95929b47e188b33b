"""Stories of streaks: what happens, and the streak that should result (R11-R16)."""

from pathlib import Path

import pytest

from stories import TABLES, Case, Story
from support import streak_oracle
from support.community import LEDGERS, opened
from trc_engage.core import streaks

STORIES = {name: case for table in TABLES for name, case in table.items()}


@pytest.mark.parametrize("kind", LEDGERS)
@pytest.mark.parametrize("case", STORIES.values(), ids=STORIES.keys())
def test_a_story_ends_with_the_streak_it_should(case: Case, kind: str, tmp_path: Path) -> None:
    """A story ends with the expected streak on every ledger, stored as recomputed and as the oracle says (R14)."""
    with opened(kind, tmp_path) as ledger:
        story = Story(ledger, case.begins)
        for step in case.steps:
            step(story)
        ending, active, stored = story.ending(case.who), story.active(case.who), ledger.streak_of(case.who)
        calendar = ledger.calendar(case.who)
    assert case.ending == {key: value for key, value in ending.items() if key in case.ending}
    assert stored == streaks.recomputed(stored, active, calendar)
    told = (active, calendar.excused | calendar.alone, calendar.settled_through)
    assert (ending["current"], ending["longest"]) == (streak_oracle.current(*told), streak_oracle.longest(*told))


def test_no_story_hides_another() -> None:
    """Every story has a name of its own, and there are at least 60."""
    assert len(STORIES) == sum(len(table) for table in TABLES)
    assert len(STORIES) >= 60
