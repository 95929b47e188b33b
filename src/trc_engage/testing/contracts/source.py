"""The source contract: `SourceContract` for any source, `PagedSourceContract` for those read over HTTP."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, get_args

import pytest

from ...core import boards
from ...core.boards import Board, Sought
from ...core.errors import LedgerBusy, ReadStopped, ServiceTrouble, SourceError, SourceTrouble
from ...core.ports import XpSource
from ..answers import RATE_LIMITED, Trouble, http_date
from ..boards import BoardServer

ADA, BO, CY, GONE = "80351110224678912", "300000000000000001", "18446744073709551615", "300000000000000009"
XP = {ADA: 12_345, BO: 250, CY: 0}
MANY = {str(400_000_000_000_000_000 + number): 100_000 - number for number in range(2_345)}
XP_MAX = 2**53
STOP_SECONDS_MAX = 5.0
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class SourceContract:
    """Subclass it, name the class `Test…`, and implement how to make a source and to change the board it reads.

    `kinds` are the troubles that your source can have.
    """

    kinds: Sequence[SourceTrouble] = ("down", "malformed")
    source: Any

    def make_source(self, folder: Path) -> XpSource:
        """Return a source whose board `show` and `fail` change; `folder` is an empty folder."""
        raise NotImplementedError

    def show(self, xp: Mapping[str, int]) -> None:
        """Make the board show exactly this XP, by Discord id, and end any trouble."""
        raise NotImplementedError

    def fail(self, kind: SourceTrouble) -> None:
        """Make the board fail this way until the next `show`."""
        raise NotImplementedError

    def read(self, *sought: str, whole: bool = False) -> Board:
        """Read the board, and check it as the core does."""
        ids = Sought(sought)
        ids.expected, ids.whole = frozenset(sought), whole
        board: Board = self.source.read(ids)
        assert boards.why_malformed(board, ids) is None
        return board

    @pytest.fixture(autouse=True)
    def _made(self, tmp_path: Path) -> Iterator[None]:
        self.source = self.make_source(tmp_path)
        self.show(XP)
        yield
        getattr(self.source, "close", lambda: None)()

    def test_whoever_is_sought_and_on_the_board_is_read(self) -> None:
        """A read returns the exact XP of everyone sought who is on the board, by id, and of no one else."""
        for sought in (XP, (BO,), ()):
            assert self.read(*sought).readings == {one: XP[one] for one in sought}

    def test_whoever_is_not_on_the_board_is_absent_and_has_no_xp(self) -> None:
        """An id that is not on the board has no reading and is not missed, and the board was read whole (R5)."""
        board = self.read(ADA, GONE)
        assert (board.readings, board.missed, board.whole) == ({ADA: 12_345}, frozenset(), True)

    def test_strangers_are_counted(self) -> None:
        """`rows` counts everyone on the board, since one that has lost half of its rows is not trusted (R10)."""
        assert self.read(GONE).rows == self.read(*XP, whole=True).rows == len(XP)

    def test_a_board_is_read_as_far_as_it_must_be(self) -> None:
        """A long board is read until everyone is found, and to its end if someone is absent or `whole` is set (R24)."""
        self.show(MANY)
        first, *_, last = MANY
        assert self.read(last).readings == {last: MANY[last]}
        for board in (self.read(GONE), self.read(first, whole=True)):
            assert (board.whole, board.rows) == (True, len(MANY))
        board = self.read(first)
        assert board.rows == len(MANY) or not board.whole

    def test_it_reads_whenever_it_is_called(self) -> None:
        """Each read returns the board as it is now, even if XP fell or rows vanished, with XP as `int`."""
        for xp in ({ADA: 1}, {ADA: XP_MAX, BO: XP_MAX - 1}, {ADA: 1}, {BO: 5}, {}):
            self.show(xp)
            board = self.read(ADA, BO)
            assert (board.readings, set(map(type, board.readings.values())) - {int}) == (xp, set())
            assert xp or (board.whole, board.rows) == (True, 0), "whether it is believed is not the source's to say"

    @pytest.mark.parametrize("kind", get_args(ServiceTrouble))
    def test_a_failure_has_its_kind_and_passes(self, kind: SourceTrouble) -> None:
        """A failed read raises a `SourceError` of its kind, in one line; after the trouble, reads work again."""
        if kind not in self.kinds:
            pytest.skip("this source never raises it")
        self.fail(kind)
        for _ in range(2):
            with pytest.raises(SourceError) as caught:
                self.source.read(frozenset({ADA}))
            assert caught.value.kind == kind
            assert str(caught.value).isprintable()
        self.show(XP)
        assert self.read(ADA).readings == {ADA: 12_345}

    def test_the_server_tells_an_instant_or_none(self) -> None:
        """`server_at` is None or timezone-aware."""
        at = self.read(ADA).server_at
        assert at is None or at.utcoffset() is not None

    def test_it_says_whose_board_it_is(self) -> None:
        """The board's id and the source's name, if it has them, are short printable texts (R24)."""
        assert boards.id_of(self.source).isprintable()
        name = getattr(self.source, "name", None)
        assert name is None or name == boards.source_name(self.source)

    def test_a_source_that_was_stopped_reads_no_more(self) -> None:
        """After `stop` or `close`, if it has them, a read raises `ReadStopped`."""
        for name in ("stop", "close"):
            if end := getattr(self.source, name, None):
                end()
                with pytest.raises(ReadStopped):
                    self.source.read(frozenset({ADA}))


TROUBLES: Mapping[SourceTrouble, Sequence[str]] = {
    "private": ["private", "expired_token"],
    "unknown_guild": ["unknown_guild"],
    "rate_limited": ["rate_limited", "rate_limited_html", "rate_limited_seconds", "rate_limited_json"],
    "blocked": ["challenge_200", "challenge_403", "challenge_503", "html_200", "blocked"],
    "malformed": [
        *("redirect", "empty_body", "not_json", "deep_json", "not_utf8", "duplicate_keys", "xp_endless"),
        *("rows_missing", "rows_not_list", "ids_as_numbers", "lone_surrogate_id", "nan_xp", "xp_null"),
        *("xp_text", "xp_float", "xp_negative", "xp_boolean", "xp_huge", "gzip_bomb", "endless_body"),
    ],
    "down": [
        *("internal_error", "bad_gateway", "unavailable", "gateway_timeout", "reset", "refused_early", "truncated"),
        *("timeout", "drip_headers", "drip_body"),
    ],
}
"""The server's troubles, by the kind that a source must report."""
HANGS = {"timeout", "drip_headers", "drip_body"}
HANGS_FOR, DEADLINE_SECONDS = 0.3, 30.0


class Turns:
    """The `Requests` of a read: counts them, and can impose a wait or raise an error."""

    def __init__(self, seconds: float = 0.0, error: Exception | None = None) -> None:
        self.asked: int = 0
        self.ended_at: int = 0
        self._seconds, self._error = seconds, error

    def seconds_until_free(self, gap: float) -> float:
        """Count, and return the wait, at most the gap."""
        self.asked += 1
        if self._error is not None:
            raise self._error
        return min(gap, self._seconds)

    def ended(self, seconds: float) -> None:
        """Count an ended request."""
        assert seconds >= 0
        self.ended_at += 1


class PagedSourceContract(SourceContract):
    """The contract of a `BoardSource`: set `source_class`.

    `server_class` is a local server of its service; the default one follows the facts of the source.
    """

    kinds: Sequence[SourceTrouble] = get_args(ServiceTrouble)
    source_class: ClassVar[Any]
    server_class: ClassVar[type[BoardServer] | None] = None
    gap: ClassVar[float] = 2.0
    token: ClassVar[str] = "s3cret-t0ken"  # noqa: S105  for loopback only

    @pytest.fixture(autouse=True)
    def _served(self) -> Iterator[None]:
        self.now, self.pauses = NOW, list[float]()
        as_told = type("AsTold", (BoardServer,), {"dialect": self.source_class.service})
        server_class: type[BoardServer] = self.server_class or as_told
        with server_class.start(clock=self.clock) as self.server:
            self.server.token, self.server.slow_seconds, self.server.drip_seconds = self.token, 0.0, 0.02
            yield

    @pytest.fixture(autouse=True)
    def _made(self, _served: None, tmp_path: Path) -> Iterator[None]:
        self.source = self.make_source(tmp_path)
        self.show(XP)
        with self.source:
            yield

    def clock(self) -> datetime:
        """Return the server's time, which advances while the source pauses."""
        return self.now + timedelta(seconds=sum(self.pauses))

    def make_source(self, folder: Path) -> Any:  # noqa: ARG002  it needs none
        """Open a source of the server's board."""
        return self.opened(self.server.guild_id)

    def opened(self, guild_id: str, deadline_seconds: float = DEADLINE_SECONDS) -> Any:
        """Open a source that records its pauses instead of waiting."""
        return self.source_class.open(
            guild_id,
            base_url=self.server.url,
            token=self.token,
            page_gap=self.gap,
            deadline_seconds=deadline_seconds,
            pages_max=len(MANY) // self.server.limit_max + 10,
            pause=self.pauses.append,
            monotonic=lambda: time.monotonic() + sum(self.pauses),
        )

    def show(self, xp: Mapping[str, int]) -> None:
        """Make the server's board show exactly this, and end any trouble."""
        self.server.recover()
        self.server.board.reset()
        for discord_id, total in xp.items():
            self.server.board.join(discord_id)
            self.server.board.give(discord_id, total or 1)
            self.server.board.remove(discord_id, 0 if total else 1)

    def fail(self, kind: SourceTrouble) -> None:
        """Answer everything with the first trouble of this kind."""
        self.server.trouble(TROUBLES[kind][0])

    @pytest.mark.parametrize("name", ["endless_pages", "page_ignored"])
    def test_a_board_without_end_is_given_up(self, name: str) -> None:
        """A board that never ends, or repeats its first page, is `malformed`."""
        self.server.trouble(name)
        with pytest.raises(SourceError, match="pages") as caught:
            self.source.read(frozenset({GONE}))
        assert caught.value.kind == "malformed"

    def test_a_wait_is_a_duration_by_the_servers_own_clock(self) -> None:
        """A Retry-After date counts from the server's own time, however wrong; without one there is no wait."""
        self.now = NOW.replace(year=2031)
        for wait in (timedelta(seconds=90), None):
            headers = [] if wait is None else [("Retry-After", http_date(self.clock() + wait))]
            self.server.recover()
            self.server.trouble(Trouble.answering("own", "A wait.", RATE_LIMITED.having(*headers)))
            with pytest.raises(SourceError) as caught:
                self.source.read(frozenset({ADA}))
            assert caught.value.retry_after == wait

    def test_the_servers_clock_is_told(self) -> None:
        """`server_at` is the server's time, even if its clock is wrong (R22)."""
        self.now = NOW.replace(year=2031)
        assert self.read(ADA).server_at == self.now

    def test_another_guild_has_another_board_and_the_token_is_in_neither(self) -> None:
        """Another guild has another board id, the same guild the same one (R24), and no text shows the token."""
        with self.opened(GONE) as other:
            assert other.board_id != self.source.board_id
            with pytest.raises(SourceError) as caught:
                other.read(frozenset({ADA}))
            assert caught.value.kind == "unknown_guild"
        with self.opened(self.server.guild_id) as same:
            assert same.board_id == self.source.board_id
        assert self.token not in f"{self.source!r} {self.source.board_id} {self.source.name}"

    def test_a_wrong_token_is_told_as_a_private_board(self) -> None:
        """A wrong token raises `private`."""
        self.server.token = "another"  # noqa: S105
        with pytest.raises(SourceError) as caught:
            self.source.read(frozenset({ADA}))
        assert caught.value.kind == "private"

    def test_no_request_more_than_needed_and_none_too_soon(self) -> None:
        """A read sends a User-Agent, ends once everyone is found, and keeps the gap between requests (R21)."""
        self.show(MANY)
        self.read(next(iter(MANY)))
        assert [request.page for request in self.server.requests] == [0]
        self.read(GONE)
        assert len(self.pauses) == len(self.server.requests) - 1
        assert all(self.gap * 0.9 <= pause <= self.gap * 1.25 for pause in self.pauses)
        assert all(request.headers["user-agent"].strip() for request in self.server.requests)

    def test_limits_that_the_server_tells_are_kept(self) -> None:
        """The source sends no request over the server's limit: it pauses for a short one and raises for a long one."""
        if self.server.dialect.limits is None:
            pytest.skip("this service sends no limits")
        self.show(MANY)
        self.server.throttle(3, per_seconds=20)
        assert self.read(GONE).rows == len(MANY)
        assert max(self.pauses) == pytest.approx(20, abs=3)
        self.server.throttle(3, per_seconds=3_600)
        with pytest.raises(SourceError) as caught:
            self.read(GONE)
        assert caught.value.kind == "rate_limited"
        assert caught.value.retry_after is not None
        assert max(self.pauses) < DEADLINE_SECONDS
        assert {request.answered for request in self.server.requests} == {200}

    def test_each_request_has_its_turn(self) -> None:
        """Each request asks for its turn, waits as told and ends it; an error there ends the read (R30)."""
        self.show(MANY)
        turns = Turns(seconds=1.5)
        self.source.read_pages(frozenset({GONE}), turns)
        assert turns.asked >= turns.ended_at == len(self.server.requests)
        assert self.pauses[0] == pytest.approx(1.5, abs=0.1)
        before = len(self.server.requests)
        with pytest.raises(LedgerBusy):
            self.source.read_pages(frozenset({GONE}), Turns(error=LedgerBusy("another run")))
        assert len(self.server.requests) == before

    def test_whoever_moves_meanwhile_is_read_or_missed_but_not_absent(self) -> None:
        """A member who moves from page to page during a read is read or missed, but never absent."""
        self.show(MANY)
        mover, *others = reversed(MANY)
        end = -(-len(MANY) // self.server.limit_max)

        def move(page: int) -> None:
            if page in {0, end}:
                self.server.board.give(mover, -100_000 if page else 100_000)

        self.server.between_pages = move
        board = self.read(mover, *others[:5])
        assert board.readings.keys() | board.missed == {mover, *others[:5]}

    def test_a_stop_ends_a_read_under_way(self) -> None:
        """A `stop` from another thread ends a read while the server sends nothing."""
        self.server.trouble("timeout")
        with self.source_class.open(self.server.guild_id, base_url=self.server.url) as source:
            stop = threading.Timer(0.1, source.stop)
            stop.start()
            with pytest.raises(ReadStopped):
                source.read(frozenset({ADA}))
            stop.join(STOP_SECONDS_MAX)

    @pytest.mark.parametrize("name", [name for names in TROUBLES.values() for name in names])
    @pytest.mark.parametrize("page", [0, 1])
    def test_every_trouble_is_called_by_its_kind(self, name: str, page: int) -> None:
        """Each trouble, on any page, raises its kind; `down` is tried 3 times unless it hangs, others once."""
        if (name, page) == ("duplicate_keys", 1):
            pytest.skip("a server that tells twice does so on each page, and one look is enough")
        if name == "blocked" and self.source_class.service.speaks is None:
            pytest.skip("each 403 of this service means a private board")
        self.show(MANY)
        self.server.trouble(name, page=page)
        with (
            self.opened(self.server.guild_id, HANGS_FOR if name in HANGS else DEADLINE_SECONDS) as source,
            pytest.raises(SourceError) as caught,
        ):
            source.read(frozenset(MANY))
        assert name in TROUBLES[caught.value.kind]
        assert self.token not in str(caught.value)
        tries = 3 if caught.value.kind == "down" and name not in HANGS else 1
        assert len(self.server.requests) == page + tries
