"""The ports: what the core needs of the world, as small promises with the errors they may raise.

Ports return complete values, never generators. Every method of the four store ports may raise
`LedgerBusy` (somebody holds the store; try later) and `LedgerFailed` (it cannot be read or
written); a call that raised has changed nothing.
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
    """The running: who is at work, what was tried and how it ended."""

    def run_state(self, slot: datetime | None = None, /) -> RunState:
        """Return all that a run decides on, as of one instant.

        Of slots the ends are told from the one asked for on, and in any case that of the last one.
        """

    def lease(self, task: str, at: datetime, until: datetime, /) -> Lease:
        """Take the right to do a task; `LedgerBusy` says who has it.

        A lease that has expired at `at`, that was taken over two minutes after it (under a clock that ran
        ahead), or whose owner is known to be dead, is taken over, and the new lease says so.
        """

    def renew(self, lease: Lease, until: datetime, /) -> None:
        """Hold a lease for longer; raises `LeaseLost` if somebody else has it by now."""

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
        """Remember when the next request may go out."""

    def release(self, lease: Lease, /) -> None:
        """Give a lease back; one that was taken over meanwhile is left alone."""


class XpSource(Protocol):
    """Where XP is read; an optional `board_id` says which board that is, without credentials.

    An optional `name` is what messages call it; without one they say "the source". A ledger takes readings of one
    board only (R24). Sources without an id all read the one that has none.
    """

    def read(self, sought: frozenset[str], /) -> Board:
        """Read the board until everyone sought is found or it ends.

        `sought` may be a `Sought`, which says more. Raises `SourceError` if the board cannot be read
        whole: half a board is none; `ReadStopped` if it was given up.
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
    """An `XpSource` that tells of its requests, and may so take as long as it must (R30).

    Of any other a read is given half an hour.
    """

    def read_pages(self, sought: frozenset[str], requests: Requests, /) -> Board:
        """Read the board as `read` does, asking for the turn of each request."""


class Roster(Protocol):
    """Who is on the server (R25); an optional `name` is what messages call it, and `stop` may end what it waits for."""

    @property
    def guild_id(self) -> str:
        """The id of the server that it is about."""

    def ask(self, discord_id: str, /) -> Presence:
        """Tell whether one Discord id is on the server, within a few seconds, and ask for nobody else.

        An answer that says neither is unknown, and never gone. It may pause for a second or two to keep requests
        apart, but never sleeps through a wait that it was asked for. Raises `RosterError` where asking for others
        would help no more (token, server, access, limits), and `ReadStopped` if it was given up.
        """


class Clock(Protocol):
    """What time it is."""

    def __call__(self) -> datetime:
        """Return the present instant, timezone-aware."""


class Facts(Protocol):
    """What whoever writes and whoever reads both ask."""

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

        Positions rise in the order of commits, without a reader ever finding a new entry below
        one it has seen (R23). Raises `Conflict` if an account is no longer at the version its move was
        planned on, if a member is no longer at the version it was read, if a link's id is taken or
        its member unknown or forgotten, if an event's member or account is unknown, if a draft's key
        is used or its award reversed, if a streak is no longer at its version, if the calendar is
        another, or if there was news since what `run`, `settlement` or `revision` name. Raises
        `LeaseLost` if the posting's lease is no longer held, or its slot has ended already.
        """


class Views(Facts, Protocol):
    """What people read."""

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

    It may have a `fingerprint`, a text that stands for its address: where `send` finds that the address takes
    nothing any more (`AlertFailed.is_gone`), it is not used again until the fingerprint is another.
    """

    @property
    def channel(self) -> str:
        """What the channel is called; the store remembers by it what was told."""

    def send(self, notice: Notice, /) -> None:
        """Deliver a notice within a few seconds; raises `AlertFailed`, whose text holds no secret."""


class Store(Ledger, RunBook, Views, Protocol):
    """A store: all of them in one. What the doctor alone needs, `Records`, it may have too."""


class Records(Protocol):
    """All that a store holds, to be audited; what cannot be read is told, and never keeps the rest from being read.

    A store may do without: nothing but `Engage.audit` and `Engage.repair` asks for it.
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
        """Make what names are found by anew from the names, in one transaction, and return of whom it differed."""


class AuditedStore(Store, Records, Protocol):
    """A store that the doctor can look at."""
