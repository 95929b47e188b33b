"""A page with random damage, read over a real socket, gives a correct reading or an error, and always in time.

Each run tries a few; `TRC_ENGAGE_MUTATIONS=50000` tries a night's worth.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from hostile.mutations import mutated
from hostile.pages import EMPTY, GUILD, NOW, answer, payload
from hostile.steps import asked, send, serve
from hostile.wire import HostileServer, Script
from support.community import IDS, MONDAY
from trc_engage import Board, SourceError
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.testing.answers import encoded
from trc_engage.testing.mee6 import YEARS

MUTATIONS = int(os.environ.get("TRC_ENGAGE_MUTATIONS", "600"))
SEED = "mutations of March"
DEADLINE_SECONDS = 1.0
LATE_SECONDS = 2.0
SOUGHT = frozenset(IDS[name] for name in NOW)
PAGES = [encoded(payload(year=year)) for year in YEARS]
XP_MAX = 2**53


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer(lambda: MONDAY) as server:
        yield server


@pytest.fixture
def source(server: HostileServer) -> Iterator[Mee6Source]:
    with Mee6Source.open(
        GUILD, base_url=server.url, page_gap=0, deadline_seconds=DEADLINE_SECONDS, pause=lambda _: None, pages_max=40
    ) as source:
        yield source


def outcome(source: Mee6Source) -> Board | SourceError:
    """Read, check that the read ends in time, and return its board or error."""
    began = time.monotonic()
    end: Board | SourceError
    try:
        end = source.read(SOUGHT)
    except SourceError as error:
        end = error
    assert time.monotonic() - began < DEADLINE_SECONDS + LATE_SECONDS
    assert str(end).isprintable()
    return end


def serving(page: bytes) -> Script:
    """Return a script that serves this as the first page, and nothing after it."""
    return [serve(lambda asked: answer(EMPTY if asked.page else page))]


@pytest.mark.parametrize("part", range(10))
def test_a_damaged_page_is_read_rightly_or_not_at_all(server: HostileServer, source: Mee6Source, part: int) -> None:
    """A damaged page gives the readings that another parser finds in it, or a `malformed` or `blocked` error."""
    ends: Counter[str] = Counter()
    for number in range(part, MUTATIONS // 2, 10):
        chance = Random(f"{SEED}:page:{number}")
        page = mutated(chance.choice(PAGES), chance)
        server.play(serving(page))
        end = outcome(source)
        if isinstance(end, Board):
            assert end.readings == told(page), number
            assert end.whole or end.readings.keys() == SOUGHT, number
        else:
            assert end.kind == "blocked" if page.lstrip().startswith(b"<") else end.kind == "malformed", number
        ends[type(end).__name__] += 1

    assert ends["Board"] > 0
    assert ends["SourceError"] > 0


@pytest.mark.parametrize("part", range(10))
def test_a_damaged_answer_ends(server: HostileServer, source: Mee6Source, part: int) -> None:
    """With any damage to the HTTP around a page, a read ends in time with an error or with plausible readings."""
    ends: Counter[str] = Counter()
    for number in range(part, MUTATIONS // 2, 10):
        chance = Random(f"{SEED}:answer:{number}")
        body = chance.choice(PAGES)
        head, rest = answer(body)[: -len(body)], body
        raw = mutated(head, chance) + rest if chance.random() < 0.7 else mutated(head + rest, chance)
        server.play([asked, send(raw)])
        end = outcome(source)
        if isinstance(end, Board):
            assert end.readings.keys() <= SOUGHT, number
            assert all(type(xp) is int and 0 <= xp <= XP_MAX for xp in end.readings.values()), number
        ends[type(end).__name__] += 1

    assert ends["Board"] > 0
    assert ends["SourceError"] > 0


@pytest.mark.parametrize("place", ['"admin":false', f'"id":"{GUILD}"', '"xp":1250', f'"id":"{IDS["ada"]}"'])
def test_no_depth_is_too_deep(server: HostileServer, source: Mee6Source, place: str) -> None:
    """Nested lists of any depth near the parser's limit are read or rejected as malformed."""
    key = place.rpartition(":")[0]
    limit = deepest()
    kinds = set()
    for depth in range(max(1, limit - 60), limit + 60):
        before, _, after = PAGES[-1].decode().partition(place)
        page = f"{before}{key}:{'[' * depth}{']' * depth}{after}"
        server.play(serving(page.encode()))
        end = outcome(source)
        kinds.add(end.kind if isinstance(end, SourceError) else "read")

    assert kinds <= {"read", "malformed"}
    assert "malformed" in kinds


def deepest() -> int:
    """Return roughly how deeply nested a list the parser accepts."""
    depth = 1
    while depth < 2**17:
        try:
            json.loads("[" * depth + "]" * depth)
        except RecursionError:
            break
        depth *= 2
    shallow = depth // 2
    while depth - shallow > 1:
        middle = (depth + shallow) // 2
        try:
            json.loads("[" * middle + "]" * middle)
        except RecursionError:
            depth = middle
        else:
            shallow = middle
    return shallow


class Pairs(list[tuple[str, Any]]):
    """A JSON object as all of its pairs, duplicate keys included."""

    def only(self, key: str) -> Any:
        """Return the only value of a key; fail if there is none or more than one."""
        (value,) = [value for name, value in self if name == key]
        return value


def told(page: bytes) -> dict[str, int]:
    """Return a page's readings as another parser finds them; fail if the page is ambiguous."""
    document = json.loads(page, object_pairs_hook=Pairs)
    assert document.only("guild").only("id") == GUILD
    readings = {}
    for row in document.only("players"):
        if isinstance(row, Pairs) and {"id", "xp"} <= {key for key, _ in row} and row.only("id") in SOUGHT:
            readings[row.only("id")] = row.only("xp")
    assert all(type(xp) is int and 0 <= xp <= XP_MAX for xp in readings.values())
    return readings
