"""A sample of all interleavings, and the bugs that they find (`tox -e interleave` plays all of them)."""

import pytest

from interleavings.bugs import BUGS, BUGS_OF_RUNS
from interleavings.lease import breaches, visit
from interleavings.replay import replayed_all, shown
from interleavings.search import Case, caught, look
from support.community import LEDGERS

BUGS_MIN = 12
LAST, STATES = 2, 1_897
"""The last instant of the model, and how many states it has up to then."""
SHORT = 1
"""The instant up to which the code plays the model's transitions here."""


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("sqlite", ("award", "settlement")),
        ("sqlite", ("late award", "reversal")),
        ("sqlite", ("runner", "unlink")),
        ("postgres", ("award", "settlement")),
    ],
)
def test_two_actors_with_up_to_two_preemptions_lead_to_what_some_order_of_them_leads_to(
    kind: str, names: tuple[str, str]
) -> None:
    """Two preempted actors end as in one of their orders: sound, without gaps, with exact points and streaks."""
    found = look(Case(kind, names))
    assert found.breaches == []
    assert set(found.schedules) == {0, 1, 2}


def test_three_actors_with_more_preemptions_do_so_too() -> None:
    """A few random schedules of three actors break no promise either."""
    assert look(Case("sqlite", ("runner", "late runner", "award"), sample=3)).breaches == []


def test_places_that_nobody_can_tell_apart_are_one() -> None:
    """Preempting before every statement shows the same outcomes as preempting before those that count."""
    names = ("award", "settlement")
    few, all_of_them = look(Case("sqlite", names)), look(Case("sqlite", names, every=True))
    assert all_of_them.breaches == []
    assert all_of_them.outcomes == few.outcomes
    assert all_of_them.schedules.total() > 2 * few.schedules.total()


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_shows(name: str) -> None:
    """Each planted bug shows with one or two preemptions, and not without."""
    preemptions, breach = caught(name)
    assert preemptions in {1, 2}
    assert breach
    assert len(BUGS) >= BUGS_MIN


def test_no_state_of_the_model_breaks_a_promise() -> None:
    """No transition among the model's 1,897 states breaks a promise."""
    graph = visit(LAST)
    assert len(graph) == STATES
    assert [
        breach
        for state, onward in graph.items()
        for step, after in onward.items()
        for breach in breaches(state, step, after)
    ] == []


@pytest.mark.parametrize("kind", LEDGERS[:2])
def test_the_code_takes_every_transition_of_the_model(kind: str) -> None:
    """After each transition, the code has the same leases, waits, slots and failures as the model."""
    assert replayed_all(kind, SHORT).differences == []


@pytest.mark.parametrize("name", BUGS_OF_RUNS)
def test_a_bug_that_is_planted_in_the_code_shows_against_the_model(name: str) -> None:
    """A planted bug makes the code differ from the model, so that they cannot drift apart unnoticed."""
    assert shown(name, LAST)
