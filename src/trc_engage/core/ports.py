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
    """The state of runs, their leases and their requests."""

    def run_state(self, slot: datetime | None = None, /) -> RunState:
        """Return everything a run decides on, from one snapshot.

        Its `slots` are the ended ones from the given slot on, and always the last one that ended.
        """

    def lease(self, task: str, at: datetime, until: datetime, /) -> Lease:
        """Take the lease on a task; raises `LedgerBusy`, which names its owner, if it is held.

        Takes over a lease that has expired at `at`, that was taken more than two minutes after `at` (its clock ran
        ahead), or whose owner is known to be dead; the new lease says so.
        """

    def renew(self, lease: Lease, until: datetime, /) -> None:
        """Extend a lease; raises `LeaseLost` if another run has taken it."""

    def ahead(self, at: datetime, /) -> Ahead:
        """Return what is dated after an instant, which a repair of that instant would undo.

        Awards count only from two minutes after it. Posting a repair drops the good syncs, slots, leases, failures and
        waits of that time, unsettles days, moves evidence and readings back, and leaves no instant of a member, link
        or notice after it. Entries, events, excusals, the record of streaks and the board id stay.
        """

    def next_request_at(self, task: str, /) -> datetime | None:
        """Return when the next request to the source may go out, from any process; None before the first (R21)."""

    def keep_request(self, task: str, next_at: datetime, /) -> None:
        """Record when the next request may go out."""

    def release(self, lease: Lease, /) -> None:
        """Release a lease; does nothing if another run has taken it over."""


class XpSource(Protocol):
    """Where XP is read; an optional `board_id` identifies the board, without credentials.

    Messages use its optional `name`, or "the source". A ledger accepts readings of one board only (R24);
    all sources without a `board_id` count as the same board.
    """

    def read(self, sought: frozenset[str], /) -> Board:
        """Read the board until everyone sought is found or it ends.

        `sought` may be a `Sought`, which says more. Raises `SourceError` if the board cannot be read
        completely, and `ReadStopped` if the read was stopped.
        """


class Requests(Protocol):
    """Spaces a read's requests from those of all processes, and keeps its lease (R21, R30)."""

    def seconds_until_free(self, gap: float) -> float:
        """Return how many seconds the next request must wait, at most `gap`, the minimum between any two.

        Call it before each request. Raises `LedgerBusy` if another run has taken over; the read must end then.
        """

    def ended(self, seconds: float) -> None:
        """Record that a request has ended and that the next may go out after `seconds`."""


@runtime_checkable
class PagedSource(XpSource, Protocol):
    """An `XpSource` that reports each request, so its reads have no time limit (R30).

    Other sources get half an hour per read.
    """

    def read_pages(self, sought: frozenset[str], requests: Requests, /) -> Board:
        """Read the board as `read` does, waiting for its turn before each request."""


class Roster(Protocol):
    """Who is on the server (R25). Optional: a `name` for messages, and a `stop` that ends its waits."""

    @property
    def guild_id(self) -> str:
        """The id of its server."""

    def ask(self, discord_id: str, /) -> Presence:
        """Return whether one Discord id is on the server, within a few seconds; asks about no other id.

        An unclear answer is unknown, never gone. It may pause for a second or two between requests, but must not
        sleep through a wait that the service requested. Raises `RosterError` if asking about other ids would fail too
        (token, server, access, limits), and `ReadStopped` if it was stopped.
        """


class Clock(Protocol):
    """The current time."""

    def __call__(self) -> datetime:
        """Return the current instant, timezone-aware."""


class Facts(Protocol):
    """Queries that both writers and readers need."""

    def evidence(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[Evidence]:
        """Return what made days active for the member, first through last day, oldest first (R11)."""

    def account_of(self, member_id: str, /) -> DiscordActivity | None:
        """Return the member's account, unless it is unlinked; there is at most one (R7)."""

    def events(self, member_id: str | None, /, *, after: int = 0, limit: int = 10_000) -> Sequence[MembershipEvent]:
        """Return a member's events, or everyone's for None, above number `after`, oldest first (R26)."""

    def never_seen(self) -> Sequence[str]:
        """Return, in order, the ids of members whose linked account no board has ever shown (R31)."""

    def checks(self, member_id: str | None = None, /) -> Sequence[Check]:
        """Return what rosters reported of the accounts that are not unlinked, or of one member's, by account id."""


class Ledger(Facts, Protocol):
    """What use cases read and post. Entries are appended, never changed or deleted (R9)."""

    def member(self, member_id: str, /) -> Member | None:
        """Return the member with this id, or None."""

    def calendar(self, member_id: str | None = None, /) -> Calendar:
        """Return the excused days, for everyone and for the given member, and the last settled day.

        Days before the first enrollment count as settled.
        """

    def holder_of(self, discord_id: str, /) -> DiscordActivity | None:
        """Return the account that holds this Discord id and is not unlinked; there is at most one (R7)."""

    def accounts_to_sync(self) -> Sequence[DiscordActivity]:
        """Return every account that is waiting, tracked or absent, by account id."""

    def linked_accounts(self) -> Sequence[DiscordActivity]:
        """Return every account that is not unlinked, including those of members who have left, by account id."""

    def booking(self, key: str, member_id: str | None = None, /) -> Booking:
        """Return what an award, adjustment or reversal is decided on, from one snapshot (R8)."""

    def day_record(self, day: date, /) -> DayRecord:
        """Return the streaks of the members active on a day, and of others excused alone on it."""

    def streak_of(self, member_id: str, /) -> Streak:
        """Return the member's stored streak, or one of version 0."""

    def activity(self, through: date, /) -> Activity:
        """Return every stored streak, and who was active on which day through the given one, from one snapshot."""

    def post(self, posting: Posting, /) -> Sequence[Entry]:
        """Write a posting in one transaction; return the entries that its drafts became.

        Positions rise in commit order, so a reader never finds a new entry below one it has seen (R23). Events keep
        their order and never change, except that forgetting a member erases the reasons and notes of earlier ones (R9).

        Raises `Conflict` if an account, member or streak is no longer at the version it was planned on, if a link's
        Discord id or member is taken or its member unknown or forgotten, if an event's member or account is unknown,
        if a draft's key is used or its award reversed, if the calendar changed, or if `run`, `settlement` or
        `revision` is outdated. Raises `LeaseLost` if the posting's lease is no longer held or its slot has ended.
        """


class Views(Facts, Protocol):
    """Queries for display."""

    def facts(self, member_id: str, today: date, /) -> MemberFacts | None:
        """Return what a member's standing is made from, from one snapshot; None if the member is unknown."""

    def members(self, of: Selection = ..., /, *, after: str = "", limit: int | None = None) -> Sequence[Standing]:
        """Return the standings, without streaks, of the selected members above id `after`, by member id."""

    def find(self, text: str, /, *, limit: int) -> Sequence[Found]:
        """Return the members with this id or Discord id, by member id, then those whose name matches.

        A name matches if each of `sought_words(text)` begins one of its words. Names are ordered by the first word
        that the first sought word begins, then by member id. Nobody appears twice; hidden and forgotten members are
        not found by name.
        """

    def resets(self, member_id: str, /) -> Sequence[tuple[Entry, datetime | None]]:
        """Return a member's openings and rebases, oldest first, each with the start of the good sync before it."""

    def good_runs(self, since: datetime, until: datetime, /) -> Sequence[GoodRun]:
        """Return the good syncs that began from `since` to before `until`, oldest first.

        Includes the last one before them and the first one after.
        """

    def settled(self, first_day: date, last_day: date, /) -> Mapping[date, datetime]:
        """Return the settled days from first to last, each with when it was settled."""

    def xp_read(self, account_ids: Collection[int], day: date, /) -> int | None:
        """Return the last XP read by the end of a day, of the last of these accounts that was read by then."""

    def streak_changes(self, member_id: str, /) -> Sequence[StreakChange]:
        """Return how news of settled days changed a member's streak, oldest first (R28)."""

    def lengths_reached(self, lengths: Set[int], /, *, after: int, limit: int) -> Sequence[Milestone]:
        """Return who reached any of these lengths, above number `after`, in the order they were recorded (R17a)."""

    def excusals(self, member_id: str | None = None, /) -> Sequence[Excusal]:
        """Return how days were excused and required again, oldest first; for a member, everyone's and the member's."""

    def history(
        self, member_id: str, /, *, limit: int, before: int | None = None, source: str | None = None
    ) -> Sequence[Entry]:
        """Return a member's entries, newest first, optionally below position `before` or of one source."""

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first (R23)."""

    def ranking(self, month: date | None, /, *, limit: int, present: bool = False) -> Sequence[Rank]:
        """Return the top visible members by points in a month, named by its first day, or of all time for None.

        Here and below, `present` ranks the members without those noted as having left Discord.
        """

    def streak_ranking(self, *, limit: int, present: bool = False) -> Sequence[Rank]:
        """Return the top visible members by current streak, as of the last settled day, without zeros."""

    def tally(self) -> Tally:
        """Return the store's counts."""

    def rank_of(self, member_id: str, month: date | None, /, *, present: bool = False) -> Rank | None:
        """Return a member's rank among the visible members, even for a hidden one; months as in `ranking`."""


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
        """Return everything but the entries, from one snapshot; unreadable rows are left out and reported."""

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Breach]:
        """Return everyone's entries above position `after`, oldest first, with a `Breach` for each unreadable one.

        Damage that hides all later rows comes last and has no position.
        """

    def irregularities(self) -> Sequence[Breach]:
        """Return what only the store itself can see, such as damaged files and tables or duplicate keys."""

    def rebalance(self) -> Sequence[Breach]:
        """Set every balance to the sum of its entries, in one transaction; return those that differed."""

    def reword(self) -> Sequence[Breach]:
        """Rebuild the search words from the names, in one transaction; return the members whose words differed."""


class AuditedStore(Store, Records, Protocol):
    """A store that can be audited."""
