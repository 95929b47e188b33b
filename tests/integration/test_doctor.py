"""`trc-engage doctor` names all damage, writes nothing unless asked to repair, and rebuilds only what is derived."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest

from support.command import Operator
from support.community import NAMES, QUARTER, Community, opened
from support.damage import Damage
from support.damages import DAMAGES
from support.lives import ten_days
from trc_engage import LedgerFailed
from trc_engage.adapters.sql.audit import Survey
from trc_engage.adapters.sql.tables import TABLES
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.usecases.audit import audit

FLIPS = 150


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return an operator with a sound store."""
    operator = Operator(tmp_path)
    store(operator).write_bytes(ten_days())
    return operator


def store(operator: Operator) -> Path:
    """Return the path of the operator's store."""
    return operator.folder / "engage.db"


def script(path: Path, statements: str) -> None:
    """Run SQL statements on a store."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(statements)


def content(path: Path, leave_out: Iterable[str] = ()) -> list[str]:
    """Return everything in a file except some tables."""
    with closing(sqlite3.connect(path)) as connection:
        return [line for line in connection.iterdump() if not any(f'INTO "{name}"' in line for name in leave_out)]


def test_every_table_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit reads every table, since damage to one that it does not read would stay unnoticed."""
    words: set[str] = set()

    def rows(self: Survey, table: str, statement: str, *values: Any) -> Iterator[Any]:
        words.update(re.findall(r"\w+", statement))
        yield from found(self, table, statement, *values)

    found = Survey.rows
    monkeypatch.setattr(Survey, "rows", rows)
    with opened("sqlite", tmp_path) as ledger:
        assert audit(ledger).is_healthy
    assert set(TABLES) - words == set()


def test_a_sound_store_is_well(operator: Operator) -> None:
    """For a sound store the doctor prints one line, of text or JSON, and ends with exit code 0."""
    ran, told = operator.run("doctor"), operator.call("doctor", "--json")
    assert (ran.code, ran.out, ran.err) == (0, "audited 8 members, 8 accounts, 46 entries: all is well\n", "")
    assert (told.code, told.json) == (
        0,
        {"healthy": True, "breaches": [], "audited": {"members": 8, "accounts": 8, "entries": 46}},
    )


def test_enough_kinds_of_damage_are_tried() -> None:
    """There are at least 25 kinds of damage, each with its own name."""
    assert len({damage.name for damage in DAMAGES}) == len(DAMAGES) >= 25


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name.replace(" ", "-"))
def test_damage_is_found_and_named(operator: Operator, damage: Damage) -> None:
    """Each kind of damage is reported under its check with where it is, without a member's name; nothing is written."""
    damage.on(store(operator))
    before = store(operator).read_bytes()
    ran = operator.call("doctor", "--json")
    assert ran.code == 1
    found = [breach for breach in ran.json["breaches"] if breach["check"] == damage.check]
    assert any(damage.told in breach["message"] for breach in found), ran.json["breaches"]
    assert ran.err == ""
    assert store(operator).read_bytes() == before
    assert not any(secret in ran.out for secret in ("Ada#1", "8035111022467890", *(name.title() for name in NAMES)))


def test_damage_is_told_to_people(operator: Operator) -> None:
    """Damage is listed by check, with what `--repair` rebuilds and what only a backup brings back."""
    script(store(operator), "UPDATE balances SET points = 7 WHERE member_id = 'bo' AND source = 'benchmark'")
    script(store(operator), "UPDATE discord_activity SET xp_total = 9999, xp_high = 9999 WHERE account_id = 3")
    ran = operator.call("doctor")
    assert (ran.code, ran.out.splitlines()) == (
        1,
        [
            "audited 8 members, 8 accounts, 46 entries: 2 breaches",
            "account:",
            "  account 3: floor((XP 9999 - baseline 3000) / 100) is 69, expected -3, the sum of its entries",
            "balance:",
            "  member 'bo': the balance of 'benchmark' is 7, expected 90, the sum of its entries",
            "run `trc-engage doctor --repair` to rebuild balances; it changes nothing else",
            "to recover the rest, run `trc-engage restore FILE` with a backup that the doctor finds sound",
        ],
    )


def test_many_breaches_fit_on_a_screen(operator: Operator) -> None:
    """If a check fails often, only some of its breaches are shown, with how many more there are, in under 20 lines."""
    script(store(operator), "UPDATE runs SET points = points + 1")
    lines = operator.call("doctor").out.splitlines()
    assert lines[-2].startswith("  … and ")
    assert len(lines) < 20


def test_what_is_derived_is_rebuilt(operator: Operator) -> None:
    """`--repair` rebuilds balances and streaks, shows each before and after, and changes nothing else."""
    sound = content(store(operator))
    script(store(operator), "UPDATE balances SET points = 7 WHERE member_id = 'bo' AND source = 'benchmark'")
    script(store(operator), "INSERT INTO balances VALUES ('cy', 'nothing', 4)")
    script(store(operator), "UPDATE monthly_balances SET points = 8 WHERE member_id = 'bo'")
    script(store(operator), "DELETE FROM monthly_balances WHERE member_id = 'ada'")
    script(store(operator), "UPDATE streaks SET last = 'soon' WHERE member_id = 'ada'")
    script(store(operator), "DELETE FROM streaks WHERE member_id = 'bo'")
    derived = ("balances", "monthly_balances", "streaks", "streak_changes", "sqlite_sequence")
    others = content(store(operator), derived)
    ran = operator.call("doctor", "--repair")
    assert (ran.code, ran.out.splitlines()) == (
        0,
        [
            "rebuilt 6 values:",
            "  member 'bo': the balance of 'benchmark': 7 → 90",
            "  member 'cy': the balance of 'nothing': 4 → 0",
            "  member 'ada': the balance of 2026-03: 0 → 13",
            "  member 'bo': the balance of 2026-03: 8 → 96",
            "  member 'ada': the streak: none (longest 0) → 8 to 2026-03-11 (longest 8)",
            "  member 'bo': the streak: none (longest 0) → 8 to 2026-03-11 (longest 8)",
            "audited 8 members, 8 accounts, 46 entries: all is well",
        ],
    )
    assert content(store(operator), derived) == others
    for mended in ("'bo','benchmark'", "'2026-03-01','ada'", "'2026-03-01','bo'"):
        rows = [line for line in content(store(operator)) if mended in line]
        assert rows == [line for line in sound if mended in line] != []
    again = operator.call("doctor", "--repair", "--json")
    assert (again.code, again.json["rebuilt"], again.json["healthy"]) == (0, [], True)


def test_search_words_are_rebuilt(operator: Operator) -> None:
    """If only search words are wrong, the doctor names `--repair` and no backup, and `--repair` rebuilds them."""
    script(store(operator), "UPDATE name_words SET word = 'zoe' WHERE member_id = 'bo'")
    ran = operator.call("doctor")
    assert (ran.code, ran.out.splitlines()[1:]) == (
        1,
        [
            "name:",
            "  member 'bo': the words of the name is others, expected its own",
            "run `trc-engage doctor --repair` to rebuild search words; it changes nothing else",
        ],
    )
    assert operator.call("doctor", "--repair").code == operator.call("doctor").code == 0


def test_what_cannot_be_rebuilt_is_said(operator: Operator) -> None:
    """`--repair` rebuilds a balance but cannot rebuild an account, whose breach remains, with exit code 1."""
    script(store(operator), "UPDATE balances SET points = 7 WHERE member_id = 'bo' AND source = 'benchmark'")
    script(store(operator), "UPDATE discord_activity SET xp_high = 0 WHERE account_id = 1")
    ran = operator.call("doctor", "--repair", "--json")
    assert ran.code == 1
    assert [breach["check"] for breach in ran.json["breaches"]] == ["account"]
    assert ran.json["rebuilt"] == [
        {
            "check": "balance",
            "subject": "member 'bo'",
            "what": "the balance of 'benchmark'",
            "before": "7",
            "after": "90",
        }
    ]


@pytest.mark.parametrize(
    "name", ["an entry removed", "more points for a gain", "an unknown kind", "evidence removed", "a page of rubbish"]
)
def test_nothing_is_rebuilt_from_damage(operator: Operator, name: str) -> None:
    """`--repair` rebuilds nothing from damaged entries or evidence, since balances and streaks may still be right."""
    (damage,) = (damage for damage in DAMAGES if damage.name == name)
    damage.on(store(operator))
    before = store(operator).read_bytes()
    ran = operator.call("doctor", "--repair")
    assert (ran.code, ran.out.splitlines()[0]) == (1, "rebuilt: nothing")
    assert "restore FILE" in ran.out
    assert store(operator).read_bytes() == before


def test_a_store_that_is_not_there_is_not_made(operator: Operator) -> None:
    """The doctor does not create a store where there is none, and neither does the library; both say so."""
    store(operator).unlink()
    ran = operator.call("doctor")
    assert (ran.code, "there is no store" in ran.err, store(operator).exists()) == (74, True, False)
    with pytest.raises(LedgerFailed, match="there is no store"):
        SqliteLedger.open_read_only(store(operator))


def test_nothing_can_be_written_through_an_untouched_file(operator: Operator) -> None:
    """A store that is opened read-only refuses to rebuild balances."""
    with SqliteLedger.open_read_only(store(operator)) as ledger, pytest.raises(LedgerFailed, match="readonly"):
        ledger.rebalance()


@pytest.mark.parametrize(
    ("kind", "unlock"),
    [
        ("sqlite", "DROP TRIGGER entries_are_never_deleted"),
        ("postgres", "SET LOCAL session_replication_role = replica"),
    ],
)
def test_entries_that_are_missing_are_missed(kind: str, unlock: str, tmp_path: Path) -> None:
    """In every database the doctor misses entries whose points add up to nothing and that nothing else refers to."""
    with opened(kind, tmp_path) as ledger:
        community = Community(ledger).begun()
        engage, at = community.engage, community.now
        engage.award("ada", source="bonus", points=3, key="bonus:1", at=at, counts_as_activity=False)
        engage.reverse("bonus:1", reason="a mistake", by="admin")
        community.award("ada", "run:1")
        assert audit(ledger).is_healthy
        with ledger._database.transaction() as connection:  # type: ignore[attr-defined]
            connection.execute(unlock)
            connection.execute("DELETE FROM entries WHERE source = 'bonus' AND kind = 'reversal'")
            connection.execute("DELETE FROM entries WHERE source = 'bonus'")
        assert "the number of entries up to position" in audit(ledger).breaches[-1].message
        assert {one.check for one in audit(ledger).breaches} <= {"schema", "order"}


def test_bytes_that_flip_never_stop_the_doctor(operator: Operator) -> None:
    """Wherever bytes flip, the audit ends without an error and leaves the file as it is."""
    random, breaches = Random(5), 0
    for _ in range(FLIPS):
        damaged = bytearray(ten_days())
        for _ in range(random.choice([1, 3, 20])):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        store(operator).write_bytes(damaged)
        with SqliteLedger.open_read_only(store(operator)) as ledger:
            breaches += not audit(ledger).is_healthy
        assert store(operator).read_bytes() == damaged
    assert breaches > FLIPS // 3


KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE members SET name = printf('%900d', 1) WHERE name IS NOT NULL")
connection.execute("UPDATE balances SET points = 7")
connection.execute("UPDATE discord_activity SET discord_id = printf('%900d', account_id)")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_half_written_is_no_breach(operator: Operator) -> None:
    """A transaction that a killed process left unfinished is rolled back, and the doctor finds nothing."""
    subprocess.run([sys.executable, "-c", KILLED, store(operator)], check=False)
    journal = store(operator).with_name("engage.db-journal")
    assert journal.stat().st_size > 0
    assert store(operator).read_bytes() != ten_days()
    ran = operator.call("doctor")
    assert (ran.code, ran.out) == (0, "audited 8 members, 8 accounts, 46 entries: all is well\n")


def test_a_store_in_use_is_well_all_the_time(tmp_path: Path) -> None:
    """While another thread syncs, awards and settles, 25 audits find nothing."""
    begun, done = Event(), Event()

    def live() -> None:
        with opened("sqlite", tmp_path) as ledger:
            community = Community(ledger)
            community.enroll("ada", "bo", "cy")
            step = 0
            while not done.is_set():
                step += 1
                community.sync(QUARTER * 9, ada=50 * step, bo=130 * step, cy=1_000 - step)
                community.award("ada", f"run:{step}", at=community.now - 9 * QUARTER)
                community.engage.settle()
                begun.set()

    writer = Thread(target=live)
    writer.start()
    try:
        assert begun.wait(30)
        with SqliteLedger.open_read_only(tmp_path / "engage.db") as ledger:
            audits = [audit(ledger) for _ in range(25)]
    finally:
        done.set()
        writer.join()
    assert [breach.message for one in audits for breach in one.breaches] == []
    assert audits[0].entries < audits[-1].entries
