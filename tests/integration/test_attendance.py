"""Simulated weeks of members who come and go, judged by an oracle of membership, which catches planted bugs."""

from collections.abc import Callable

import pytest

from mutants.attendance import BUGS
from simulation import attendance

SEEDS = range(12)
"""A planted bug shows in at least one of these lives."""


@pytest.mark.parametrize("seed", [1, 2])
def test_a_life_is_as_it_should_be(seed: int) -> None:
    """The oracle finds nothing wrong in weeks in which members come and go and Discord has faults."""
    attendance.live(seed)


@pytest.mark.parametrize("plant", BUGS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_caught(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle objects to each planted bug in at least one of twelve lives."""
    plant(monkeypatch)
    for seed in SEEDS:
        try:
            attendance.live(seed)
        except AssertionError as objection:
            assert str(objection)  # noqa: PT017  whichever life it is
            return
    pytest.fail("no life showed it")
