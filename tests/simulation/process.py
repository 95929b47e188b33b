"""The real system as one process that can be killed, held up or interfered with at any call of a port."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from random import Random
from typing import Any

from attrs import define, field

from trc_engage import Board, Engage
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.core.errors import EngageError, LedgerBusy, LedgerFailed
from trc_engage.core.ports import Requests

from .boards import Address
from .clock import Clock
from .pager import Pager
from .port import Port
from .server import Asked, Server
from .stores import OpenLedger, Store
from .versions import PRESENT, of_version
from .wire import Network, Script, Transport

PAGES_MAX = 64
ANSWER_BYTES_MAX = 2**20


MOMENTS = {
    **dict.fromkeys(["read", "request", "answer", "pause"], "as it reads"),
    **dict.fromkeys(["begin"], "within a transaction"),
    **dict.fromkeys(["commit", "post"], "once it has committed"),
    **dict.fromkeys(["send"], "as a notice goes out"),
}
"""When a process is killed, by its step."""
Fate = tuple[Callable[[], None], int] | tuple[Callable[[], None], int, str] | tuple[()]
"""What happens to a process, and at which of its steps; empty if nothing does."""


class Killed(BaseException):
    """The process is dead."""


STORE_FAILED = (LedgerBusy, LedgerFailed)
"""What a store that could not write raises; the process lives on."""


@define(eq=False)
class Read:
    """One read of the board, as seen from outside."""

    sought: frozenset[str]
    at: datetime
    """The time on the process's clock when it began."""
    seen_at: datetime | None
    """The latest sync or settlement when the accounts were gathered …"""
    snapshot: Any
    """… and whom the oracle knew: the account, where its window began, whether its absence would be news."""
    log: list[Asked] = field(factory=list)
    board: Board | None = None
    error: EngageError | None = None
    spent: float = 0.0
    """How many seconds it took, without the pauses between its requests."""
    is_taken_in: bool = False
    """Whether the oracle already knows that it was posted."""


@define(eq=False)
class Process:
    """One process; `fate` strikes at the `fated`-th of its steps, or of its steps of one name."""

    name: str
    store: Store
    clock: Clock
    server: Server
    pager: Pager
    random: Random
    snapshot: Callable[[], Any]
    meets: Callable[[str], None]
    """Called with each fault as it strikes."""
    address: Address = field(factory=Address, init=False)
    told_at: datetime = field(init=False)
    began_at: datetime = field(init=False)
    reads: list[Read] = field(factory=list, init=False)
    fate: Callable[[], None] | None = field(default=None, init=False)
    fated: int = field(default=0, init=False)
    fated_at: str | None = field(default=None, init=False)
    befell: str = field(default="", init=False)
    """The step at which fate struck."""
    _seconds_left: Callable[[], float] = field(default=lambda: 0.0, init=False)
    _steps: int = field(default=0, init=False)
    version: int = field(default=PRESENT, init=False)
    """The version of the tables that it knows."""
    is_at_work: bool = field(default=False, init=False)
    """Whether it has a lease."""
    _dead: bool = field(default=False, init=False)
    _error: LedgerBusy | LedgerFailed | None = field(default=None, init=False)
    """How its next transaction ends …"""
    _is_cut_off: bool = field(default=False, init=False)
    """… and whether that is because the database is gone."""
    _known: Any = field(default=None, init=False)
    ledger: OpenLedger = field(init=False)
    source: Mee6Source = field(init=False)
    engage: Engage = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.told_at = self.began_at = self.clock.at
        self.open()

    def open(self) -> None:
        """Begin with new objects on the same store."""
        self._dead = self.is_at_work = False
        with of_version(self.version):
            self.ledger = self.store.open()
        database: Any = self.ledger._database
        database.transaction = self._fateful(database.transaction)
        self.source = Mee6Source.open(
            self.address.guild_id,
            base_url=self.address.url,
            pages_max=PAGES_MAX,
            answer_bytes_max=ANSWER_BYTES_MAX,
            pause=self._pause,
            monotonic=self.clock.monotonic,
            random=Random(self.random.random()),
            transport=Transport(Network(self.clock, self._answer, self.server.is_reachable, self._is_cut)),
        )
        line: Any = self.source._client.line
        line.watched = self._watched
        ledger: Any = Port(self.ledger, self.at)
        ledger.accounts_to_sync = self._accounts_to_sync
        self.engage = Engage(ledger=ledger, source=self, clock=self._now, alerts=[Port(self.pager, self.at)])

    def reopen(self) -> None:
        """Restart the process."""
        self.close()
        self.open()

    def point_at(self, address: Address) -> bool:
        """Restart with another address if it differs; return whether it does."""
        changes = address != self.address
        if changes:
            self.address = address
            self.reopen()
        return changes

    def close(self) -> None:
        """Close the source and the ledger."""
        self.source.close()
        self.ledger.close()

    def begin(self, fate: Callable[[], None] | None = None, fated: int = 0, fated_at: str | None = None) -> None:
        """Begin an action, with a fate or without."""
        self.reads, self._steps, self.befell, self._error = [], 0, "", None
        self.fate, self.fated, self.fated_at = fate, fated, fated_at

    def kill(self) -> None:
        """Kill the process at this very step."""
        self.meets(f"killed: {MOMENTS.get(self.befell.removesuffix(' done'), 'elsewhere')}")
        self._dead = True
        raise Killed

    def fail(self, error: LedgerBusy | LedgerFailed, *, is_cut: bool = False) -> None:
        """Let the next transaction fail with this error: at its begin if the store is busy, otherwise at its commit.

        A store whose connections can be cut cuts them instead, and raises an error of its own.
        """
        self._error, self._is_cut_off = error, is_cut

    def at(self, step: str) -> None:
        """Take a step; a dead process takes none."""
        if self._dead:
            raise Killed
        self.is_at_work = step == "lease done" or (self.is_at_work and step != "release")
        self._steps += self.fated_at in {None, step}
        if self.fate is not None and self._steps >= self.fated:
            fate, self.fate, self.befell = self.fate, None, step
            fate()

    @property
    def board_id(self) -> str:
        """The id of the board that its source reads."""
        return self.source.board_id

    def read(self, sought: frozenset[str], /) -> Board:
        """Read the board, as the system's source."""
        return self._noted(sought, lambda: self.source.read(sought))

    def read_pages(self, sought: frozenset[str], requests: Requests, /) -> Board:
        """Read the board page by page, under a lease."""
        return self._noted(sought, lambda: self.source.read_pages(sought, requests))

    def _noted(self, sought: frozenset[str], reads: Callable[[], Board]) -> Board:
        self.at("read")
        read = Read(frozenset(sought), self.told_at, *self._known)
        self.reads.append(read)
        began = self.clock.monotonic()
        try:
            read.board = reads()
        except EngageError as error:
            read.error = error
            raise
        finally:
            read.spent += self.clock.monotonic() - began
        self.at("read done")
        return read.board

    def _now(self) -> datetime:
        self.told_at = self.clock()
        return self.told_at

    def _pause(self, seconds: float) -> None:
        seconds *= self.server.slowness
        self.clock.sleep(seconds)
        self.reads[-1].spent -= seconds
        self.at("pause")

    def _answer(self, request: bytes) -> Script | None:
        self.at("request")
        log = self.reads[-1].log
        script = self.server.answer(request, log)
        self.at("answer")
        log[-1].ended = self.clock.monotonic()
        return script

    @contextmanager
    def _watched(self, seconds_left: Callable[[], float]) -> Iterator[None]:
        """Replace the client's watchdog, whose thread uses the wall clock: the wire itself checks the time left."""
        self._seconds_left = seconds_left
        self.source._client.line.is_late = False
        yield

    def _is_cut(self) -> bool:
        """Return whether the watchdog would have cut the connection by now."""
        line = self.source._client.line
        line.is_late = line.is_late or self._seconds_left() <= 0
        return line.is_late

    def _accounts_to_sync(self) -> Any:
        self.at("accounts_to_sync")
        self._known = self.snapshot()
        accounts = self.ledger.accounts_to_sync()
        self.at("accounts_to_sync done")
        return accounts

    def _is_last(self, step: str) -> bool:
        """Take a step, and return whether the process was killed at it instead of raising `Killed` at once."""
        if self._dead:
            raise Killed
        with suppress(Killed):
            self.at(step)
        return self._dead

    def _fateful(self, transaction: Any) -> Any:
        """Let each transaction's two ends be steps as well; a process killed at the begin writes but never commits."""

        @contextmanager
        def fateful() -> Iterator[Any]:
            is_last = self._is_last("begin")
            error, self._error = self._error, None
            if isinstance(error, LedgerBusy) and not self._is_cut_off:
                raise error
            with ExitStack() as ends:
                with of_version(self.version):
                    connection = ends.enter_context(transaction())
                try:
                    yield connection
                finally:
                    if is_last:
                        self.store.hang_up(connection)
                        raise Killed
                if error is not None and self._is_cut_off and self.store.restart is not None:
                    self.store.restart()
                elif error is not None:
                    raise error
            assert error is None, "what was cut off was committed"
            self.at("commit")

        return fateful
