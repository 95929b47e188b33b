"""The ports: what the core needs from the outside, with the errors each method may raise.

Ports return complete values, never generators. Every method of the four store ports may raise
`LedgerBusy` (another process holds the store; try later) and `LedgerFailed` (it cannot be read or
written); a call that raises has changed nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence, Set
    from datetime import date, datetime

    from .audit import Breach, Holdings
    from .boards import Board
    from .days import Calendar
    from .incidents import Notice
    from .model import DiscordActivity, Entry, Evidence, Member
    from .posting import Booking, Lease, Posting, RunState
    from .records import Ahead, Check, Excusal, MembershipEvent
    from .reports import Found, MemberFacts, Rank, Selection, Standing, StreakChange, Tally
    from .roster import Presence
    from .story import GoodRun
    from .streaks import Activity, DayRecord, Milestone, Streak


class RunBook(Protocol):
    """Runs: leases, attempts and how they ended."""

    def run_state(self, slot: datetime | None = None, /) -> RunState:
        """Return everything a run decides on, from one snapshot.

        It includes how slots ended from the given slot on, and always the last one that ended.
        """

    def lease(self, task: str, at: datetime, until: datetime, /) -> Lease:
        """Take the lease on a task; raises `LedgerBusy`, which names its owner, if it is held.

        Takes over a lease that has expired at `at`, that was taken more than two minutes after `at` (its clock ran
        ahead), or whose owner is known to be dead; the new lease says so.
        """

    def renew(self, lease: Lease, until: datetime, /) -> None:
        """Extend a lease; raises `LeaseLost` if another run has taken it."""

    def ahead(self, at: datetime, /) -> Ahead:
        """Return what is held of the time beyond an instant: what a repair of that instant would take back.

        Of awards those that are dated more than two minutes beyond it. Posted with a repair the good syncs of that
        time are none any more, days are unsettled, evidence and readings brought back, and instants of members,
        links and notices not later than it; slots, leases, failures and waits of that time are gone. Entries, events,
        excusals and what is on record of streaks stay, and so does the board that is read.
        """
        ...

    def next_request_at(self, task: str, /) -> datetime | None:
        """Return when the next request to the source may go out, whoever asks; None before the first (R21)."""

    def keep_request(self, task: str, next_at: datetime, /) -> None:
        """Record when the next request may go out."""

    def release(self, lease: Lease, /) -> None:
        """Release a lease; does nothing if another run has taken it over."""


class XpSource(Protocol):
    """Where XP is read; an optional `board_id` says which board that is, without credentials.

    Messages use its optional `name`, or "the source". A ledger accepts readings of one board only (R24);
    all sources without a `board_id` count as the same board.
    """

    def read(self, sought: frozenset[str], /) -> Board:
        """Read the board until everyone sought is found or it ends.

        `sought` may be a `Sought`, which says more. Raises `SourceError` if the board cannot be read
        completely, and `ReadStopped` if the read was stopped.
        """


class Requests(Protocol):
    """How the requests of a read keep apart from those of all processes, and the read its lease (R21, R30)."""

    def seconds_until_free(self, gap: float) -> float:
        """Return how many seconds, at most the gap that is kept between any two, the next request must wait.

        Asked before each one. Raises `LedgerBusy` if another run has taken over: the read is to end then.
        """

    def ended(self, seconds: float) -> None:
        """Note that a request has ended, and after how many seconds the next may go out."""


@runtime_checkable
class PagedSource(XpSource, Protocol):
    """An `XpSource` that reports each request, so its reads have no time limit (R30).

    Other sources get half an hour per read.
    """

    def read_pages(self, sought: frozenset[str], requests: Requests, /) -> Board:
        """Read the board as `read` does, waiting for its turn before each request."""


class Roster(Protocol):
    """Who is on the server (R25); may have a `name` for messages, and a `stop` that ends its waits."""

    @property
    def guild_id(self) -> str:
        """The id of the server that it is about."""

    def ask(self, discord_id: str, /) -> Presence:
        """Return whether one Discord id is on the server, within a few seconds; asks about no other id.

        An unclear answer is unknown, never gone. It may pause for a second or two between requests, but must not
        sleep through a wait that the service requested. Raises `RosterError` if asking about other ids would fail too
        (token, server, access, limits), and `ReadStopped` if it was stopped.
        """


class Clock(Protocol):
    """What time it is."""

    def __call__(self) -> datetime:
        """Return the present instant, timezone-aware."""


class Facts(Protocol):
    """Queries that both writers and readers need."""

    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[Evidence]:
        """Return what shows that the member was active from day to day, oldest first (R11)."""

    def account_of(self, member_id: str, /) -> DiscordActivity | None:
        """Return the member's account that is not unlinked; there is at most one (R7)."""

    def events(self, member_id: str | None, /, *, after: int = 0, limit: int = 10_000) -> Sequence[MembershipEvent]:
        """Return the events above number `after` of one member, or of everyone for None, oldest first (R26)."""

    def never_seen(self) -> Sequence[str]:
        """Return the members, by id, whose linked account no board has ever shown (R31)."""

    def checks(self, member_id: str | None = None, /) -> Sequence[Check]:
        """Return what rosters have told of the accounts that are not unlinked, or of one member's, by account id."""


class Ledger(Facts, Protocol):
    """The facts. Entries are appended, never changed or deleted (R9)."""

    def member(self, member_id: str, /) -> Member | None:
        """Return the member with this id."""

    def calendar(self, member_id: str | None = None, /) -> Calendar:
        """Return which days are excused, for everybody or for a member too, and through which day all are settled.

        Days before the first enrollment count as settled.
        """

    def holder_of(self, discord_id: str, /) -> DiscordActivity | None:
        """Return the account, not unlinked, that holds this Discord id; there is at most one (R7)."""

    def accounts_to_sync(self) -> Sequence[DiscordActivity]:
        """Return every account that is waiting, tracked or absent, by account id."""

    def linked_accounts(self) -> Sequence[DiscordActivity]:
        """Return every account that is not unlinked, those of members who have left included, by account id."""

    def booking(self, key: str, member_id: str | None = None, /) -> Booking:
        """Return what an award, an adjustment or a reversal is decided on, as of one instant (R8)."""

    def day_record(self, day: date, /) -> DayRecord:
        """Return who was active on a day, and who else was excused on it alone, with their streaks."""

    def streak_of(self, member_id: str, /) -> Streak:
        """Return the member's stored streak; one of version 0 if none is stored."""

    def activity(self, through: date, /) -> Activity:
        """Return every stored streak, and who was active on which day through the one given, as of one instant."""

    def post(self, posting: Posting, /) -> Sequence[Entry]:
        """Write a posting in one transaction, and return the entries that its drafts became.

        Events are kept in the order in which they were posted, and never changed or deleted; but where a member
        becomes forgotten, those that were there before lose reason and note (R9).

        Positions rise in commit order, so a reader never finds a new entry below
        one it has seen (R23). Raises `Conflict` if an account is no longer at the version its move was
        planned on, if a member is no longer at the version it was read, if a link's id is taken or
        its member unknown or forgotten, if an event's member or account is unknown, if a draft's key
        is used or its award reversed, if a streak is no longer at its version, if the calendar is
        another, or if there was news since what `run`, `settlement` or `revision` name. Raises
        `LeaseLost` if the posting's lease is no longer held, or its slot has ended already.
        """


class Views(Facts, Protocol):
    """Queries for display."""

    def facts(self, member_id: str, today: date, /) -> MemberFacts | None:
        """Return all that makes up where a member stands, as of one instant."""

    def members(self, of: Selection = ..., /, *, after: str = "", limit: int | None = None) -> Sequence[Standing]:
        """Return where the members beyond an id stand, by member id, without the streaks; all of them for None."""

    def find(self, text: str, /, *, limit: int) -> Sequence[Found]:
        """Return who has just this id, then who holds this Discord id, then who has all its words in the name.

        Of each of `sought_words(text)` some word of the name must be the whole or begin with it. In the order of
        the word that the first one found, then by member id; nobody twice; nobody by name who is hidden or
        forgotten.
        """

    def resets(self, member_id: str, /) -> Sequence[tuple[Entry, datetime | None]]:
        """Return a member's openings and rebases, oldest first, each with when the good sync before it began."""

    def good_runs(self, since: datetime, until: datetime, /) -> Sequence[GoodRun]:
        """Return the good syncs that began from one instant on and before another, oldest first.

        With the last one before them, and the first one behind.
        """

    def settled(self, first_day: date, last_day: date, /) -> Mapping[date, datetime]:
        """Return which of some days are settled, and when they were."""

    def xp_read(self, account_ids: Collection[int], day: date, /) -> int | None:
        """Return what was read last, by the end of a day, of the last of these accounts that was read by then."""

    def streak_changes(self, member_id: str, /) -> Sequence[StreakChange]:
        """Return how news of settled days changed a member's streak, oldest first (R28)."""

    def lengths_reached(self, lengths: Set[int], /, *, after: int, limit: int) -> Sequence[Milestone]:
        """Return who reached any of these lengths, in the order in which it was recorded, beyond a number (R17a)."""

    def excusals(self, member_id: str | None = None, /) -> Sequence[Excusal]:
        """Return how days were excused and required again, oldest first: all, or everybody's and one member's."""

    def history(
        self, member_id: str, /, *, limit: int, before: int | None = None, source: str | None = None
    ) -> Sequence[Entry]:
        """Return a member's entries, newest first: those below position `before`, and of one source."""

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first (R23)."""

    def ranking(self, month: date | None, /, *, limit: int, present: bool = False) -> Sequence[Rank]:
        """Return the top of the visible members by the points of a month, named by its first day, or of all time.

        Here and below `present` leaves those out who are noted as having left Discord, from the ranks too.
        """

    def streak_ranking(self, *, limit: int, present: bool = False) -> Sequence[Rank]:
        """Return the top of the visible members by their current streaks, as of the last settled day, without zeros."""

    def tally(self) -> Tally:
        """Return how much a store holds."""

    def rank_of(self, member_id: str, month: date | None, /, *, present: bool = False) -> Rank | None:
        """Return a member's own rank among the visible ones, even of a hidden member; months as in `ranking`."""


class Alerts(Protocol):
    """A channel to an admin.

    An optional `fingerprint` stands for its address: once `send` finds that the address no longer works
    (`AlertFailed.is_gone`), the channel is not used again until the fingerprint changes.
    """

    @property
    def channel(self) -> str:
        """The channel's name, under which the store records the notices sent."""

    def send(self, notice: Notice, /) -> None:
        """Deliver a notice within a few seconds; raises `AlertFailed`, whose text holds no secret."""


class Store(Ledger, RunBook, Views, Protocol):
    """A store: all store ports in one. It may implement `Records` too, for the audit."""


class Records(Protocol):
    """Everything a store holds, for the audit; unreadable rows are reported and never hide the rest.

    Optional: only `Engage.audit` and `Engage.repair` need it.
    """

    def holdings(self) -> Holdings:
        """Return all but the entries, as of one instant; rows that cannot be read are left out and named."""

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Breach]:
        """Return everyone's entries above position `after`, oldest first, and which of them cannot be read.

        If one of them cannot even be told from those behind it, it has no position and is the last.
        """

    def irregularities(self) -> Sequence[Breach]:
        """Return what only the store itself can see: damage to its files and tables, keys that stand twice."""

    def rebalance(self) -> Sequence[Breach]:
        """Make every balance the sum of its entries, in one transaction, and return which were not."""

    def reword(self) -> Sequence[Breach]:
        """Rebuild the search words from the names in one transaction, and return the members whose words differed."""


class AuditedStore(Store, Records, Protocol):
    """A store that the doctor can look at."""
