"""The file that `members import` reads: CSV or JSON, one member per row."""

import csv
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import nullcontext, suppress
from typing import Any
from unicodedata import normalize

from attrs import evolve, frozen

from ...core.errors import EngageError, InvalidValue, LinkTaken, UnknownMember, shortened
from ...core.reports import Enrollment, EnrollmentOutcome
from ...core.validation import validate_discord_id, validate_new_member_id
from ...engage import Engage
from ...usecases.members import Newcomer
from ..wire.members import MemberRow
from ..wire.shape import hints_of
from .options import BadData
from .stores import unguarded

KEPT_DIGITS = 15
"""Spreadsheets keep this many digits of a number; the others become zeros."""
LENGTH_MIN = 17
ROUNDED_MIN = 2


def refuse_rounded(path: str, discord_ids: Sequence[str | None]) -> None:
    """Raise `BadData` if most of the long ids, and two or more, look rounded by a spreadsheet (R31)."""
    long = [one for one in discord_ids if one is not None and len(one) >= LENGTH_MIN]
    rounded = [one for one in long if not one[KEPT_DIGITS:].strip("0")]
    if len(rounded) >= ROUNDED_MIN and len(rounded) * 2 > len(long):
        raise BadData(
            f"{path}: {len(rounded):,} of {len(long):,} Discord ids hold only zeros after their {KEPT_DIGITS}th digit, "
            f"such as {rounded[0]}: a spreadsheet has rounded them. Nothing was imported: copy the ids again from "
            "their source, and format their column as text before you paste them"
        )


COLUMNS = ("member_id", "discord_id", "name")
HEADERS = {
    # Those of our own export; the others among them hold what the store knows by itself.
    **{name: name for name in hints_of(MemberRow)},
    **dict.fromkeys(("member", "memberid", "trc_id"), "member_id"),
    **dict.fromkeys(("discord", "discordid", "discord_user_id", "user_id", "userid"), "discord_id"),
    **dict.fromkeys(("username", "user_name", "display_name", "discord_name", "discord_username"), "name"),
}
"""The column that a header means, in lower case with _ for blanks and hyphens."""
MENTION = re.compile(r"<@!?([0-9]+)>")
IDS = ("discord_id", "id")
"""Columns that may hold the Discord ids in a list of who is on the server."""
SIZE_MAX = 64 * 1024 * 1024
WRONG_SHOWN_MAX = 8
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
JSON_SPACE = " \t\r\n"


@frozen
class BadRow:
    """A row that cannot be used; lines count from 1."""

    line: int
    error: EngageError


@frozen
class Row:
    """A row that can be used."""

    line: int
    newcomer: Newcomer
    given: str
    """The member's id as the file spells it; the newcomer's is stripped and in NFC (R29)."""


@frozen
class Import:
    """The outcome of an import."""

    rows: int
    enrollments: Sequence[Enrollment]
    bad: Sequence[BadRow]
    is_written: bool

    @property
    def counts(self) -> Counter[EnrollmentOutcome]:
        """How often each outcome occurred, in the order of the file."""
        return Counter(one.outcome for one in self.enrollments)

    @property
    def relinked(self) -> Sequence[str]:
        """Members whose link changed."""
        return [one.member_id for one in self.enrollments if one.outcome == "relinked"]


def imported(
    engage: Engage, rows: Sequence[Row | BadRow], *, skip_bad: bool, dry_run: bool = False, bring_back: bool = False
) -> Import:
    """Enroll all rows in one posting. If any is bad, enroll none, or with `skip_bad` the others."""
    rows = list(_resolved(engage, rows, bring_back=bring_back))
    good = [row for row in rows if isinstance(row, Row)]
    bad = [row for row in rows if isinstance(row, BadRow)]
    newcomers = [row.newcomer for row in good]
    # Tried even if it cannot be written, so that all bad rows are reported at once.
    is_tried = dry_run or (bool(bad) and not skip_bad)
    results = engage.enroll_all(newcomers, skip_bad=skip_bad, dry_run=is_tried, by="import")
    bad += [
        BadRow(row.line, result) for row, result in zip(good, results, strict=True) if isinstance(result, LinkTaken)
    ]
    enrollments = [result for result in results if isinstance(result, Enrollment)]
    is_written = skip_bad or not bad
    bad.sort(key=lambda row: row.line)
    return Import(len(rows), enrollments if is_written else (), bad, is_written=is_written)


WAS_FORGOTTEN = "this member was forgotten; pass --bring-back to enroll the member again"


def _resolved(engage: Engage, rows: Sequence[Row | BadRow], *, bring_back: bool) -> Iterator[Row | BadRow]:
    """Yield the rows; a misspelled id makes one bad unless a member is enrolled under exactly that spelling (R29).

    So does the id of a forgotten member, unless `bring_back` is set (R9).
    """
    forgotten = {one.member_id: one.is_forgotten for one in engage.members()}
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        meant = row.given if row.given in forgotten else row.newcomer.member_id
        flaw = None if row.given in forgotten else _flaw(meant)
        if forgotten.get(meant) and not bring_back:
            flaw = InvalidValue("member_id", meant, WAS_FORGOTTEN)
        yield BadRow(row.line, flaw) if flaw else evolve(row, newcomer=evolve(row.newcomer, member_id=meant))


def check_not_forgotten(engage: Engage, member_id: str) -> None:
    """Raise `InvalidValue` for a forgotten member."""
    with suppress(UnknownMember):
        if engage.standing(member_id).is_forgotten:
            raise InvalidValue("member_id", member_id, WAS_FORGOTTEN)


def _flaw(member_id: str) -> InvalidValue | None:
    try:
        validate_new_member_id(member_id)
    except InvalidValue as error:
        return error
    return None


def read_ids(path: str) -> Sequence[str]:
    """Read Discord ids: a JSON array, a CSV file with a column discord_id or id, or one id a line; - is stdin."""
    text = _text(path).strip()
    try:
        found = json.loads(text) if text.startswith("[") else _listed(text)
    except (ValueError, RecursionError, csv.Error) as error:
        raise BadData(f"{path}: it is not readable: {error}") from error
    ids = [_id_of(one) for one in found]
    if not ids:
        raise BadData(f"{path}: there are no Discord ids in it")
    refuse_rounded(path, ids)
    return ids


def _listed(text: str) -> Sequence[Any]:
    """Return the rows of a CSV file with a header, or else the lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    delimiter = max(",;\t", key=lines[0].count) if lines else ","
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [*rows] if {*IDS} & {*(rows.fieldnames or ())} else lines


def _id_of(one: Any) -> str:
    """Return the Discord id of a row, or of a line that is one."""
    value = next((one[name] for name in IDS if name in one), None) if isinstance(one, dict) else one
    return validate_discord_id(value.strip() if isinstance(value, str) else value)


def _text(path: str) -> str:
    """Read text from a file, or from stdin for -."""
    try:
        # A name that is not UTF-8 is still a name.
        with nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb") as file:  # noqa: PTH123
            data = file.read(SIZE_MAX + 1)
    except OSError as error:
        raise BadData(f"{path}: {error.strerror or error}") from error
    if len(data) > SIZE_MAX:
        raise BadData(f"{path}: the file is larger than {SIZE_MAX // 2**20} MiB; split it")
    return _decoded(path, data)


def read(path: str, ignored: Iterable[str] = ()) -> Sequence[Row | BadRow]:
    """Read every row of a file, bad ones included, without the ignored columns; raises `BadData` if it has no rows."""
    left_out = {_plain(name) for name in ignored}
    text = _text(path)
    if not text.strip():
        raise BadData(f"{path}: the file is empty; it needs rows of {', '.join(COLUMNS)} as CSV or JSON")
    is_json = path.endswith(".json") or (not path.endswith(".csv") and text.lstrip()[0] in "[{")
    found = _json_rows(path, text) if is_json else _csv_rows(path, text, left_out)
    rows = [row for line, pairs in found if (row := _row(line, pairs, left_out)) is not None]
    if not rows:
        raise BadData(f"{path}: the file has no members")
    refuse_rounded(path, [row.newcomer.discord_id for row in rows if isinstance(row, Row)])
    return list(_without_clashes(rows))


def _without_clashes(rows: Sequence[Row | BadRow]) -> Iterator[Row | BadRow]:
    """Yield the rows; one that contradicts an earlier one becomes a bad one (R7, R29)."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        keys = {"member": row.newcomer.member_id}
        if row.newcomer.discord_id is not None:
            keys |= {"link of": row.newcomer.member_id, "link to": row.newcomer.discord_id}
        if flaw := _clash(row, {what: first.get((what, key), row) for what, key in keys.items()}):
            yield BadRow(row.line, flaw)
        else:
            for key in keys.items():
                first.setdefault(key, row)
            yield row


def _clash(row: Row, first: Mapping[str, Row]) -> InvalidValue | None:
    """Return what a row contradicts: the first row of its member, of that member's link, or of its Discord id."""
    known, linked, held = (first.get(what, row) for what in ("member", "link of", "link to"))
    discord_id = row.newcomer.discord_id
    if known.given != row.given:
        advice = f"apart from blanks and spelling it is the id on line {known.line}; keep one of them"
        return InvalidValue("member_id", row.given, advice)
    if linked.newcomer.discord_id != discord_id:
        return InvalidValue("discord_id", discord_id, f"line {linked.line} gives this member another; keep one of them")
    if held.newcomer.member_id != row.newcomer.member_id:
        return InvalidValue("discord_id", discord_id, f"line {held.line} gives it to another member; keep one of them")
    return None


def _decoded(path: str, data: bytes) -> str:
    advice = "save it as UTF-8 (in Excel: CSV UTF-8)"
    if data.startswith(UTF_16_MARKS):
        raise BadData(f"{path}: it is UTF-16; {advice}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadData(f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; {advice}") from error


def _row(line: int, found: object, ignored: Set[str]) -> Row | BadRow | None:
    """Make a newcomer from a row; an empty field changes nothing. Return None for the remains of a forgotten member."""
    try:
        fields = _fields(found, ignored)
        if fields.get("forgotten") in (True, "1"):
            return None
        values = {name: value.strip() or None if isinstance(value, str) else value for name, value in fields.items()}
        if fields.get("status") == "unlinked":
            values["discord_id"] = None
        elif isinstance(mention := values.get("discord_id"), str):
            values["discord_id"] = MENTION.sub(r"\1", mention)
        given = fields.get("member_id")
        member_id = normalize("NFC", given.strip()) if isinstance(given, str) else given
        return Row(line, Newcomer(member_id, values.get("discord_id"), values.get("name")), str(given))
    except InvalidValue as error:
        is_number = type(error.value) in {int, float} and error.field != "row"
        advice = "write ids in quotes, since long numbers lose digits"
        return BadRow(line, InvalidValue(error.field, error.value, advice) if is_number else error)


def _plain(header: str) -> str:
    return re.sub(r"[\s-]+", "_", header.strip().lower())


def _meant(headers: Sequence[str], ignored: Set[str]) -> tuple[Sequence[str | None], Sequence[tuple[str, str]]]:
    """Return the column that each header means (None: ignore it), and the headers that are wrong, with the reason."""
    means: list[str | None] = []
    wrong: list[tuple[str, str]] = []
    for header in headers:
        plain = _plain(header)
        column = None if plain in ignored else HEADERS.get(plain, "")
        if column == "":
            wrong.append((header, "may be member_id or discord_id" if plain == "id" else "is unknown"))
        elif column is not None and column in means:
            first = headers[means.index(column)]
            wrong.append(
                (header, "appears twice" if first == header else f"means {column}, as {shortened(first)} does")
            )
        means.append(column)
    return means, wrong


def _fields(found: object, ignored: Set[str]) -> Mapping[str, Any]:
    """Return the fields of a row by the columns that they mean; raises `InvalidValue`."""
    if isinstance(found, InvalidValue):
        raise found
    if not isinstance(found, _Pairs):
        raise InvalidValue("row", found, f"give an object with {', '.join(COLUMNS)}")
    means, wrong = _meant([name for name, _ in found], ignored)
    for name, why in wrong:
        raise InvalidValue(
            "row", name, f"the field {why}; use {', '.join(COLUMNS)}, or pass --ignore {shortened(name)}"
        )
    return {column: value for column, (_, value) in zip(means, found, strict=True) if column}


class _Pairs(list[tuple[str, Any]]):
    """The names and values of a row, duplicates included."""


def _csv_rows(path: str, text: str, ignored: Set[str]) -> Iterator[tuple[int, object]]:
    """Yield the rows below the header, each with the line it begins on."""
    first = text.lstrip("\r\n").splitlines()[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    header: Sequence[str] = []
    line = 1
    try:
        for cells in rows:
            if not any(cells):
                pass
            elif not header:
                header = _header(path, line, cells, ignored)
            elif len(cells) != len(header):
                advice = f"the header has {len(header)} columns, this row {len(cells)}; quote values with a comma"
                yield line, InvalidValue("row", ",".join(cells), advice)
            else:
                yield line, _Pairs(zip(header, map(unguarded, cells), strict=True))
            line = rows.line_num + 1
    except csv.Error as error:
        raise BadData(f"{path}:{line}: it is not valid CSV: {error}; look for an unclosed quote") from error


def _header(path: str, line: int, cells: Sequence[str], ignored: Set[str]) -> Sequence[str]:
    """Return the header of a CSV file; raises `BadData` with everything that is wrong with it."""
    header = [cell.strip() for cell in cells]
    means, wrong = _meant(header, ignored)
    found = [f"column {shortened(name)} {why}" for name, why in wrong[:WRONG_SHOWN_MAX]]
    if len(wrong) > WRONG_SHOWN_MAX:
        found.append(f"and {len(wrong) - WRONG_SHOWN_MAX:,} columns more")
    if wrong:
        found.append(f"the first line must name columns among {', '.join(COLUMNS)}; leave others out with --ignore")
    elif "member_id" not in means:
        found.append(f"the column member_id is missing; the header may have {', '.join(COLUMNS)}")
    if found:
        raise BadData(f"{path}:{line}: {'; '.join(found)}")
    return header


def _json_rows(path: str, text: str) -> Iterator[tuple[int, object]]:
    """Yield the objects of an array, each with the line it begins on."""
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs)
    first = text.lstrip(JSON_SPACE)[:1]
    if first == "{":
        # As the export writes it: one object per line.
        text = "[" + re.sub(r"\}[ \t\r]*\n(?=\s*\{)", "},\n", text) + "]"
    elif first != "[":
        raise BadData(f"{path}: it must be objects, one a line or in an array, with {', '.join(COLUMNS)}")
    at = _past_space(text, text.index("[") + 1)
    line, counted_to = 1, 0
    while not text.startswith("]", at):
        line, counted_to = line + text.count("\n", counted_to, at), at
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise BadData(f"{path}:{error.lineno}: it is not valid JSON: {error.msg}") from error
        except (ValueError, RecursionError) as error:
            raise BadData(f"{path}:{line}: it is not readable JSON: {error}") from error
        yield line, value
        at = _past_space(text, at)
        if text.startswith(",", at):
            at = _past_space(text, at + 1)
        elif not text.startswith("]", at):
            line += text.count("\n", counted_to, at)
            raise BadData(f"{path}:{line}: it is not valid JSON: a comma or the closing ] is missing")
    if text[at + 1 :].strip(JSON_SPACE):
        raise BadData(f"{path}: there is more text after the closing ]")


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in JSON_SPACE:
        at += 1
    return at
