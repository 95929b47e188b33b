"""Pages of valid JSON that are not valid boards, and some that only look invalid."""

from collections.abc import Callable, Sequence
from typing import Any

from support.community import IDS
from trc_engage.testing.answers import encoded

from .case import Case, Outcome, body
from .pages import GUILD, PAGE, Payload, error_body, payload, row, row_of, spoilt


def _page(name: str, outcome: Outcome, spoil: Callable[[Payload], object], says: str = "") -> Case:
    return body(name, outcome, spoilt(spoil), says)


def _guild(name: str, guild: Any, says: str) -> Case:
    return _page(f"guild_{name}", "malformed", lambda page: page.update(guild=guild), says)


def _players(name: str, players: Any, says: str) -> Case:
    return _page(f"players_{name}", "malformed", lambda page: page.update(players=players), says)


def _with_rows(name: str, outcome: Outcome, *more: Any, says: str = "") -> Case:
    return _page(name, outcome, lambda page: page["players"].extend(more), says)


def _of_ada(name: str, **fields: Any) -> Case:
    return _page(name, "paid", lambda page: row_of(page, "ada").update(fields))


def _by_id(page: Payload) -> None:
    page["players"] = {player["id"]: player for player in page["players"]}


def _renamed(page: Payload) -> None:
    page["leaderboard"] = page.pop("players")


def _listed(page: Payload) -> None:
    page["players"] = [[player["id"], player["xp"]] for player in page["players"]]


def _nested(page: Payload) -> None:
    page["players"] = [page["players"]]


def _needed_only(page: Payload) -> None:
    least = [{"id": player["id"], "xp": player["xp"]} for player in page["players"]]
    page.clear()
    page.update(guild={"id": GUILD}, players=least)


def _bad(count: int) -> list[Payload]:
    return [{"id": None, "xp": number} for number in range(count)]


_OTHER = "200000000000000002"
_NOT_ONE = "not a leaderboard"

CASES: Sequence[Case] = (
    _guild("of_another_server", {"id": _OTHER}, "to guild '200000000000000002'"),
    _guild("id_as_number", {"id": int(GUILD)}, _NOT_ONE),
    _guild("id_null", {"id": None}, _NOT_ONE),
    _guild("id_list", {"id": [GUILD]}, _NOT_ONE),
    _guild("id_with_spaces", {"id": f" {GUILD}"}, "but guild"),
    _guild("id_with_leading_zero", {"id": f"0{GUILD}"}, "but guild"),
    _guild("id_in_full_width_digits", {"id": "２" + GUILD[1:]}, "but guild"),
    _guild("id_empty", {"id": ""}, "but guild"),
    _guild("id_endless", {"id": "9" * 100_000}, "but guild"),
    _guild("id_of_control_characters", {"id": "\x1b]52;c;\x07\u202e"}, "but guild"),
    _guild("without_id", {"name": "Example Server"}, _NOT_ONE),
    _guild("null", None, _NOT_ONE),
    _guild("text", GUILD, _NOT_ONE),
    _guild("list", [{"id": GUILD}], _NOT_ONE),
    _page("guild_missing", "malformed", lambda page: page.pop("guild"), _NOT_ONE),
    body(
        "guild_told_twice",
        "malformed",
        PAGE.replace(b'"guild":{', b'"guild":{"id":"%s"},"guild":{' % _OTHER.encode(), 1),
        "given twice",
    ),
    body(
        "guild_id_told_twice",
        "malformed",
        PAGE.replace(b'"guild":{', b'"guild":{"id":"%s",' % _OTHER.encode(), 1),
        "given twice",
    ),
    _page("players_missing", "malformed", lambda page: page.pop("players"), _NOT_ONE),
    _page("players_by_id", "malformed", _by_id, "a list was expected"),
    _page("players_renamed", "malformed", _renamed, _NOT_ONE),
    _page("players_listed", "malformed", _listed, "rows cannot be used"),
    _page("players_nested", "distrusted", _nested, "the board is empty"),
    _players("null", None, "a list was expected"),
    _players("text", "players", "a list was expected"),
    _players("number", 23, "a list was expected"),
    _players("of_nulls", [None] * 23, "23 of 23 rows"),
    _players("of_texts", ["ada"] * 23, "23 of 23 rows"),
    _players("of_numbers", list(range(23)), "23 of 23 rows"),
    _players("of_lists", [[]] * 23, "23 of 23 rows"),
    _players("empty_objects", [{}] * 23, "23 of 23 rows"),
    body(
        "players_told_twice", "malformed", PAGE.replace(b'"players":[', b'"players":[],"players":[', 1), "given twice"
    ),
    body("player_told_key_twice", "paid", PAGE.replace(b'"avatar":null', b'"avatar":null,"avatar":null')),
    body("error_with_200", "malformed", error_body(401, "The server could not verify"), _NOT_ONE),
    body("error_beside_the_page", "paid", spoilt(lambda page: page.update(error={"message": "stale"}))),
    _with_rows("three_bad_rows", "paid", *_bad(3)),
    _with_rows("four_bad_rows", "malformed", *_bad(4), says="4 of 27 rows"),
    _with_rows("bad_rows_of_every_kind", "paid", None, "row", {"id": "7", "xp": True}),
    _with_rows("one_percent_of_bad_rows", "paid", *[{"id": str(900 + n), "xp": 1} for n in range(500)], *_bad(5)),
    _with_rows("more_than_one_percent", "malformed", *[{"id": str(900 + n), "xp": 1} for n in range(500)], *_bad(6)),
    _with_rows(
        "a_second_row_that_is_bad", "malformed", {"id": IDS["ada"], "xp": None}, says="linked member cannot be used"
    ),
    _with_rows("a_row_twice", "paid", row("ada", 1_250)),
    _page("a_row_twice_the_later_is_newer", "paid", lambda page: page["players"].insert(0, row("ada", 9_999))),
    _page("ascending", "paid", lambda page: page["players"].reverse()),
    _page("shuffled", "paid", lambda page: page["players"].sort(key=lambda player: player["id"][::-1])),
    _page("needed_fields_only", "paid", _needed_only),
    _page("unknown_fields", "paid", lambda page: page.update(new={"deep": [[{}]]}, **{"": None, "\u0000": 1})),
    _page("huge_unknown_field", "paid", lambda page: page.update(new="é" * 60_000)),
    _page("page_echo_wrong", "paid", lambda page: page.update(page=7)),
    _of_ada("level_wrong", level=99),
    _of_ada("detailed_xp_wrong", detailed_xp=[0, 0, 0]),
    _of_ada("detailed_xp_missing", detailed_xp=None),
    _of_ada("message_count_negative", message_count=-1),
    _of_ada("row_of_another_guild", guild_id=_OTHER),
    _of_ada("name_null", username=None),
    _of_ada("name_number", username=7),
    _of_ada("name_of_lone_surrogates", username="\ud800\udfff\udc00"),
    _of_ada("name_of_control_characters", username="\x00\x1b]52;c;aGk=\x07\u202e[/red]"),
    _of_ada("name_endless", username="\U0001f600" * 20_000),
    _of_ada("name_of_sql", username="'; DROP TABLE entries; --"),
    *(body(f"shape_of_{year}", "paid", encoded(payload(year=year))) for year in (2019, 2020, 2021, 2022, 2023)),
)
