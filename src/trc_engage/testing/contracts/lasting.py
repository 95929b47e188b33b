"""What was posted comes back as it was, with its instants and reasons, also after the store was closed."""

from contextlib import closing, nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from ...core.errors import Conflict
from ...core.incidents import FailureRun, SentNotice
from ...core.model import Link, Member, Move
from ...core.ports import Store
from ...core.posting import Draft, Posting, Settlement, SyncFailure
from ...core.records import MembershipEvent
from ...core.slots import SlotEnd, Wait
from ...core.streaks import Milestone, Streak
from .ledger import BENCHMARK, TODAY
from .story import ADA, ADA_ID, BO, BO_ID, MONDAY, StoreContract, Story
from .streaks import ALONE, CHANGE, REQUIRED

EXACT = MONDAY + timedelta(microseconds=123_457)
LATER = EXACT + timedelta(minutes=5, microseconds=1)


class InstantsContract(StoreContract):
    """No instant is cut or rounded: windows, waits and leases are compared with it."""

    @pytest.fixture
    def exact(self, story: Story) -> Story:
        """Begin with a member who is opened, and gains, at instants that are no whole seconds."""
        story.at = EXACT
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 0})
        story.sync({ADA_ID: 150})
        return story

    def test_of_members_and_entries(self, exact: Story) -> None:
        """When somebody was enrolled, when a sync posted an entry, and when an award happened."""
        member = exact.ledger.member(ADA)
        assert member is not None
        assert member.enrolled_at == EXACT
        assert [entry.at for entry in exact.ledger.history(ADA, limit=1)] == [exact.at]
        (award,) = exact.ledger.post(Posting(exact.at, drafts=[evolve(BENCHMARK, at=EXACT)]))
        assert award.at == EXACT
        assert [entry.at for entry in exact.ledger.feed(after=award.position - 1, limit=1)] == [EXACT]

    def test_of_evidence(self, exact: Story) -> None:
        """When the window in which XP rose began and ended."""
        (evidence,) = exact.ledger.evidence(ADA, date.min, date.max)
        assert (evidence.opens_at, evidence.closes_at) == (exact.at - timedelta(minutes=15), exact.at)

    def test_of_runs(self, exact: Story) -> None:
        """When the last good sync began, when failures began, and until when to wait."""
        state = exact.ledger.run_state().sync
        assert (state.good_at, state.whole_at, state.seen_at) == (exact.at, exact.at, exact.at)
        failure = SyncFailure(LATER, "rate_limited", "slow down", counts=True, retry_at=LATER + timedelta(minutes=1))
        exact.ledger.post(Posting(LATER, failure=failure))
        state = exact.ledger.run_state().sync
        assert state.failure_run == FailureRun(1, LATER, "rate_limited", "slow down")
        assert state.wait == Wait("rate_limited", LATER + timedelta(minutes=1))

    def test_of_settlements(self, exact: Story) -> None:
        """Time must not go back behind the latest of them (R22)."""
        at = exact.at + timedelta(days=1, microseconds=1)
        exact.ledger.post(Posting(at, settlement=Settlement(TODAY, exact.ledger.day_record(TODAY).revision)))
        assert exact.ledger.run_state().sync.seen_at == at

    def test_of_slots_and_notices(self, story: Story) -> None:
        """When a slot ended, since when something lasts, and when a channel was sent a notice."""
        end = SlotEnd(MONDAY, "synced", LATER)
        alert = SentNotice("webhook", "source", "alert", EXACT, LATER)
        story.ledger.post(Posting(LATER, slot=end, sent=[alert]))
        assert (story.ledger.run_state(MONDAY).slot_end(MONDAY), story.ledger.run_state().last_slot) == (end, end)
        assert list(story.ledger.run_state().notices_sent) == [alert]

    def test_of_leases(self, story: Story) -> None:
        """Since when and until when a task is leased, and renewed."""
        lease = story.ledger.lease("run", EXACT, LATER)
        assert (lease.taken_at, lease.until) == (EXACT, LATER)
        assert story.ledger.run_state().lease_of("run") == lease
        story.ledger.renew(lease, LATER + timedelta(microseconds=1))
        assert story.ledger.run_state().lease_of("run") == evolve(lease, until=LATER + timedelta(microseconds=1))


class LastingContract(StoreContract):
    """A store outlives the process, unless it says that it does not (`lasts`)."""

    def test_all_is_there_when_the_store_is_opened_again(self, story: Story, ledger: Store, tmp_path: Path) -> None:
        """Members, links, entries, streaks, calendar and run book are what they were, and go on from there."""
        if not self.lasts:
            pytest.skip("this ledger says that it does not last")
        live(story)
        before = everything(ledger)
        again: Any = self.reopen(ledger, tmp_path)
        with closing(again) if hasattr(again, "close") else nullcontext():
            assert everything(again) == before
            last = again.feed(after=0, limit=1_000)[-1].position
            (entry,) = again.post(Posting(story.at, drafts=[evolve(BENCHMARK, key="benchmark:2")]))
            assert entry.position > last


def live(story: Story) -> None:
    """Leave something of each kind in a store."""
    ledger = story.ledger
    story.enroll(ADA, ADA_ID, "Ada 雪")
    story.enroll(BO, BO_ID)
    for xp in (0, 310):
        story.sync({ADA_ID: xp, BO_ID: 50})
    story.restate(BO, "left")
    tomorrow = TODAY + timedelta(days=1)
    ledger.post(Posting(story.at, events=[MembershipEvent(0, BO, "left", EXACT, "admin-7", "a move", "a note")]))
    (award,) = ledger.post(Posting(MONDAY, drafts=[BENCHMARK], streaks=[Streak(ADA, 0, TODAY, 1, 1)]))
    ledger.post(Posting(story.at, settlement=Settlement(TODAY, ledger.day_record(TODAY).revision)))
    ledger.post(Posting(story.at, excusals=[ALONE, evolve(ALONE, day=tomorrow), evolve(REQUIRED, day=tomorrow)]))
    bonus = evolve(BENCHMARK, key="bonus:1", counts_as_activity=False)
    ledger.post(Posting(story.at, drafts=[bonus], changes=[CHANGE], reached=[Milestone(ADA, 1)]))
    failure = SyncFailure(story.at, "rate_limited", "slow down", counts=True, retry_at=story.at + timedelta(minutes=1))
    notice = SentNotice("webhook", "source", "alert", MONDAY, story.at)
    ledger.post(Posting(story.at, failure=failure, slot=SlotEnd(MONDAY, "failed", story.at), sent=[notice]))
    assert ledger.entry_of("benchmark:1") == award


def everything(ledger: Store) -> dict[str, object]:
    """Return all that a store tells of what `live` left in it."""
    month = TODAY.replace(day=1)
    return {
        "members": [ledger.member(member_id) for member_id in (ADA, BO)],
        "standings": ledger.members(),
        "accounts": [ledger.account_of(ADA), ledger.account_of(BO), ledger.holder_of(BO_ID)],
        "sought": ledger.accounts_to_sync(),
        "entries": ledger.feed(after=0, limit=1_000),
        "events": ledger.events(None),
        "award": ledger.entry_of("benchmark:1"),
        "evidence": ledger.evidence(ADA, date.min, date.max),
        "ranks": [ledger.ranking(when, limit=10) for when in (None, month)],
        "activity": ledger.activity(date.max),
        "calendar": ledger.calendar(),
        "excusals": ledger.excusals(),
        "changes": ledger.streak_changes(ADA),
        "lengths": ledger.lengths_reached({1, 5}, after=0, limit=10),
        "runs": ledger.run_state().sync,
        "slots": [ledger.run_state(MONDAY).slot_end(MONDAY), ledger.run_state().last_slot],
        "notices": ledger.run_state().notices_sent,
    }


class OriginsContract(StoreContract):
    """Why and by whom points were booked (R8), and from which day on there is evidence (R15)."""

    @pytest.mark.parametrize("kind", ["adjustment", "reversal"])
    def test_a_reason_and_who_gave_it_are_kept(self, story: Story, kind: str) -> None:
        """Whoever reads the entry finds both as they were written, however it is asked for."""
        story.enroll(BO)
        (award,) = story.ledger.post(Posting(MONDAY, drafts=[evolve(BENCHMARK, member_id=BO)]))
        draft = Draft("adjustment", BO, "adjustment", -7, TODAY, MONDAY, "fix:1", "a typo 雪", "admin-7")
        if kind == "reversal":
            draft = evolve(draft, kind="reversal", source="benchmark", points=-50, key=None, reverses=award.position)
        (posted,) = story.ledger.post(Posting(MONDAY, drafts=[draft]))
        found = story.ledger.entry_of("fix:1") if kind == "adjustment" else story.ledger.reversal_of(award.position)
        assert (posted.kind, posted.reason, posted.actor) == (kind, "a typo 雪", "admin-7")
        assert found == posted
        assert story.ledger.history(BO, limit=1) == [posted]
        assert story.ledger.feed(after=award.position, limit=9) == [posted]

    def test_activity_is_of_any_kind(self, story: Story) -> None:
        """Day by day, oldest first and through the day asked for: by Discord, by an award or by both, each once."""
        assert story.ledger.activity(date.max).days == []
        story.enroll(ADA, ADA_ID)
        story.enroll(BO)
        story.sync({ADA_ID: 0})
        assert story.ledger.activity(date.max).days == []
        story.at += timedelta(days=3)
        story.sync({ADA_ID: 0})
        story.sync({ADA_ID: 10})
        tuesday, thursday = TODAY + timedelta(days=1), TODAY + timedelta(days=3)
        for member_id, day in ((BO, thursday), (ADA, thursday), (BO, tuesday)):
            draft = evolve(BENCHMARK, member_id=member_id, day=day, key=f"benchmark:{member_id}:{day}")
            (award,) = story.ledger.post(Posting(story.at, drafts=[draft]))
        found = [(day, sorted(active)) for day, active in story.ledger.activity(thursday).days]
        assert found == [(tuesday, [BO]), (thursday, [ADA, BO])]
        assert [day for day, _ in story.ledger.activity(thursday - timedelta(days=1)).days] == [tuesday]
        gone = evolve(BENCHMARK, kind="reversal", member_id=BO, day=tuesday, key=None, reverses=award.position)
        story.ledger.post(Posting(story.at, drafts=[gone]))
        assert [day for day, _ in story.ledger.activity(date.max).days] == [thursday]


class RefusalsContract(StoreContract):
    """A posting is `Conflict` where it names something twice or nobody has it, also where no use case makes one."""

    @pytest.fixture
    def members(self, story: Story) -> Story:
        """Begin with two members, one of them linked and opened."""
        story.enroll(ADA, ADA_ID)
        story.enroll(BO)
        story.sync({ADA_ID: 0})
        return story

    @pytest.mark.parametrize("named", ["key", "reversal", "member", "streak", "linked member", "linked id", "account"])
    def test_what_is_named_twice_is_not_written(self, members: Story, named: str) -> None:
        """A posting that names a key, an award, a member or an id twice is `Conflict`, though no use case makes one."""
        (award,) = members.ledger.post(Posting(MONDAY, drafts=[BENCHMARK]))
        before = members.meaning()
        gone = evolve(BENCHMARK, kind="reversal", points=-50, key=None, reverses=award.position)
        move, new = Move.of_status(members.account(ADA), "left", "opens"), Member("m-new", None, MONDAY)
        one, other = "80351110224678991", "80351110224678992"
        twice = {
            "key": Posting(MONDAY, drafts=[evolve(BENCHMARK, key="benchmark:9")] * 2),
            "reversal": Posting(MONDAY, drafts=[gone] * 2),
            "member": Posting(MONDAY, members=[new, evolve(new, name="New")]),
            "streak": Posting(MONDAY, streaks=[Streak(ADA, 0, TODAY, 1, 1), Streak(ADA, 1, TODAY, 1, 1)]),
            "linked member": Posting(MONDAY, links=[Link(BO, one), Link(BO, other)]),
            "linked id": Posting(MONDAY, members=[new], links=[Link(new.member_id, one), Link(BO, one)]),
            "account": Posting(MONDAY, moves=[move, move]),
        }
        with pytest.raises(Conflict):
            members.ledger.post(twice[named])
        assert members.meaning() == before

    @pytest.mark.parametrize("flaw", ["draft", "reversal", "move", "streak"])
    def test_what_names_nobody_is_not_written(self, members: Story, flaw: str) -> None:
        """A member, an account or an award that is not there is `Conflict`."""
        before = members.meaning()
        nobodys = evolve(members.account(ADA), account_id=999)
        naming = {
            "draft": Posting(MONDAY, drafts=[evolve(BENCHMARK, member_id="m-nobody")]),
            "reversal": Posting(MONDAY, drafts=[evolve(BENCHMARK, kind="reversal", key=None, reverses=999)]),
            "move": Posting(MONDAY, moves=[Move.of_status(nobodys, "left", "opens")]),
            "streak": Posting(MONDAY, streaks=[Streak("m-nobody", 0, TODAY, 1, 1)]),
        }
        with pytest.raises(Conflict):
            members.ledger.post(naming[flaw])
        assert members.meaning() == before
