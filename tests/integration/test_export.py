"""`trc-engage export` writes everything, page by page, for spreadsheets and scripts."""

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from support.command import COMMAND, Operator
from support.community import Community, opened
from trc_engage import Engage
from trc_engage.entrypoints.cli import stores

HOSTILE = [
    '=HYPERLINK("http://x","y")',
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\ttab",
    "\rreturn",
    'a "quoted", name',
    "two\r\nlines\nor\rthree",
    "Zoë 🦊 \u202eolleh",
    "'quoted",
    " =space",
    "-",
]
FORMULAS = set("=+-@\t\r")


@pytest.fixture
def community(tmp_path: Path) -> Iterator[Community]:
    """Yield a community on a store in a file."""
    with opened("sqlite", tmp_path) as ledger:
        yield Community(ledger)


def earned(community: Community) -> None:
    """Book entries of every kind."""
    community.enroll("ada", "bo")
    community.sync(ada=1_000, bo=500)
    community.sync(ada=1_350, bo=620)
    community.sync(ada=1_190, bo=620)
    community.engage.leave("bo")
    community.engage.rejoin("bo")
    community.sync(bo=100)
    community.award("ada", "benchmark:1")
    community.engage.reverse("benchmark:1", reason="withdrawn", by="admin-7")
    community.engage.adjust("bo", points=-5, key="fix:17", reason="=typo", by="@admin")


def rows(text: str) -> list[dict[str, str]]:
    """Return the rows that a spreadsheet reads."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("what", ["entries", "members"])
@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_all_of_it_is_written(
    tmp_path: Path, community: Community, snapshot: SnapshotAssertion, what: str, form: str
) -> None:
    """`export` writes entries by position with all their fields, and members by id."""
    earned(community)
    ran = Operator(tmp_path).call("export", what, form)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == snapshot


@pytest.mark.parametrize("what", ["entries", "members"])
def test_csv_and_json_tell_the_same(tmp_path: Path, community: Community, what: str) -> None:
    """CSV and JSON have the same keys in the same order, and the same values except for the quote before a formula."""
    earned(community)
    operator = Operator(tmp_path)
    lines = [json.loads(line) for line in operator.call("export", what, "--json").out.splitlines()]
    cells = rows(operator.call("export", what).out)
    assert len(lines) == len(cells) > 1
    for line, row in zip(lines, cells, strict=True):
        assert list(line) == list(row)
        for name, value in line.items():
            shown = row[name].removeprefix("'")
            if isinstance(value, dict):
                assert json.loads(shown) == value
            else:
                assert shown == ("" if value is None else str(int(value)) if isinstance(value, bool) else str(value))


def test_the_entries_are_those_of_the_feed(tmp_path: Path, community: Community) -> None:
    """The exported entries are those of the feed, and their points add up to each member's balance."""
    earned(community)
    engage: Engage = community.engage
    cells = rows(Operator(tmp_path).call("export", "entries").out)
    assert [int(row["position"]) for row in cells] == [entry.position for entry in engage.feed()]
    for name in ("ada", "bo"):
        assert sum(int(row["points"]) for row in cells if row["member_id"] == name) == community.points(name)


def test_it_goes_page_by_page(tmp_path: Path, community: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    """The export is the same however many entries are read at once."""
    earned(community)
    operator = Operator(tmp_path)
    whole = operator.call("export", "entries").out
    for page in (1, 2, 3):
        monkeypatch.setattr(stores, "PAGE", page)
        assert operator.call("export", "entries").out == whole


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_hostile_names_come_through_and_are_no_formulas(tmp_path: Path, community: Community, encoding: str) -> None:
    """Any CSV reader gets hostile names back, none begins like a formula of a spreadsheet, and stdout is UTF-8."""
    for number, name in enumerate(HOSTILE):
        community.engage.enroll(f"m-{number:02}", name=name)
    community.engage.adjust("m-00", points=-7, key="-key", reason="=1+1", by="+me")
    operator = Operator(tmp_path)
    env = {**operator.env, "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    told = {}
    for what in ("members", "entries"):
        ended = subprocess.run([*COMMAND, "export", what], env=env, capture_output=True, check=True)
        told[what] = ended.stdout.decode("utf-8")
    names = [row["name"] for row in rows(told["members"])]
    assert [name[name[:1] == "'" and name[1:2] in FORMULAS :] for name in names] == HOSTILE
    assert not {name[0] for name in names} & FORMULAS
    (entry,) = rows(told["entries"])
    assert (entry["points"], entry["key"], entry["reason"], entry["by"]) == ("-7", "'-key", "'=1+1", "'+me")
    assert told["members"].startswith("member_id,name,points,")
    assert told["entries"].endswith("\r\n")


@pytest.mark.parametrize(
    ("name", "cell"),
    [("a;=1+1", "a;'=1+1"), (";@x;-y", ";'@x;'-y"), ("a;'=b", "a;''=b"), ("a;b=c", "a;b=c"), ("a; =b", "a; =b")],
)
def test_a_cell_that_a_semicolon_begins_is_no_formula(
    tmp_path: Path, community: Community, name: str, cell: str
) -> None:
    """A formula after a semicolon, where some spreadsheets begin a cell, is quoted, and import removes the quote."""
    community.engage.enroll("m-1", name=name)
    operator = Operator(tmp_path)
    (row,) = rows(operator.run("export", "members").out)
    assert row["name"] == cell
    assert stores.unguarded(cell) == name


def test_excused_days_are_exported(tmp_path: Path, community: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions about excused days are exported in order, with whom each is about and whether it was taken back."""
    community.enroll("ada")
    christmas, day = date(2026, 12, 25), date(2026, 3, 5)
    community.engage.excuse(christmas, reason="=Christmas", by="admin-7")
    community.engage.excuse(day, reason="ill", by="admin-7", note="flu", member_id="ada")
    community.engage.unexcuse(christmas, reason="no", by="admin-8")
    monkeypatch.setattr(stores, "PAGE", 2)
    told = rows(Operator(tmp_path).call("export", "excusals").out)
    assert [[*row.values()][:4] for row in told] == [
        ["1", "2026-12-25", "1", ""],
        ["2", "2026-03-05", "1", "ada"],
        ["3", "2026-12-25", "0", ""],
    ]
    assert [(row["by"], row["reason"], row["note"]) for row in told] == [
        ("admin-7", "'=Christmas", ""),
        ("admin-7", "ill", "flu"),
        ("admin-8", "no", ""),
    ]
    lines = Operator(tmp_path).call("export", "excusals", "--json").out.splitlines()
    assert [json.loads(line)["is_excused"] for line in lines] == [True, True, False]


def test_json_leaves_texts_as_they_are(tmp_path: Path, community: Community) -> None:
    """The JSON has one object per line, in ASCII, and hostile names are unchanged in it."""
    for number, name in enumerate(HOSTILE):
        community.engage.enroll(f"m-{number:02}", name=name)
    out = Operator(tmp_path).call("export", "members", "--json").out
    assert out.isascii()
    assert [json.loads(line)["name"] for line in out.splitlines()] == HOSTILE


def test_an_empty_store_has_a_header_and_no_lines(tmp_path: Path, community: Community) -> None:
    """An empty store gives CSV with only a header, and JSON without lines."""
    assert community.engage.members() == []
    operator = Operator(tmp_path)
    for what in ("entries", "members"):
        header = operator.run("export", what).out
        assert (rows(header), header.count("\r\n")) == ([], 1)
        assert operator.call("export", what, "--json").out == ""


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path, community: Community, form: str) -> None:
    """If its pipe is closed, as by `| head`, the export ends silently with exit code 141."""
    earned(community)
    for number in range(3_000):
        community.engage.adjust("ada", points=1, key=f"k-{number}", reason="r" * 60, by="admin")
    process = Operator(tmp_path).start("export", "entries", form)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(30) == 141


def test_a_full_disk_is_an_error(tmp_path: Path, community: Community) -> None:
    """If the disk under stdout is full, the export says so and ends with exit code 74."""
    earned(community)
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*COMMAND, "export", "entries"],
            env=Operator(tmp_path).env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, "No space left" in ended.stderr) == (74, True)


def test_two_forms_at_once_are_a_mistake(tmp_path: Path, community: Community) -> None:
    """Two forms at once, or a word that names no export, end it with exit code 2."""
    earned(community)
    operator = Operator(tmp_path)
    assert operator.call("export", "entries", "--csv", "--json").code == 2
    assert operator.call("export", "points").code == 2
