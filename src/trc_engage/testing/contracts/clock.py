"""What a ledger promises of decisions about the clock (R22)."""

from datetime import datetime, timedelta

from attrs import evolve

from ...core.incidents import SentNotice, Topic
from ...core.posting import Posting, Settlement
from ...core.records import ClockDecision
from ...core.settlement import ends_at
from ...core.slots import SlotEnd
from ...usecases.audit import audit
from .story import ADA, ADA_ID, AuditedStory, StoreContract

AHEAD = timedelta(days=400)


class ClockContract(StoreContract):
    """That they are kept and count as seen, and that a repair takes back what lies ahead, and nothing else."""

    def test_a_confirmed_instant_counts_as_seen(self, audited: AuditedStory) -> None:
        """To the microsecond, with who and why, behind the last entry."""
        ledger, story = audited.ledger, audited
        story.enroll(ADA, ADA_ID)
        story.sync({ADA_ID: 5})
        at = story.at + AHEAD + timedelta(microseconds=1)
        decision = ClockDecision("confirmed", at, "admin-7", "it was off")
        ledger.post(Posting(at, clock=decision))
        assert ledger.holdings().decisions == [evolve(decision, position=1)]
        assert ledger.run_state().sync.seen_at == at
        assert not ledger.ahead(at).others
        assert ledger.ahead(story.at).others == 1

    def test_a_repair_takes_back_what_lies_ahead(self, audited: AuditedStory) -> None:
        """Syncs, days, evidence, readings, slots and enrollments; entries, XP and what was before stay."""
        ledger, story = audited.ledger, audited
        story.enroll(ADA, ADA_ID)
        for xp in (1_000, 1_100):
            story.sync({ADA_ID: xp})
        at, before = story.at, ledger.run_state().sync
        day = at.date()
        assert ledger.ahead(at).is_empty
        story.at += AHEAD
        story.sync({ADA_ID: 1_350})
        told: tuple[tuple[Topic, datetime], ...] = (("clock", story.at), ("source", at))
        ledger.post(Posting(story.at, settlement=Settlement(day, ledger.day_record(day).revision)))
        ledger.post(Posting(story.at, slot=SlotEnd(story.at, "synced", story.at)))
        notices = [SentNotice("log", topic, "alert", story.at, sent) for topic, sent in told]
        ledger.post(Posting(story.at, sent=notices))
        ahead, now = ledger.ahead(at), at + timedelta(minutes=5)
        account_id = story.account(ADA).account_id
        assert (ahead.syncs, ahead.days, ahead.others, ahead.good_at, [*ahead.rises]) == (1, 1, 1, at, [account_id])
        assert ahead.settled_through == ends_at(day).date() - timedelta(days=2)
        repair = ClockDecision("repaired", now, "admin-7", "it ran ahead")
        ledger.post(Posting(now, clock=repair, evidence=ahead.windows(now)))
        state = ledger.run_state()
        assert (state.sync.good_at, state.sync.good_run, state.sync.seen_at) == (before.good_at, before.good_run, now)
        assert (state.calendar.settled_through, state.slots) == (ahead.settled_through, [])
        assert [(one.topic, one.since, one.at) for one in state.notices_sent] == [("source", now, at)]
        assert {one.day for one in ledger.evidence(ADA, day, (at + AHEAD).date())} == {day}
        assert ledger.xp_read([account_id], day) == 1_350
        assert story.standing(ADA).points == 3
        assert ledger.ahead(now).is_empty
        story.at = now
        story.sync({ADA_ID: 1_450})
        assert story.standing(ADA).points == 4
        assert audit(ledger).is_healthy
