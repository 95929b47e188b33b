"""How mutants are made and reported (`python -m mutation`)."""

from pathlib import Path

import pytest

from mutation.__main__ import tell
from mutation.operators import mutants_of, statements_of
from mutation.running import KILLED, SURVIVED

TEXT = '''
def paid(xp: int, *, whole=True) -> int:
    """Say "a thing"."""
    if xp < 0 and whole:
        raise ValueError("no such XP")
    return [one for one in range(xp + 1) if one][0]
'''
CHANGES = {
    "if not (xp < 0 and whole)",
    "xp < 0 and whole -> or",
    "xp < 0 -> xp <= 0",
    "0 -> 1",
    "0 -> 1 (2)",
    "1 -> 2",
    "xp + 1 -> Sub",
    "without the condition one",
    "without raise ValueError('no such XP')",
    "return None, not [one for one in range(xp + 1) if one][0]",
}


def test_each_mutant_is_one_change_with_a_name_of_its_own(tmp_path: Path) -> None:
    """Each mutant is one change with a unique key, outside of docstrings, annotations and the texts of messages."""
    (tmp_path / "a.py").write_text(TEXT)
    found = list(mutants_of(tmp_path / "a.py", "core/a.py"))
    assert {one.change for one in found} == CHANGES
    assert {one.key for one in found} == {f"core/a.py | paid | {change}" for change in CHANGES}
    for one in found:
        assert one.made is not None
        compile(one.made(), "a.py", "exec")
        assert set(one.lines) <= {4, 5, 6}


def test_a_statement_is_changed_where_it_is_one() -> None:
    """Whole SQL statements are changed; a clause that is part of one, and other constants, are not."""
    ended = "ON CONFLICT (a) DO UPDATE SET a = excluded.a + 1"
    values = {
        "ADDED": ended,
        "ADD": "INSERT INTO b VALUES (?) ON CONFLICT (a) DO UPDATE SET a = excluded.a + 1",
        "add": "SELECT 1",
        "TEN": 10,
        "NAME": "SELECTED",
    }
    found = list(statements_of(values, "b.py"))
    assert {one.value and one.value[0] for one in found} == {"ADD"}
    assert {one.value and one.value[1].count("+") for one in found} == {0, 1}


@pytest.mark.parametrize(
    ("known", "code"),
    [({"b": "same: why"}, 0), ({}, 1), ({"b": "same: why", "c": "accepted: why"}, 1), ({"a": "same: why"}, 1)],
)
def test_a_new_survivor_and_one_that_is_gone_fail_the_run(
    known: dict[str, str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run fails if a mutant survives without being listed, or is listed without surviving."""
    assert tell({"a": KILLED, "b": SURVIVED}, known) == code
    assert "1 of 2 mutants are caught (50.0%)" in capsys.readouterr().out
