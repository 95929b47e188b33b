"""Troubles that are pages of the board with something wrong in them; the HTTP around them is sound."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from .answers import Answer
from .exchange import Exchange
from .shapes import encoded
from .trouble import Trouble

_DEPTH = 10_000
_DIGITS = "9" * 5_000
_XP = re.compile(rb'"xp":([0-9]+)')
_OTHER_GUILD = "200000000000000002"
_MADE_UP_ID = 900_000_000_000_000_000

Payload = dict[str, Any]


def _page(name: str, imitates: str, spoil: Callable[[Payload], object]) -> Trouble:
    """Return a trouble that spoils the payload in place."""

    def write(exchange: Exchange) -> None:
        payload = exchange.payload()
        spoil(payload)
        exchange.send(Answer(200, encoded(payload)))

    return Trouble(name, imitates, 200, write)


def _rows(name: str, imitates: str, spoil: Callable[[Payload], Payload]) -> Trouble:
    """Return a trouble that lays new values over every row."""

    def spoil_all(payload: Payload) -> None:
        for player in payload["players"]:
            player.update(spoil(player))

    return _page(name, imitates, spoil_all)


def _body(name: str, imitates: str, spoil: Callable[[bytes], bytes]) -> Trouble:
    """Return a trouble that spoils the JSON itself."""
    return Trouble(name, imitates, 200, lambda exchange: exchange.send(Answer(200, spoil(encoded(exchange.payload())))))


def _made_up(exchange: Exchange) -> Iterable[Payload]:
    """Yield rows of people who do not exist, from the end of the real page on until it is full."""
    for number in range(exchange.page * exchange.limit, (exchange.page + 1) * exchange.limit):
        discord_id = str(_MADE_UP_ID + number)
        yield {"id": discord_id, "username": f"user {number}", "xp": 0, "level": 0, "detailed_xp": [0, 100, 0]}


def _endless_pages(exchange: Exchange) -> None:
    payload = exchange.payload()
    rows = [*payload["players"], *_made_up(exchange)]
    exchange.send(Answer(200, encoded({**payload, "players": rows[: exchange.limit]})))


def _page_ignored(exchange: Exchange) -> None:
    rows = exchange.board.page(0, exchange.limit)
    exchange.send(Answer(200, encoded(exchange.to_payload(exchange.page, rows))))


def _stale(exchange: Exchange) -> None:
    rows = exchange.stale_board.page(exchange.page, exchange.limit)
    exchange.send(Answer(200, encoded(exchange.to_payload(exchange.page, rows))))


def _few_bad_rows(payload: Payload) -> None:
    for player, key in zip(payload["players"][-2:], ("id", "xp"), strict=False):
        player[key] = None


BROKEN_PAGES = (
    _body("not_json", "A page that was cut off in its middle.", lambda body: body[: len(body) // 2]),
    _body("deep_json", "Lists in lists, 10,000 deep.", lambda _: b'{"players":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"),
    _body("not_utf8", "A page in Latin-1.", lambda body: body.replace(b"Example Server", b"Caf\xe9")),
    _body(
        "duplicate_keys",
        "Each row tells its XP twice: rightly, then 0.",
        lambda body: _XP.sub(rb'"xp":\1,"xp":0', body),
    ),
    _body("xp_endless", "XP of 5,000 digits.", lambda body: _XP.sub(f'"xp":{_DIGITS}'.encode(), body)),
    _page("no_guild", "The guild is missing.", lambda payload: payload.pop("guild")),
    _page("wrong_guild", "The board of another guild.", lambda payload: payload["guild"].update(id=_OTHER_GUILD)),
    _page("players_missing", "The rows are missing.", lambda payload: payload.pop("players")),
    _page(
        "players_not_list",
        "The rows are an object by id.",
        lambda payload: payload.update(players={player["id"]: player for player in payload["players"]}),
    ),
    _page("few_bad_rows", "The last two rows of the page cannot be used.", _few_bad_rows),
    _rows(
        "ids_as_numbers", "Ids as numbers, which lose their last digits elsewhere.", lambda row: {"id": int(row["id"])}
    ),
    _rows("lone_surrogate", "Names with half a surrogate pair.", lambda row: {"username": f"{row['username']}\ud800"}),
    _rows("lone_surrogate_id", "Ids with half a surrogate pair.", lambda row: {"id": f"{row['id']}\ud800"}),
    _rows("nan_xp", "XP that is NaN, which is no JSON.", lambda _: {"xp": float("nan")}),
    _rows("xp_null", "XP that is null.", lambda _: {"xp": None}),
    _rows("xp_text", "XP that is text.", lambda row: {"xp": str(row["xp"])}),
    _rows("xp_float", "XP that has a fraction.", lambda row: {"xp": row["xp"] + 0.5}),
    _rows("xp_negative", "XP below 0.", lambda row: {"xp": -1 - row["xp"]}),
    _rows("xp_boolean", "XP that is true.", lambda _: {"xp": True}),
    _rows("xp_huge", "XP of 2 to the 64th.", lambda _: {"xp": 2**64}),
    Trouble("endless_pages", "Every page is full; the board has no end.", 200, _endless_pages),
    Trouble("page_ignored", "Every page is the first one.", 200, _page_ignored),
    Trouble("stale", "A page from a cache: the board as it was when the trouble began.", 200, _stale),
)
