"""`members import` reports every bad row with its line, and imports all rows or none."""

import json
import subprocess
from pathlib import Path

import pytest

from support.command import COMMAND, Operator

ADA = "80351110224678912"
GRACE = "80351110224678913"
GOOD = f"member_id,discord_id,name\nm-1,{ADA},Ada\nm-2,,\n"


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def enrolled(operator: Operator) -> list[list[str | None]]:
    """Return the store's members: id, name and Discord id."""
    members = operator.call("members", "list", "--json").json["members"]
    return [[one["member_id"], one["name"], one["discord"] and one["discord"]["discord_id"]] for one in members]


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        f'name,"member_id",Discord_Id\n" Ada ",m-1,{ADA} \n\n,m-2,\n,,\n'.encode(),
        json.dumps([{"member_id": "m-1", "discord_id": ADA, "name": "Ada"}, {"member_id": "m-2"}]).encode(),
        json.dumps(
            [{"member_id": "m-1", "discord_id": ADA, "name": "Ada"}, {"member_id": "m-2", "name": None}], indent=2
        ).encode(),
    ],
    ids=["csv", "excel", "semicolons", "tabs", "reordered", "json", "indented"],
)
def test_members_arrive_from_every_usual_file(operator: Operator, content: bytes) -> None:
    """CSV as programs and spreadsheets write it, and JSON, are imported alike; an empty cell counts as no value."""
    (operator.folder / "roster").write_bytes(content)
    ran = operator.call("members", "import", "roster", "--json")
    assert (ran.code, ran.err, ran.json) == (
        0,
        f"created a store at {operator.folder / 'engage.db'}\n",
        {
            "outcome": "imported",
            "rows": 2,
            "enrolled": 2,
            "linked": 0,
            "updated": 0,
            "unchanged": 0,
            "relinked": [],
            "bad": [],
        },
    )
    assert enrolled(operator) == [["m-1", "Ada", ADA], ["m-2", None, None]]


def test_importing_again_brings_up_to_date(operator: Operator) -> None:
    """A newer roster enrolls, links and renames members; its empty cells remove nothing, so import it every night."""
    roster = operator.folder / "roster.csv"
    roster.write_text(GOOD)
    operator.call("members", "import", "roster.csv")
    assert operator.call("members", "import", "roster.csv").out == "2 rows: 2 unchanged\n"
    roster.write_text(f"member_id,discord_id,name\nm-1,,Ada L.\nm-2,{GRACE},\nm-3,,\n")
    assert operator.call("members", "import", "roster.csv").out == "3 rows: 1 updated, 1 linked, 1 enrolled\n"
    assert enrolled(operator) == [["m-1", "Ada L.", ADA], ["m-2", None, GRACE], ["m-3", None, None]]


BAD = f"""member_id,discord_id,name
m-1,{ADA},Ada
,{GRACE},nobody
m-3,8.03E+16,Barbara
"m-4",,"two
lines"
m-5,,,Edsger
m-6,{ADA},Dennis
m-7,,Radia
"""


def test_bad_rows_are_reported_and_nothing_is_imported(operator: Operator) -> None:
    """Each bad row is reported with its line, field and value, nothing is imported, and no store is created."""
    (operator.folder / "roster.csv").write_text(BAD)
    ran = operator.call("members", "import", "roster.csv")
    assert (ran.code, (operator.folder / "engage.db").exists()) == (65, False)
    assert ran.out == ""
    assert ran.err == (
        "trc-engage: roster.csv:3: member_id: '': give text of 1 to 200 printable characters\n"
        "trc-engage: roster.csv:4: discord_id: '8.03E+16': give the Discord id as text of 1 to 20 digits, "
        "such as '80351110224678912'\n"
        "trc-engage: roster.csv:7: row: 'm-5,,,Edsger': the header has 3 columns, this row 4; "
        "quote values with a comma\n"
        f"trc-engage: roster.csv:8: discord_id: '{ADA}': line 2 gives it to another member; keep one of them\n"
        "trc-engage: roster.csv: nothing was imported, because 4 of 7 rows are bad; correct them, or import the "
        "others with --skip-bad\n"
    )


def test_bad_rows_can_be_skipped(operator: Operator) -> None:
    """With `--skip-bad`, bad rows are reported, also one with the Discord id of an earlier row; the others count."""
    (operator.folder / "roster.csv").write_text(BAD)
    ran = operator.call("members", "import", "roster.csv", "--skip-bad", "--json")
    assert (ran.code, ran.json["outcome"], ran.json["rows"], ran.json["enrolled"]) == (65, "imported", 7, 3)
    assert [row["line"] for row in ran.json["bad"]] == [3, 4, 7, 8]
    assert "line 2 gives it to another member" in ran.json["bad"][3]["message"]
    assert [member[0] for member in enrolled(operator)] == ["m-1", "m-4", "m-7"]


def test_a_taken_link_stops_the_whole_import(operator: Operator) -> None:
    """A row whose Discord id another member holds is reported with that member, and nothing is imported."""
    operator.call("members", "enroll", "m-9", "--discord-id", ADA)
    (operator.folder / "roster.csv").write_text(GOOD)
    ran = operator.call("members", "import", "roster.csv")
    assert (ran.code, enrolled(operator)) == (65, [["m-9", None, ADA]])
    assert ran.err.startswith(f"trc-engage: roster.csv:2: member 'm-9' already holds Discord id {ADA}")


def test_all_bad_rows_are_reported_at_once(operator: Operator) -> None:
    """A row whose Discord id another member holds is reported together with the rows that are bad in themselves."""
    operator.call("members", "enroll", "m-9", "--discord-id", ADA)
    (operator.folder / "roster.csv").write_text(f"member_id,discord_id\nm-1,{ADA}\nm-2,x\nm-3,\n")
    ran = operator.call("members", "import", "roster.csv")
    assert (ran.code, enrolled(operator)) == (65, [["m-9", None, ADA]])
    first, second, last = ran.err.splitlines()
    assert first.startswith(f"trc-engage: roster.csv:2: member 'm-9' already holds Discord id {ADA}")
    assert second.startswith("trc-engage: roster.csv:3: discord_id: 'x': ")
    assert "because 2 of 3 rows are bad" in last


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (f"m-1,{GRACE}", f"discord_id: '{GRACE}': line 2 gives this member another; keep one of them"),
        (f"m-2,{ADA}", f"discord_id: '{ADA}': line 2 gives it to another member; keep one of them"),
        (f"m-1 ,{ADA}", "member_id: 'm-1 ': apart from blanks and spelling it is the id on line 2; keep one of them"),
    ],
)
def test_rows_that_contradict_each_other_are_bad(operator: Operator, second: str, says: str) -> None:
    """A row that contradicts an earlier one names that one's line; with `--skip-bad`, the earlier one counts."""
    (operator.folder / "roster.csv").write_text(f"member_id,discord_id\nm-1,{ADA}\n{second}\n")
    assert f"roster.csv:3: {says}" in operator.call("members", "import", "roster.csv").err
    operator.call("members", "import", "roster.csv", "--skip-bad")
    assert enrolled(operator) == [["m-1", None, ADA]]


def test_a_row_may_be_repeated_and_completed(operator: Operator) -> None:
    """A later row of the same member may repeat the Discord id, or add the one that was missing."""
    (operator.folder / "roster.csv").write_text(f"member_id,discord_id\nm-1,\nm-1,{ADA}\nm-1,{ADA}\nm-1,\n")
    assert operator.call("members", "import", "roster.csv").code == 0
    assert enrolled(operator) == [["m-1", None, ADA]]


def test_a_thousand_bad_rows_are_not_a_thousand_lines(operator: Operator) -> None:
    """Of a thousand bad rows, 20 are reported, and the rest are counted."""
    (operator.folder / "roster.csv").write_text("member_id,discord_id\n" + "m-1,x\n" * 1_000)
    ran = operator.call("members", "import", "roster.csv")
    assert len(ran.err.splitlines()) == 22
    assert "… and 980 more" in ran.err


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "a.csv: the file is empty"),
        ("a.csv", b"\xef\xbb\xbf \n\n", "a.csv: the file is empty"),
        ("a.csv", b"member_id,discord_id,name\n", "a.csv: the file has no members"),
        ("a.csv", b"m-1,80351110224678912,Ada\n", "a.csv:1: column 'm-1' is unknown"),
        ("a.csv", b"\n\nmember_id,nick\n", "a.csv:3: column 'nick' is unknown"),
        ("a.csv", b"discord_id,name\n", "a.csv:1: the column member_id is missing"),
        ("a.csv", b"member_id,name,name\n", "a.csv:1: column 'name' appears twice"),
        ("a.csv", b"member_id\nm-1\n\xe9lan\n", "a.csv:3: byte 0xe9 is not UTF-8"),
        ("a.csv", "member_id\nm-1\n".encode("utf-16"), "a.csv: it is UTF-16"),
        ("a.csv", b'member_id\nm-1\n"m-2\n', "a.csv:3: it is not valid CSV"),
        ("a.csv", b'member_id\n"m-1"x\n', "a.csv:2: it is not valid CSV"),
        ("a.csv", b"member_id\n" + b"x" * 200_000, "a.csv:2: it is not valid CSV"),
        ("a.csv", b"member_id\n" + b"x" * 2_000, "a.csv:2: member_id: 'xxx"),
        ("a.csv", b"member_id\nm\x00\n", "a.csv:2: member_id: 'm\\x00'"),
        ("a.csv", b"member_id\n\x1b[31m\n", "a.csv:2: member_id: '\\x1b[31m'"),
        ("a.json", b"members", "a.json: it must be objects"),
        ("a.json", b'{"member_id": "m-1"} {"member_id": "m-2"}', "a.json:1: it is not valid JSON: a comma"),
        ("a", b'{"member_id": "m-1"}\n\n{"member_id": "m-2", "nick": 1}', "a:3: row: 'nick': the field is unknown"),
        ("a.json", b"[]", "a.json: the file has no members"),
        ("a.json", b"[\n1]", "a.json:2: row: 1: give an object"),
        ("a.json", b'[\n{"member_id": "m-1"}\n', "a.json:3: it is not valid JSON: a comma or the closing ]"),
        ("a.json", b'[\n{"member_id":\n "m-1",}]', "a.json:3: it is not valid JSON: "),
        ("a.json", b'[{"member_id": "m-1"}] [', "a.json: there is more text after the closing ]"),
        ("a.json", b'[{"member_id": "m-1", "nick": 1}]', "a.json:1: row: 'nick': the field is unknown"),
        (
            "a.json",
            b'[{"member_id": "m-1", "member_id": "m-2"}]',
            "a.json:1: row: 'member_id': the field appears twice",
        ),
        ("a.json", b'[\n\n{"member_id": 17}]', "a.json:3: member_id: 17: write ids in quotes"),
        (
            "a.json",
            b'[{"member_id": "m", "discord_id": 80351110224678912}]',
            "discord_id: 80351110224678912: write ids in quotes",
        ),
        ("a.json", b'[{"member_id": "m", "discord_id": 8e16}]', "discord_id: 8e+16: write ids in quotes"),
        ("a.json", b'[{"member_id": "m", "discord_id": true}]', "a.json:1: discord_id: True: give the Discord id"),
        ("a.json", b'[{"member_id": "m", "name": ["A"]}]', "a.json:1: name: ['A']: give text"),
        ("a.json", b'[{"member_id": "m", "name": "\\ud800"}]', "a.json:1: name: '\\ud800': it holds half a surrogate"),
        ("a.json", b"[" * 100_000, "a.json:1: it is not readable JSON"),
        ("a.json", b"[" + b"9" * 5_000 + b"]", "a.json:1: it is not readable JSON"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(operator: Operator, name: str, content: bytes, says: str) -> None:
    """A file that cannot be read gives short lines that name it, the line and the field; nothing is imported."""
    (operator.folder / name).write_bytes(content)
    ran = operator.call("members", "import", name)
    assert (ran.code, ran.out) == (65, "")
    assert says in ran.err.splitlines()[0]
    assert "Traceback" not in ran.err
    assert all(len(line) < 300 and line.startswith("trc-engage: ") for line in ran.err.splitlines())
    assert not (operator.folder / "engage.db").exists() or enrolled(operator) == []


def test_a_file_without_end_is_refused(operator: Operator) -> None:
    """An endless device is refused at 64 MiB, before it fills the memory."""
    ran = operator.call("members", "import", "/dev/zero")
    assert (ran.code, ran.err) == (65, "trc-engage: /dev/zero: the file is larger than 64 MiB; split it\n")


def test_a_folder_is_no_file(operator: Operator) -> None:
    """Importing a folder ends with exit code 65 and the operating system's message."""
    ran = operator.call("members", "import", ".")
    assert (ran.code, ran.err) == (65, "trc-engage: .: Is a directory\n")


@pytest.mark.parametrize(
    "content",
    [
        f"{ADA}\n999\n",
        f"id;name\n{ADA};Ada\n999;Grace\n",
        f"name,discord_id\nAda,{ADA}\nGrace,999\n",
        json.dumps([ADA, "999"]),
        json.dumps([{"id": ADA, "roles": []}, {"id": "999"}]),
    ],
    ids=["lines", "semicolons", "csv", "json", "objects"],
)
def test_a_list_of_the_server_is_read_in_every_usual_form(operator: Operator, content: str) -> None:
    """The list for `members reconcile` is one id per line, CSV or JSON; ids of no member are only counted."""
    operator.call("members", "enroll", "m-1", "--discord-id", ADA)
    operator.call("members", "enroll", "m-2", "--discord-id", "80351110224679999")
    (operator.folder / "here").write_text(content)
    ran = operator.call("members", "reconcile", "here", "--by", "admin-7")
    assert (ran.code, ran.out) == (0, "1 left, 0 returned\nm-2: left\n1 id on the list not linked to any member\n")


@pytest.mark.parametrize("content", ["", "[]", "Ada\n", "[80351110224678912]", "[1", '[{"name": "Ada"}]'])
def test_a_list_without_ids_changes_nothing(operator: Operator, content: str) -> None:
    """A list that is empty, malformed, or has names or numbers for ids gives exit code 65 and changes nothing."""
    operator.call("members", "enroll", "m-1", "--discord-id", ADA)
    (operator.folder / "here").write_text(content)
    assert operator.call("members", "reconcile", "here").code == 65
    assert operator.call("members", "events", "m-1", "--json").json["events"][-1]["kind"] == "linked"


@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_what_was_exported_is_imported_as_it_was(operator: Operator, form: str) -> None:
    """Exported members import unchanged, even if named like formulas; unlinked and forgotten ones stay so."""
    names = [
        "Ada",
        "@grace",
        "=1+1",
        "'=quoted",
        "''@twice",
        "'",
        "＝wide",
        'a "b", c',
        "x;=y",
        "-",
        ";'@z",
        "a;;+b;-c",
    ]
    for number, name in enumerate(names):
        operator.call("members", "enroll", f"@m-{number}", "--name", name)
    operator.call("members", "link", "@m-0", ADA)
    operator.call("members", "link", "@m-1", GRACE)
    operator.call("members", "unlink", "@m-1")
    operator.call("members", "forget", "@m-9", "--yes")
    (operator.folder / "members").write_bytes(operator.run("export", "members", form).out.encode())
    before = enrolled(operator)
    again = operator.call("members", "import", "members", "--json")
    assert (again.code, again.json["unchanged"], again.json["rows"]) == (0, len(names) - 1, len(names) - 1)
    assert enrolled(operator) == before
    other = Operator(operator.folder / "other")
    other.folder.mkdir()
    assert other.call("members", "import", str(operator.folder / "members")).code == 0
    kept = [[one, name, discord] for one, name, discord in before if one != "@m-9"]
    kept[1][2] = None
    assert enrolled(other) == kept


@pytest.mark.parametrize(
    "header", ["Member ID,Discord ID,Name", "member-id, User ID,Username", "Member,discord,display name"]
)
def test_common_headers_are_taken(operator: Operator, header: str) -> None:
    """Headers as spreadsheets and tools for Discord write them are understood, and `-` reads from stdin."""
    text = f"{header}\nm-1,{ADA},Ada\n".encode()
    subprocess.run([*COMMAND, "members", "import", "-"], env=operator.env, input=text, check=True)
    assert enrolled(operator) == [["m-1", "Ada", ADA]]


def test_all_that_is_wrong_with_a_header_is_told_at_once(operator: Operator) -> None:
    """One error lists the unknown, ambiguous and repeated columns."""
    (operator.folder / "roster.csv").write_text("id,Name,Username,joined,name\nm-1,Ada,ada,2026,a\n")
    ran = operator.call("members", "import", "roster.csv")
    assert ran.code == 65
    assert ran.err == (
        "trc-engage: roster.csv:1: column 'id' may be member_id or discord_id; column 'Username' means name, as 'Name' "
        "does; column 'joined' is unknown; column 'name' means name, as 'Name' does; the first line must name columns "
        "among member_id, discord_id, name; leave others out with --ignore\n"
    )


@pytest.mark.parametrize(
    "text", [",".join(f"column {number}" for number in range(9_000)), "x" * 100_000, '[{"' + "x" * 9_000 + '": 1}]']
)
def test_a_file_of_another_kind_is_refused_in_few_words(operator: Operator, text: str) -> None:
    """A file of another kind is refused in less than 1,000 characters, however many or long its columns are."""
    (operator.folder / "roster").write_text(text)
    ran = operator.call("members", "import", "roster")
    assert ran.code == 65
    assert "is unknown" in ran.err
    assert len(ran.err) < 1_000


@pytest.mark.parametrize(
    "text",
    [
        f"id,member_id,Joined At,Discord Id,name\n7,m-1,2026,{ADA},Ada\n",
        f'[{{"id": 7, "member_id": "m-1", "joined-at": {{}}, "discord_id": "{ADA}", "name": "Ada"}}]',
    ],
)
def test_further_columns_are_ignored_by_name(operator: Operator, text: str) -> None:
    """Each unknown column can be ignored by an `--ignore` of its own; one that is not ignored is an error."""
    (operator.folder / "roster").write_text(text)
    assert operator.call("members", "import", "roster", "--ignore", "id").code == 65
    assert operator.call("members", "import", "roster", "--ignore", "id", "--ignore", "joined at").code == 0
    assert enrolled(operator) == [["m-1", "Ada", ADA]]


@pytest.mark.parametrize("mention", [f"<@{ADA}>", f"<@!{ADA}>"])
def test_a_mention_is_an_id(operator: Operator, mention: str) -> None:
    """A Discord mention, as copied from a message, is read as the id in it."""
    (operator.folder / "roster").write_text(f"member_id,discord_id\nm-1,{mention}\n")
    assert operator.call("members", "import", "roster").code == 0
    assert enrolled(operator) == [["m-1", None, ADA]]


def test_rows_that_were_skipped_are_in_the_exit_code(operator: Operator) -> None:
    """With `--skip-bad`, a skipped row gives exit code 65, so a script notices it, and the others are imported."""
    (operator.folder / "roster").write_text(f"{GOOD}m-3,12x,Tom\n")
    assert operator.call("members", "import", "roster", "--skip-bad").code == 65
    assert len(enrolled(operator)) == 2


def test_a_dry_run_shows_what_would_be_and_writes_nothing(operator: Operator) -> None:
    """A dry run creates no store and writes no row, and a bad row gives it exit code 65."""
    (operator.folder / "roster").write_text(GOOD)
    ran = operator.call("members", "import", "roster", "--dry-run")
    assert (ran.code, ran.out) == (0, "dry run, nothing written: 2 rows: 2 enrolled\n")
    assert [path.name for path in operator.folder.iterdir()] == ["roster"]
    operator.call("members", "enroll", "m-2", "--name", "Grace")
    before = (operator.folder / "engage.db").read_bytes()
    ran = operator.call("members", "import", "roster", "--dry-run", "--json")
    assert (ran.code, ran.json["outcome"], ran.json["enrolled"], ran.json["unchanged"]) == (0, "planned", 1, 1)
    (operator.folder / "roster").write_text(f"{GOOD}m-3,12x,\n")
    assert operator.call("members", "import", "roster", "--dry-run").code == 65
    assert (operator.folder / "engage.db").read_bytes() == before
