"""No order of reading, adopting and leaving boards pays for history (R2, R3, R6, R24)."""

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Literal

import pytest
from attrs import Factory, define

from support.community import IDS, MONDAY, opened
from trc_engage import Board, Engage, InvalidValue, SourceError
from trc_engage.core.ports import Store
from trc_engage.usecases.audit import audit

PEOPLE = ("ada", "bo", "cy", "dee")
BOARDS = ("", "mee6:1", "mee6:2", "lurkr:1")
HISTORY = 10**8
"""More XP than can be earned in any of these lives, so paying for it shows at once."""
STEPS = 40
ORDERS = {"memory": 500, "sqlite": 60, "postgres": 20}
Next = Literal["opens", "begins", "continues", "returns", "rebases"]


@define(eq=False)
class Account:
    """The oracle's view of a link: the XP that counted, and what its next reading does."""

    person: str
    since: datetime
    chatted_before: int
    next: Next = "opens"
    xp: int = 0
    counted: int = 0
    has_left: bool = False

    def read(self, xp: int, at: datetime) -> None:
        """Apply a reading of the accepted board."""
        minutes = (at - self.since).total_seconds() / 60
        is_new = self.next == "begins" and xp > max(1_500, 100 * minutes)
        if not (is_new or self.next in {"opens", "rebases"} or (self.next == "returns" and xp < self.xp)):
            self.counted += xp - self.xp
        self.xp, self.next, self.since = xp, "continues", at

    def unseen(self, at: datetime) -> None:
        """Apply a board that was read whole and does not show the account."""
        if self.next in {"opens", "rebases"}:
            self.xp, self.next = 0, "begins"
        self.since = at


@define(eq=False)
class Life:
    """Boards with true XP, one of which is read, and a store to compare with the oracle."""

    ledger: Store
    random: Random
    now: datetime = MONDAY
    board_id: str = BOARDS[1]
    known: str | None = None
    xp: dict[str, dict[str, int]] = Factory(dict)
    chatted: dict[str, int] = Factory(lambda: dict.fromkeys(PEOPLE, 0))
    hidden: set[str] = Factory(set)
    missed: set[str] = Factory(set)
    accounts: dict[str, Account] = Factory(dict)
    closed: list[tuple[str, Account]] = Factory(list)
    engage: Engage = Factory(
        lambda self: Engage(ledger=self.ledger, source=self, clock=lambda: self.now), takes_self=True
    )

    def __attrs_post_init__(self) -> None:
        for board_id in BOARDS:
            self.xp[board_id] = {person: HISTORY * (1 + self.random.randrange(9)) for person in PEOPLE}
        for person in PEOPLE:
            self.engage.enroll(person, discord_id=IDS[person])
            self.accounts[person] = Account(person, self.now, self.chatted[person])

    def read(self, sought: frozenset[str], /) -> Board:
        """Return the board that is read now, as a source does."""
        ids = {IDS[one]: xp for one, xp in self.xp[self.board_id].items() if one not in self.hidden | self.missed}
        missed = frozenset(IDS[one] for one in self.missed) & sought
        readings = {discord_id: xp for discord_id, xp in ids.items() if discord_id in sought}
        return Board(readings, whole=True, rows=len(PEOPLE) + 20, pages=1, missed=missed)

    def step(self) -> None:
        """Let time pass, and do one random thing."""
        self.now += self.random.choice([timedelta(minutes=15), timedelta(hours=6)])
        deeds = (
            self.chat,
            self.chat,
            self.sync,
            self.sync,
            self.sync,
            self.adopt,
            self.turn,
            self.come_or_go,
            self.relink,
        )
        self.random.choice(deeds)()

    def chat(self) -> None:
        """Let a member earn XP on every board; what a board loses of it is lost for good."""
        person = self.random.choice(PEOPLE)
        earned = self.random.choice([20, 60, 130, 400])
        self.chatted[person] += earned
        for board_id in BOARDS:
            lost = self.random.choice([0, 0, 0, 150])
            self.xp[board_id][person] = max(self.xp[board_id][person] + earned - lost, 0)

    def turn(self) -> None:
        """Read another board, hide or show a member, let one be missed, or reset one who has left."""
        self.board_id = self.random.choice(BOARDS)
        self.hidden ^= {self.random.choice(PEOPLE)}
        self.missed = {self.random.choice(PEOPLE)} if self.random.random() < 0.3 else set()
        person = self.random.choice(PEOPLE)
        if person in self.accounts and self.accounts[person].has_left:
            self.xp[self.board_id][person] = 0

    def sync(self) -> None:
        """Sync, which must fail on a board that was not adopted."""
        if self.known not in {None, self.board_id}:
            with pytest.raises(SourceError, match="different boards"):
                self.engage.sync(fresh=True)
            return
        self.engage.sync(fresh=True)
        if any(not account.has_left for account in self.accounts.values()):
            self._take()

    def adopt(self) -> None:
        """Adopt the board that is read, which must fail if it was adopted already."""
        if self.known == self.board_id:
            with pytest.raises(InvalidValue, match="already"):
                self.engage.sync(adopt_board=True, by="admin", reason="moved")
            return
        self.engage.sync(adopt_board=True, by="admin", reason="moved")
        for account in self.accounts.values():
            if account.next != "opens":
                account.next = "rebases"
        self._take()

    def come_or_go(self) -> None:
        """Let a member leave or return."""
        person = self.random.choice(PEOPLE)
        account = self.accounts.get(person)
        if account is None:
            return
        account.has_left = not account.has_left
        if account.has_left:
            self.engage.leave(person)
            return
        self.engage.rejoin(person)
        account.since = self.now
        if account.next == "continues":
            account.next = "returns"

    def relink(self) -> None:
        """Unlink a member, or link one to a free id, whether it was the member's own or another's."""
        member = self.random.choice(PEOPLE)
        if member in self.accounts:
            self.engage.unlink(member)
            self.closed.append((member, self.accounts.pop(member)))
            return
        free = [one for one in PEOPLE if one not in {account.person for account in self.accounts.values()}]
        person = self.random.choice(free)
        self.engage.link(member, IDS[person])
        self.accounts[member] = Account(person, self.now, self.chatted[person])

    def _take(self) -> None:
        self.known = self.board_id
        for account in self.accounts.values():
            if account.has_left or account.person in self.missed:
                continue
            if account.person in self.hidden:
                account.unseen(self.now)
            else:
                account.read(self.xp[self.board_id][account.person], self.now)

    def check(self) -> None:
        """Compare every account and every member's points with the oracle."""
        for member in PEOPLE:
            mine = [account for of, account in self.closed if of == member]
            if account := self.accounts.get(member):
                held = self.ledger.account_of(member)
                assert held is not None
                assert (held.xp_total - held.xp_baseline, held.next_reading) == (account.counted, account.next), member
                mine.append(account)
            points = self.engage.standing(member).points
            assert points == sum(one.counted // 100 for one in mine), member
            for one in mine:
                assert one.counted <= self.chatted[one.person] - one.chatted_before, f"history of {member} was paid"


@pytest.mark.parametrize("kind", ORDERS)
def test_no_order_pays_for_history(kind: str, tmp_path: Path) -> None:
    """In any order, each account pays exactly for the XP that counted, and never more than was earned while linked."""
    for seed in range(ORDERS[kind]):
        folder = tmp_path / f"{seed}"
        folder.mkdir()
        with opened(kind, folder) as ledger:
            life = Life(ledger, Random(seed))
            for number in range(STEPS):
                life.step()
                try:
                    life.check()
                except AssertionError as error:
                    error.add_note(f"order {seed}, step {number}")
                    raise
            assert audit(ledger).is_healthy, f"order {seed}"
