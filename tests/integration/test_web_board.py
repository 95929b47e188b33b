"""The HTML of the leaderboard and the search."""

from datetime import date
from functools import cache

from support.community import Community
from support.lives import AWARDED, PEOPLE, half_year
from support.pages import rows, shown
from support.visitor import alone
from trc_engage import Engage


@cache
def engage() -> Engage:
    """Return half a year of history, which the tests only read."""
    return half_year()


def test_the_board_shows_the_month_and_all_time() -> None:
    """Points and ranks equal the ledger's, equal points share a rank, and members without points are not listed."""
    visitor = alone(engage())
    for path, month in (("/", date(2026, 3, 1)), ("/?month=2026-01", date(2026, 1, 1)), ("/?month=all", None)):
        ranks = [rank for rank in engage().leaderboard(month=month) if rank.points]
        page = shown(visitor, path)
        told = [[rank, points] for rank, _, points in rows(page.one("table", class_="board"))]
        assert told == [[f"{rank.rank}", f"{rank.points:,}"] for rank in ranks]
        assert page.one("h1").words == (f"{month:%B %Y}" if month else "All time")


def test_months_lead_to_their_neighbours() -> None:
    """Links lead from month to month, back to the ledger's first month and on to the present one, but no further."""
    visitor, path, walked = alone(engage()), "/?month=2026-03&member=hal", []
    while True:
        page = shown(visitor, path)
        walked.append(page.one("h1").words)
        before = page.all("a", rel="prev")
        if not before:
            break
        path = before[0].attributes["href"]
    assert (walked[0], walked[-1], len(walked)) == ("March 2026", "August 2025", 8)
    assert path.endswith("month=2025-08&member=hal")
    assert len(shown(visitor, "/?month=2026-03").all("a", rel="next")) == 0
    assert shown(visitor, path).one("a", rel="next").words == "September 2025 →"


def test_the_own_place_is_shown_in_the_list_or_below_it() -> None:
    """The selected member's row is marked in the list; one outside the top or hidden has a row below it."""
    community = Community()
    for number in range(30):
        community.engage.enroll(f"m-{number}", name=f"M {number}")
        community.award(f"m-{number}", f"key:{number}", points=100 - number)
    community.engage.hide("m-3")
    visitor = alone(community.engage)
    listed = shown(visitor, "/?member=m-1").one("tr", class_="own")
    assert listed.words == "2 M 1 selected 99"
    outside = shown(visitor, "/?member=m-28").one("tr", class_="apart")
    assert outside.words == "28 M 28 72"
    hidden = shown(visitor, "/?member=m-3").one("tr", class_="apart")
    assert hidden.words == "4 M 3 left out of the list 97"
    assert "M 3" not in [row[1] for row in rows(shown(visitor, "/").one("table"))]


def test_a_month_without_points_says_so() -> None:
    """A board without points shows a sentence instead of an empty table."""
    community = Community()
    community.enroll("ada")
    page = shown(alone(community.engage), "/")
    assert (page.all("table"), "Nobody has points this month yet" in page.words) == ([], True)


def test_what_earns_points_is_told() -> None:
    """The host's values for awards are shown beside the rate for Discord."""
    told = [pair.words for pair in shown(alone(engage()), "/").one("dl").all("div")]
    earned = ["A benchmark 50 points", "A download 5 points"]
    assert told == ["Discord 1 point for each 100 XP; what is left over is carried", *earned]


def test_a_member_is_found_by_id_and_by_name() -> None:
    """An id or name that only one member has redirects to that member; otherwise the matches are listed."""
    visitor = alone(engage())
    for asked in ("m-101", "margaret", "LOVELACE", " hal "):
        answer = visitor.get("/members", params={"q": asked})
        assert (answer.status_code, answer.headers["location"][:9]) == (303, "/members/")
    found = shown(visitor, "/members?q=a").one("ul", class_="found").all("a")
    names = [*PEOPLE.values(), *AWARDED]
    assert {one.words for one in found} == {name for name in names if " a" in f" {name}".casefold()}
    assert "Nobody is called zz" in shown(visitor, "/members?q=zz").words
    for empty in ("", "%20", "%E2%80%8B"):
        assert shown(visitor, f"/members?q={empty}").all("ul", class_="found") == []


def test_who_is_hidden_is_found_by_id_only() -> None:
    """A hidden member is found by id, but not by name."""
    community = Community()
    community.enroll("ada", "bo")
    community.engage.hide("ada")
    visitor = alone(community.engage)
    assert visitor.get("/members?q=ada").status_code == 303
    assert shown(visitor, "/members?q=Ad").all("ul", class_="found") == []


def test_more_finds_than_fit_are_cut_and_said_so() -> None:
    """At most 25 matches are listed, and the page says that there may be more."""
    community = Community()
    for number in range(30):
        community.engage.enroll(f"m-{number}", name=f"Twin {number}")
    page = shown(alone(community.engage), "/members?q=twin")
    assert len(page.one("ul", class_="found").all("li")) == 25
    assert page.one("p", role="status").words == "25 found, and there may be more: type more of the name."
