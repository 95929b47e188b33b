"""Keys and ids that look like another one are refused (R29), and instants are read as programs write them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.command import Operator
from support.community import MONDAY
from support.postgres import opened_postgres
from support.visitor import BEARER, alone
from trc_engage import Engage, InvalidValue
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core.boards import Board
from trc_engage.core.model import Member
from trc_engage.core.ports import Store
from trc_engage.core.posting import Posting, drafted


def store_of(operator: Operator) -> Path:
    """Return the path of an operator's store."""
    return Path(operator.env["TRC_ENGAGE_STORE"])


COMPOSED, IN_PARTS = "caf\u00e9", "cafe\u0301"
MISSPELT = {
    "a blank at the end": "benchmark:991 ",
    "a blank at the beginning": " benchmark:991",
    "an accent of its own": IN_PARTS,
    "a variation selector": "benchmark:991\ufe0f",
    "a filler": "benchmark\u3164:991",
    "a grapheme joiner": "benchmark:\u034f991",
    "a Kelvin sign": "\u212a1",
}
UNPRINTABLE = {
    "a zero-width joiner": "bench\u200dmark",
    "a byte order mark": "\ufeffbenchmark",
    "a no-break space at the end": "benchmark\u00a0",
    "a soft hyphen": "bench\u00admark",
    "a mark from right to left": "benchmark\u200f",
    "a tab inside": "bench\tmark",
    "a line's end": "benchmark\u2028",
    "private use": "bench\ue000",
}
PROPER = ["benchmark:991", COMPOSED, "a  b", "\uff21\uff11", "\u6771\u4eac", "\U0001f600", "..."]
ODD = MISSPELT | UNPRINTABLE


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Yield an empty store of each kind."""
    if request.param == "postgres":
        with opened_postgres() as opened:
            yield opened
    elif request.param == "sqlite":
        with SqliteLedger.open(tmp_path / "engage.db") as opened_file:
            yield opened_file
    else:
        yield MemoryLedger()


@pytest.fixture
def engage(ledger: Store) -> Engage:
    """Return an `Engage` on it, with Ada enrolled."""
    made = Engage(ledger=ledger, clock=lambda: MONDAY)
    made.enroll("ada")
    return made


class NeverRead:
    """A source that must not be read."""

    def read(self, sought: frozenset[str]) -> Board:
        """Fail the test."""
        raise AssertionError(sought)


@pytest.mark.parametrize("decision", ["accept_drops", "rebase_drops", "adopt_board"])
def test_who_decides_about_a_board_is_nobody_else(ledger: Store, decision: str) -> None:
    """An actor who could be mistaken for another one decides nothing, and the board is not even read (R27)."""
    engage = Engage(ledger=ledger, source=NeverRead(), clock=lambda: MONDAY)
    with pytest.raises(InvalidValue, match="by"):
        engage.sync(**{decision: True}, by="admin-7 ", reason="a new season")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_what_another_could_be_mistaken_for_names_nothing_new(engage: Engage, value: str) -> None:
    """A new key, source, actor or member id that looks like another one is refused, and nothing is written."""
    with pytest.raises(InvalidValue, match=r"^key: "):
        engage.award("ada", source="benchmark", points=5, key=value, at=MONDAY)
    with pytest.raises(InvalidValue, match=r"^source: "):
        engage.award("ada", source=value, points=5, key="k", at=MONDAY)
    with pytest.raises(InvalidValue, match=r"^key: "):
        engage.adjust("ada", points=5, key=value, reason="typo", by="admin-7")
    with pytest.raises(InvalidValue, match=r"^by: "):
        engage.adjust("ada", points=5, key="k", reason="typo", by=value)
    with pytest.raises(InvalidValue, match=r"^by: "):
        engage.award("ada", source="benchmark", points=5, key="k", at=MONDAY, by=value)
    with pytest.raises(InvalidValue, match=r"^member_id: "):
        engage.enroll(value)
    assert engage.feed() == []
    assert [one.member_id for one in engage.members()] == ["ada"]


@pytest.mark.parametrize("value", [".", ".."])
def test_an_id_that_no_address_can_end_in_is_taken_for_nobody_new(engage: Engage, value: str) -> None:
    """`.` and `..` are refused as member ids, because browsers and servers take them for folders."""
    with pytest.raises(InvalidValue, match="member_id"):
        engage.enroll(value)


@pytest.mark.parametrize("value", PROPER)
def test_whatever_is_what_it_looks_like_is_taken(engage: Engage, value: str) -> None:
    """Letters of all scripts, inner blanks, symbols, and full-width letters, which NFC keeps, are accepted."""
    assert engage.enroll(value).outcome == "enrolled"
    assert engage.award(value, source=value, points=5, key=value, at=MONDAY).outcome == "awarded"
    assert engage.adjust(value, points=5, key=f"{value}:2", reason=" typo ", by=value).outcome == "adjusted"


@pytest.mark.parametrize("value", MISSPELT.values(), ids=MISSPELT)
def test_what_stands_already_still_resolves(ledger: Store, engage: Engage, value: str) -> None:
    """Keys, sources and ids from before this rule still work: a repeat, an award, a reversal and a rename."""
    draft = drafted("award", value, value, 5, MONDAY.date(), MONDAY, value)
    ledger.post(Posting(MONDAY, members=[Member(value, None, MONDAY)]))
    ledger.post(Posting(MONDAY, drafts=[draft]))
    assert engage.award(value, source=value, points=5, key=value, at=MONDAY).outcome == "unchanged"
    assert engage.award(value, source="benchmark", points=5, key="new", at=MONDAY).outcome == "awarded"
    assert engage.reverse(value, reason="withdrawn", by="admin-7").outcome == "reversed"
    assert engage.reverse(value, reason="withdrawn", by=value).outcome == "unchanged"
    assert engage.enroll(value, name="Ada").outcome == "updated"
    assert engage.standing(value).points == 5


def test_an_adjustment_told_again_by_a_misspelt_actor_is_unchanged(engage: Engage) -> None:
    """An adjustment that is repeated by a misspelled actor is unchanged, because the actor is not part of its key."""
    engage.adjust("ada", points=5, key="k", reason="typo", by="admin-7")
    assert engage.adjust("ada", points=5, key="k", reason="typo", by="admin-7 ").outcome == "unchanged"


def test_an_import_strips_and_composes(tmp_path: Path) -> None:
    """An import strips blanks and composes letters, so that a spreadsheet's spelling does not enroll a member twice."""
    operator = Operator(tmp_path)
    (tmp_path / "first.csv").write_text(f"member_id,name\n {COMPOSED} ,Ada\nm-2,Bob\n", encoding="utf-8")
    operator.call("members", "import", "first.csv")
    (tmp_path / "again.csv").write_text(f"member_id,name\n{IN_PARTS},Ada\n\u00a0m-2,Bob\n", encoding="utf-8")
    assert "2 unchanged" in operator.call("members", "import", "again.csv").out


@pytest.mark.parametrize("twin", [IN_PARTS, f"{COMPOSED} ", f"\u3000{COMPOSED}"])
def test_rows_that_coincide_once_they_are_read_are_errors(tmp_path: Path, twin: str) -> None:
    """Two rows whose ids become the same when they are read are an error with both lines."""
    operator = Operator(tmp_path)
    (tmp_path / "m.csv").write_text(f"member_id,name\n{COMPOSED},Ada\n{twin},Bob\n", encoding="utf-8")
    refused = operator.call("members", "import", "m.csv")
    assert (refused.code, "m.csv:3" in refused.err, "line 2" in refused.err) == (65, True, True)


def test_an_import_finds_whom_it_spells_as_he_stands(tmp_path: Path) -> None:
    """An import finds members with ids from before the rule as they are spelled, and a new `..` is a bad row."""
    operator = Operator(tmp_path)
    with SqliteLedger.open(store_of(operator)) as ledger:
        ledger.post(Posting(MONDAY, members=[Member(IN_PARTS, "Ada", MONDAY), Member(".", "Dot", MONDAY)]))
    (tmp_path / "m.csv").write_text(f"member_id,name\n{IN_PARTS},Ada\n.,Dot\n", encoding="utf-8")
    assert "2 unchanged" in operator.call("members", "import", "m.csv").out
    (tmp_path / "new.csv").write_text("member_id,name\nm-3,Eve\n..,Dots\n", encoding="utf-8")
    assert "new.csv:3: member_id" in operator.call("members", "import", "new.csv").err


AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
WRITTEN = {
    "2026-03-02T08:00:00.123456789Z": timedelta(microseconds=123456),
    "2026-03-02T08:00:00.1234567Z": timedelta(microseconds=123456),
    "2026-03-02T08:00:00.999999999999Z": timedelta(microseconds=999999),
    "2026-03-02T08:00:00.1Z": timedelta(microseconds=100000),
    "2026-03-02T09:00:00.123456789+01:00": timedelta(microseconds=123456),
    "2026-03-02T08:00:00,5Z": timedelta(microseconds=500000),
    "2026-03-02t08:00:00z": timedelta(0),
    "2026-03-02T08:00Z": timedelta(0),
    "2026-03-02 08:00:00+00": timedelta(0),
    "2026-03-02T03:00:00-0500": timedelta(0),
}
NO_INSTANT = [
    "2026-03-02T08:00:00",
    "2026-03-02",
    "2026-W10-1T08:00:00Z",
    "20260302T080000Z",
    "2026-03-02T08:00:60Z",
    "2026-02-30T08:00:00Z",
    "2026-03-02T08:00:00.Z",
    "2026-03-02T08:00:00Z ",
    "2026-03-02T08:00:00+25:00",
    "\uff12026-03-02T08:00:00Z",
    "2026-03-02T08:00:00." + "1" * 10_000 + "Z",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_an_instant_is_taken_as_programs_write_it(tmp_path: Path, text: str) -> None:
    """Instants are accepted as Go, Rust, Java, .NET, Ruby and SQL write them, cut to microseconds, never rounded."""
    operator = Operator(tmp_path)
    operator.call("members", "enroll", "ada")
    award = ("award", "ada", "--source", "benchmark", "--points", "5", "--key", "k", "--at", text)
    operator.call(*award)
    with SqliteLedger.open(store_of(operator)) as ledger:
        (entry,) = ledger.feed(after=0, limit=5)
    assert entry.at == AT + WRITTEN[text]


@pytest.mark.parametrize("text", NO_INSTANT, ids=lambda text: text[:30])
def test_what_names_no_instant_is_refused(tmp_path: Path, text: str) -> None:
    """A text that names no instant, such as one without a zone or on an impossible day, is refused."""
    operator = Operator(tmp_path)
    operator.call("members", "enroll", "ada")
    award = ("award", "ada", "--source", "benchmark", "--points", "5", "--key", "k", "--at", text)
    assert "at: " in operator.call(*award).err


def test_a_week_is_no_day(tmp_path: Path) -> None:
    """A day as a week date or without hyphens is refused on the command line."""
    operator = Operator(tmp_path)
    operator.call("members", "enroll", "ada")
    for text in ("2026-W10-1", "20260302"):
        assert text in operator.call("excuse", text, "--reason", "holiday", "--by", "a").err


@pytest.mark.parametrize("text", WRITTEN)
def test_the_api_takes_an_instant_as_the_command_line_does(engage: Engage, text: str) -> None:
    """The API and the command line accept the same forms of an instant."""
    sent = {"source": "benchmark", "points": 5, "key": "k", "at": text}
    response = alone(engage).ask("POST", "/api/members/ada/awards", json=sent, headers=BEARER)
    assert response.status_code == 201, response.text
    assert engage.feed()[0].at == AT + WRITTEN[text]


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_the_api_names_the_field_that_is_misspelt(engage: Engage, value: str) -> None:
    """A key that looks like another one gets a 422 that names the field, and again when it is repeated."""
    sent = {"source": "benchmark", "points": 5, "key": value, "at": "2026-03-02T08:00:00Z"}
    for _ in range(2):
        response = alone(engage).ask("POST", "/api/members/ada/awards", json=sent, headers=BEARER)
        assert (response.status_code, response.json()["field"]) == (422, "key")
