"""The ledger contract for reads (standings, ranks, histories, search) and for the doctor."""

from contextlib import closing, nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ...core.audit import Breach
from ...core.incidents import SentNotice
from ...core.model import Entry, Member, Move
from ...core.ports import Store
from ...core.posting import SyncFailure, drafted
from ...core.records import Check
from ...core.reports import DiscordStanding, Found, Rank, Selection, Standing
from ...core.roster import Round
from ...core.slots import SlotEnd
from ...core.streaks import Milestone, Streak
from ...usecases import audit as doctor
from .ledger import ALONE, CHANGE, REQUIRED
from .members import LEFT
from .story import (
    ADA,
    ADA_ID,
    BENCHMARK,
    BO,
    BO_ID,
    CY,
    DAY,
    LATER,
    MONDAY,
    NOBODY,
    TODAY,
    AuditedStory,
    StoreContract,
    Story,
)

DEE = "m-dee"
PICKED = {
    "some ids": (Selection(frozenset({CY, BO, NOBODY})), [BO, CY]),
    "no ids": (Selection(frozenset()), []),
    "a part of a name": (Selection(words=["bo"]), [BO, DEE]),
    "parts of a name": (Selection(words=["owi", "de"]), [DEE]),
    "a name without words": (Selection(words=[]), []),
    "a status": (Selection(status="tracked"), [ADA, BO]),
    "without an account": (Selection(status="none"), [CY]),
    "never seen": (Selection(never_seen=True), [DEE]),
    "all of it": (Selection(frozenset({BO, DEE}), ["bo"], "waiting", never_seen=True), [DEE]),
}
NAMES = {
    "m-1": "Ada Lovelace",
    "m-2": "ada KING",
    "m-3": "Grace (Ada) Hopper",
    "m-4": "Adam Smith",
    "m-5": "Zo\u00e9 Stra\u00dfe",
    "m-6": "\uff21\uff44\uff41\u200d-Marie \u2605",
    "m-7": "\u6771\u4eac\u592a\u90ce",
    "m-8": "\u0928\u092e\u0938\u094d\u0924\u0947",
    "m-9": "\u0412\u0435\u0440\u0430 \u2603",
}
SEARCHES: dict[str, list[str]] = {
    "ada": ["m-1", "m-2", "m-3", "m-6", "m-4"],
    "ADA": ["m-1", "m-2", "m-3", "m-6", "m-4"],
    "ada lov": ["m-1"],
    "Lovelace, Ada": ["m-1"],
    "hop gra ada": ["m-3"],
    "ada ada": ["m-1", "m-2", "m-3", "m-6", "m-4"],
    "lace": [],
    "da": [],
    "ada smith": ["m-4"],
    "zo\u00c9": ["m-5"],
    "zoe\u0301": ["m-5"],
    "strasse": ["m-5"],
    "marie": ["m-6"],
    "\u2605": ["m-6"],
    "\u6771\u4eac": ["m-7"],
    "\u592a\u90ce": [],
    "\u0928\u092e": ["m-8"],
    "\u0432\u0435\u0440": ["m-9"],
    "m-4": ["m-4"],
    "m-": ["m-6"],
    "": [],
    "   ": [],
    "%": [],
    "_": [],
    "' OR 1=1 --": [],
}
MONTHS = (None, *(date(2026, month, 1) for month in (2, 3, 4, 5, 6)))
CROWD = [f"z-{number:02}" for number in range(20)]
"""Members without points."""


class ViewsContract(StoreContract):
    """Search, ranks, standings, lists of members, and entries (R9, R23)."""

    @pytest.mark.parametrize(("text", "found"), SEARCHES.items())
    def test_words_are_found_by_their_beginnings(self, story: Story, text: str, found: list[str]) -> None:
        """Each search word must begin a word of the name, in any order, case or Unicode form; whole words first."""
        for member_id, name in NAMES.items():
            story.enroll(member_id, name=name)
        assert story.ledger.find(text, limit=9) == [Found(one, NAMES[one]) for one in found]
        assert story.ledger.find(text, limit=1) == [Found(one, NAMES[one]) for one in found[:1]]

    def test_ids_are_found_whole_and_first(self, story: Story) -> None:
        """Whole ids of members and Discord accounts are found, before names, and no member twice."""
        story.enroll("ada", BO_ID, "Ada Bo")
        story.enroll(CY, name=BO_ID)
        story.enroll("adam", name="Ada")
        assert [one.member_id for one in story.ledger.find("ada", limit=9)] == ["ada", "adam"]
        assert [one.member_id for one in story.ledger.find(BO_ID, limit=9)] == ["ada", CY]
        assert story.ledger.find(BO_ID[:-1], limit=9) == [Found(CY, BO_ID)]

    def test_nobody_is_found_by_what_is_gone_hidden_or_forgotten(self, story: Story) -> None:
        """Old, hidden and forgotten names and unlinked ids find no one; a hidden member is still found by id."""
        for who, discord_id in ((ADA, ADA_ID), (BO, BO_ID)):
            story.enroll(who, discord_id, "Mary King")
        story.change(ADA, name="Mary", is_hidden=True)
        story.restate(BO, "unlinked")
        story.change(BO, name=None, is_forgotten=True)
        for gone in ("mary", "king", BO_ID):
            assert story.ledger.find(gone, limit=9) == []
        assert story.ledger.find(BO, limit=9) == [Found(BO, None)]
        assert story.ledger.find(ADA, limit=9) == story.ledger.find(ADA_ID, limit=9) == [Found(ADA, "Mary")]
        story.change(ADA, is_hidden=False)
        assert story.ledger.find("mary", limit=9) == [Found(ADA, "Mary")]
        assert story.ledger.find("king", limit=9) == []

    def test_a_name_of_any_length_can_be_kept(self, story: Story) -> None:
        """A name of any length is kept, and found by a long word or one of its first 32 words."""
        story.enroll(ADA, name="x" * 4_000)
        story.enroll(BO, name=" ".join(f"w{number:02}" for number in range(1_000)))
        for text, found in (("x" * 4_000, [ADA]), ("w31", [BO]), ("w32", [])):
            assert [one.member_id for one in story.ledger.find(text, limit=9)] == found

    def test_there_is_nothing_to_mend(self, audited: AuditedStory) -> None:
        """Search words stay in step with names that are hidden, forgotten or changed."""
        for who in (ADA, BO, CY):
            audited.enroll(who, name=f"{who} of Somewhere")
        audited.change(ADA, is_hidden=True)
        audited.change(BO, name=None, is_forgotten=True)
        audited.change(CY, name="Nobody")
        assert list(audited.ledger.irregularities()) == []
        assert list(audited.ledger.reword()) == []

    @pytest.fixture
    def ranked(self, members: Story) -> Story:
        """Let members gain, lose and owe points for months; one is hidden, one forgotten, and one has left."""
        members.post(members=[Member(who, who.upper(), MONDAY) for who in ("hidden", "gone", "even", *CROWD)])
        for number, xp in enumerate((1_750, 1_330, 2_940, 2_280)):
            members.sync({ADA_ID: xp, BO_ID: 5_050 - xp})
            award = evolve(BENCHMARK, day=members.at.date(), at=members.at, key=f"benchmark:{number}")
            (entry,) = members.post(drafts=[award])
            members.at += 20 * DAY
            fixes = [(CY, -number), ("hidden", 30 * number), ("gone", 9), ("even", 50 if number == 1 else 0)]
            adjustments = [
                drafted("adjustment", who, "adjustment", points, members.at.date(), members.at, f"{who}:{number}")
                for who, points in fixes
                if points
            ]
            members.post(
                drafts=[*adjustments, *([members.reversal(entry, day=members.at.date())] if number < 3 else [])]
            )
        members.change("hidden", is_hidden=True)
        members.post(members=[members.member("gone").forgotten()])
        members.restate(BO, "left")
        return members

    @pytest.mark.parametrize("present", [False, True])
    @pytest.mark.parametrize("month", MONTHS)
    def test_ranks_are_those_of_the_sums_of_entries(self, ranked: Story, month: date | None, *, present: bool) -> None:
        """Ranks follow the sums of entries, of all time or a month; unlisted members lower no rank but have one."""
        everyone = ranked.ledger.members()
        points = dict.fromkeys((one.member_id for one in everyone), 0)
        for entry in ranked.ledger.feed(after=0, limit=1_000):
            points[entry.member_id] += entry.points * (month in {None, entry.day.replace(day=1)})
        listed = [
            *(
                one.member_id
                for one in everyone
                if not (one.is_hidden or one.is_forgotten or (present and one.has_left))
            )
        ]
        own = {
            one.member_id: Rank(
                1 + sum(points[other] > points[one.member_id] for other in listed),
                *(one.member_id, one.name, points[one.member_id]),
                has_left=one.member_id == BO,
            )
            for one in everyone
        }
        ranks = sorted((own[who] for who in listed), key=lambda one: (one.rank, one.member_id))
        for limit in (1, 2, 3, 5, 1_000):
            assert ranked.ledger.ranking(month, limit=limit, present=present) == ranks[:limit]
        assert {who: ranked.ledger.rank_of(who, month, present=present) for who in own} == own
        if not present:
            assert ranked.ledger.ranking(month, limit=9) == ranks[:9]
            assert ranked.ledger.rank_of(CY, month) == own[CY]
        assert ranked.ledger.rank_of(NOBODY, month, present=present) is None

    def test_current_streaks_rank_by_length(self, ranked: Story) -> None:
        """Current streaks rank by length, equal ones share a rank; broken, hidden and forgotten ones are not listed."""
        assert ranked.ledger.streak_ranking(limit=10) == []
        lengths = {ADA: 3, BO: 7, CY: 3, "even": 9, "hidden": 8, "gone": 8}
        broken = TODAY - 3 * DAY
        streaks = [Streak(one, 0, broken if one == "even" else TODAY, days, 9) for one, days in lengths.items()]
        ranked.post(streaks=streaks)
        ranked.post(settlement=ranked.settlement())
        points = {one.member_id: one.points for one in ranked.ledger.members()}
        told = [
            ranked.ledger.streak_ranking(limit=limit, present=present) for limit, present in ((9, False), (9, True))
        ]
        assert [
            [(one.rank, one.member_id, one.streak, one.points, one.has_left) for one in ranks] for ranks in told
        ] == [
            [(1, BO, 7, points[BO], True), (2, ADA, 3, points[ADA], False), (2, CY, 3, points[CY], False)],
            [(1, ADA, 3, points[ADA], False), (1, CY, 3, points[CY], False)],
        ]
        assert ranked.ledger.streak_ranking(limit=2) == told[0][:2]

    def test_a_standing_shows_points_and_xp(self, members: Story) -> None:
        """A standing shows points in total and by source, and the account, even an unlinked one, or None."""
        members.sync({ADA_ID: 1_275, BO_ID: 360})
        members.restate(BO, "unlinked")
        told = [
            Standing(
                ADA, members.member(ADA).name, 2, {"discord": 2}, DiscordStanding(ADA_ID, "tracked", 1_275, 1_000)
            ),
            Standing(BO, "Bo", 3, {"discord": 3}, DiscordStanding(BO_ID, "unlinked", 360, 50)),
            Standing(CY, None, 0, {}, None),
        ]
        assert [members.standing(one.member_id) for one in told] == told

    def test_members_are_listed_by_id(self, story: Story) -> None:
        """Members are listed by id, in pages, with the same standings as when read one by one."""
        for who, discord_id in ((BO, BO_ID), (ADA, ADA_ID)):
            story.enroll(who, discord_id)
        for xp in (10, 910):
            story.sync({ADA_ID: xp, BO_ID: 5})
        assert story.ledger.members() == [story.standing(ADA), story.standing(BO)]
        assert story.ledger.members(limit=1) == [story.standing(ADA)]
        assert story.ledger.members(after=ADA, limit=1) == [story.standing(BO)]
        assert story.ledger.members(after=BO) == []

    @pytest.mark.parametrize("of", PICKED.values(), ids=PICKED)
    def test_members_are_picked_before_they_are_paged(self, members: Story, of: tuple[Selection, list[str]]) -> None:
        """Members listed match every filter given, before paging, and hidden members are included."""
        members.sync({ADA_ID: 1_310, BO_ID: 70})
        members.enroll(DEE, "400", "Dee Bowie")
        members.change(BO, is_hidden=True)
        selection, ids = of
        assert [one.member_id for one in members.ledger.members(selection)] == ids
        paged = [members.ledger.members(selection, after=after, limit=1) for after in ["", *ids]]
        assert [[one.member_id for one in page] for page in paged] == [*([one] for one in ids), []]

    def test_the_tally_counts_members_accounts_and_entries(self, members: Story) -> None:
        """The tally counts members, entries, and accounts by status, unlinked ones too, without zeros."""
        members.sync({ADA_ID: 1_310, BO_ID: 70})
        members.restate(BO, "unlinked")
        members.enroll("m-dee", BO_ID)
        tally = members.ledger.tally()
        assert (tally.members, dict(tally.accounts)) == (4, {"tracked": 1, "unlinked": 1, "waiting": 1})
        assert tally.entries == len(members.ledger.feed(after=0, limit=1_000)) == 3
        assert tally.store
        assert tally.size_bytes is None or tally.size_bytes > 0

    @pytest.fixture
    def seven_entries(self, members: Story) -> Story:
        """Let two members earn, so that there are entries at positions 1 to 7."""
        for step in range(1, 4):
            members.sync({ADA_ID: 1_000 + 100 * step, BO_ID: 50 + 100 * step * (step != 2)})
        return members

    def test_the_feed_tells_every_entry_once_in_order(self, seven_entries: Story) -> None:
        """Reading page by page from the last position seen gives each entry exactly once, and nothing past the end."""
        everything = seven_entries.ledger.feed(after=0, limit=1_000)
        positions = [entry.position for entry in everything]
        assert positions == sorted(set(positions))
        paged: list[Entry] = []
        after = 0
        while page := seven_entries.ledger.feed(after=after, limit=2):
            assert page[0].position > after
            paged += page
            after = page[-1].position
        assert paged == everything

    def test_history_is_newest_first_and_pages(self, seven_entries: Story) -> None:
        """A member's history is newest first, and its pages continue each other without other members' entries."""
        ledger = seven_entries.ledger
        whole = ledger.history(ADA, limit=1_000)
        assert whole == [entry for entry in reversed(ledger.feed(after=0, limit=1_000)) if entry.member_id == ADA]
        first = ledger.history(ADA, limit=2)
        assert [*first, *ledger.history(ADA, limit=1_000, before=first[-1].position)] == whole
        assert ledger.history(ADA, limit=10, before=1) == []

    def test_history_of_one_source_pages_too(self, seven_entries: Story) -> None:
        """A page of one source's history is filled with entries of that source only."""
        ledger = seven_entries.ledger
        for number in (1, 2):
            seven_entries.post(drafts=[evolve(BENCHMARK, key=f"k-{number}")])
            seven_entries.sync({ADA_ID: 3_000 * number})
        later, earlier = ledger.history(ADA, limit=9, source="benchmark")
        assert (later.key, earlier.key) == ("k-2", "k-1")
        assert ledger.history(ADA, limit=1, source="benchmark") == [later]
        assert ledger.history(ADA, limit=1, source="benchmark", before=later.position) == [earlier]


class RecordsContract(StoreContract):
    """Everything in a store can be audited, what is derived can be rebuilt, and all of it survives reopening."""

    @pytest.fixture
    def lived(self, audited: AuditedStory) -> AuditedStory:
        """Let a member earn, another be linked and unlinked, and the award of a third be reversed."""
        audited.enroll(ADA, ADA_ID, "Ada")
        audited.enroll(BO, BO_ID)
        audited.enroll(CY)
        for step in range(4):
            audited.sync({ADA_ID: 130 * step, BO_ID: 500})
        (award,) = audited.post(drafts=[evolve(BENCHMARK, member_id=CY)])
        audited.post(drafts=[audited.reversal(award)])
        audited.restate(BO, "unlinked")
        return audited

    def test_an_empty_store_is_found_sound(self, audited: AuditedStory) -> None:
        """The doctor finds nothing wrong with an empty store."""
        assert doctor.audit(audited.ledger).breaches == []

    def test_a_sound_store_is_found_sound(self, lived: AuditedStory) -> None:
        """The doctor finds nothing wrong, and nothing to rebuild, in a store that was used correctly."""
        audit = doctor.audit(lived.ledger)
        assert (audit.breaches, audit.members, audit.accounts, audit.entries) == ([], 3, 2, 7)
        assert lived.ledger.irregularities() == []
        assert lived.ledger.rebalance() == []

    def test_holdings_are_what_the_other_ports_tell(self, lived: AuditedStory) -> None:
        """Holdings match what the other ports return, and include unlinked accounts."""
        held, ledger = lived.ledger.holdings(), lived.ledger
        assert [ledger.member(member.member_id) for member in held.members] == list(held.members)
        assert [account.status for account in held.accounts] == ["tracked", "unlinked"]
        assert held.accounts[0] == lived.account(ADA)
        points = {member_id: sum(balance.values()) for member_id, balance in held.balances.items()}
        assert {one.member_id: points.get(one.member_id, 0) for one in ledger.members()} == {
            one.member_id: one.points for one in ledger.members()
        }
        assert list(held.streaks) == list(ledger.activity(date.max).streaks)
        assert held.calendar == ledger.calendar()
        assert list(held.unreadable) == []
        rose = {(rises.day, account_id) for rises in held.rises for account_id in rises.account_ids}
        assert rose == {(one.day, one.account_id) for one in ledger.evidence(ADA, date.min, date.max)}

    def test_lines_are_the_feed(self, lived: AuditedStory) -> None:
        """Lines are the entries of the feed, in pages, up to the holdings' last position."""
        everything = lived.ledger.feed(after=0, limit=1_000)
        assert lived.ledger.holdings().last_position == everything[-1].position
        pages = [lived.ledger.lines(after=after, limit=4) for after in (0, everything[3].position)]
        assert [line for page in pages for line in page] == list(everything)
        assert list(lived.ledger.lines(after=everything[-1].position, limit=4)) == []

    def test_a_wrong_streak_is_found_and_made_anew(self, lived: AuditedStory) -> None:
        """A wrong streak is found and rebuilt from the evidence; a second repair changes nothing."""
        lived.post(streaks=[Streak(ADA, 0, TODAY, 9, 9)])
        (found,) = doctor.audit(lived.ledger).breaches
        assert (found.check, found.subject) == ("streak", f"member {ADA!r}")
        repair = doctor.repair(lived.ledger, lived.at)
        was, becomes = "9 to 2026-03-02 (longest 9)", "none (longest 0)"
        assert repair.changes == [Breach("streak", f"member {ADA!r}", "the streak", was, becomes)]
        assert repair.audit.is_healthy
        assert doctor.repair(lived.ledger, lived.at).changes == []

    def test_an_entry_that_does_not_follow_is_found(self, lived: AuditedStory) -> None:
        """Points that do not follow from the XP are a breach of both the entry and the account."""
        lived.at += timedelta(minutes=15)
        planned = lived.planned({ADA_ID: 1_000})
        lived.ledger.post(evolve(planned, moves=[evolve(move, points=99) for move in planned.moves]))
        checks = {breach.check for breach in doctor.audit(lived.ledger).breaches}
        assert {"entry", "account"} <= checks

    def test_the_doctor_compares_accounts_with_their_events(self, lived: AuditedStory) -> None:
        """An account whose status contradicts its last event is a breach."""
        account = lived.account(ADA)
        left = evolve(LEFT, account_id=account.account_id)
        lived.post(moves=[Move.of_status(account, "left", account.next_reading)], events=[left])
        assert doctor.audit(lived.ledger).is_healthy
        lived.post(events=[evolve(left, kind="returned")])
        assert [breach.check for breach in doctor.audit(lived.ledger).breaches] == ["event"]

    @pytest.fixture
    def earned(self, audited: AuditedStory) -> AuditedStory:
        """Let a member earn points from Discord and for a benchmark."""
        audited.enroll(ADA, ADA_ID)
        for xp in (0, 310):
            audited.sync({ADA_ID: xp})
        audited.post(drafts=[BENCHMARK])
        return audited

    def test_a_wrong_balance_is_found_and_made_anew(self, earned: AuditedStory) -> None:
        """A wrong balance is found, reset to the sum of its entries, and reported."""
        if type(self).unbalance is StoreContract.unbalance:
            pytest.skip("define `unbalance` to test `rebalance`")
        before = earned.standing(ADA)
        self.unbalance(earned.ledger, ADA)
        assert earned.standing(ADA).points != before.points
        assert [breach.check for breach in doctor.audit(earned.ledger).breaches] == ["balance"]
        (change,) = earned.ledger.rebalance()
        assert (change.check, change.expected) == ("balance", "50")
        assert earned.standing(ADA) == before
        assert earned.ledger.rebalance() == []
        assert doctor.audit(earned.ledger).is_healthy

    def test_what_only_the_store_can_see_is_told(self, earned: AuditedStory) -> None:
        """Damage that only the store itself can see is in its `irregularities` and in the audit."""
        if type(self).damage is StoreContract.damage:
            pytest.skip("define `damage` to test `irregularities`")
        assert earned.ledger.irregularities() == []
        self.damage(earned.ledger)
        assert earned.ledger.irregularities() != []
        assert not doctor.audit(earned.ledger).is_healthy

    def test_all_is_there_when_the_store_is_opened_again(self, members: Story, ledger: Store, tmp_path: Path) -> None:
        """Everything is the same after the store is opened again, and new entries continue after the last one."""
        if not self.lasts:
            pytest.skip("`lasts` is False")
        _live(members)
        before, last = members.meaning(), ledger.feed(after=0, limit=1_000)[-1].position
        again: Any = self.reopen(ledger, tmp_path)
        with closing(again) if hasattr(again, "close") else nullcontext():
            members.ledger = again
            assert members.meaning() == before
            (entry,) = members.post(drafts=[evolve(BENCHMARK, key="benchmark:2")])
            assert entry.position > last


def _live(story: Story) -> None:
    """Store something of each kind."""
    story.sync({ADA_ID: 1_310, BO_ID: 50})
    story.restate(BO, "left")
    bonus = evolve(BENCHMARK, key="bonus:1", counts_as_activity=False)
    story.post(drafts=[BENCHMARK], streaks=[Streak(ADA, 0, TODAY, 1, 1)], events=[evolve(LEFT, member_id=BO)])
    story.post(drafts=[bonus], changes=[CHANGE], reached=[Milestone(ADA, 1)], settlement=story.settlement())
    story.post(excusals=[ALONE, evolve(ALONE, day=TODAY + DAY), evolve(REQUIRED, day=TODAY + DAY)])
    story.post(round=Round(MONDAY, LATER, [Check(1, "1", LATER, present_at=MONDAY)]))
    failure = SyncFailure(story.at, "rate_limited", "slow down", counts=True, retry_at=LATER)
    notice = SentNotice("webhook", "source", "alert", MONDAY, LATER)
    story.post(failure=failure, slot=SlotEnd(MONDAY, "failed", LATER), sent=[notice])
