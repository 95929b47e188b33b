"""A round of the roster: ask about the members who are due, keep the answers, note who left and who is back (R25)."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import get_args

from attrs import Factory, define, evolve, frozen

from ..core import roster as core_roster, slots
from ..core.errors import ClockError, LedgerBusy, ReadStopped, RosterError
from ..core.model import DiscordActivity
from ..core.ports import Clock, Roster, Store
from ..core.posting import Posting
from ..core.records import Check, Trace
from ..core.reports import RosterReport
from ..core.roster import ACTOR, ROUND_FOR, UNKNOWN_MAX, Findings, Round, Step
from . import members
from .leases import Run, leased

logger: logging.Logger = logging.getLogger(__name__)

TASK = "roster"
"""A separate lease, so that a round never delays syncs, settlements or notices."""
TICK_SLACK = timedelta(seconds=10)
"""How long before the next due task a round stops asking."""


@frozen
class HowToCheck:
    """The options of a round."""

    dry_run: bool = False
    accept: Trace | None = None
    """Who decided that everyone who is gone has left, and why."""
    by_hand: bool = True
    """Whether a person waits for it: then it asks about everyone due, and need not end before other tasks."""


@define
class Answers:
    """The answers that a round has received so far."""

    checks: dict[int, Check]
    """By account id."""
    changed: set[int] = Factory(set)
    next_at: datetime | None = None
    """When the next round may begin; None until this one has asked."""
    asked: int = 0
    unknown: int = 0
    wait: timedelta | None = None
    error: RosterError | None = None

    def keep(self, check: Check) -> None:
        """Store the check of an account, and remember whether it changed."""
        if self.checks.get(check.account_id) != check:
            self.checks[check.account_id] = check
            self.changed.add(check.account_id)


def check_due(ledger: Store, roster: Roster, clock: Clock) -> RosterReport | None:
    """Run a round if one is due and no other process is running one."""
    now = clock()
    try:
        state = ledger.run_state()
        if not state.roster.is_due(now):
            return None
        accounts, checks = ledger.linked_accounts(), {one.account_id: one for one in ledger.checks()}
        found = core_roster.findings(accounts, checks, roster.guild_id, state.sync.good_at)
        due = core_roster.whom_to_ask(accounts, checks, roster.guild_id, now)
        if not (due or found.to_leave or found.to_return or state.roster.failure_run):
            return None
        return check(ledger, roster, clock, HowToCheck(by_hand=False))
    except (LedgerBusy, ClockError) as error:
        logger.debug("no round of the roster: %s", error)
        return None


def check(ledger: Store, roster: Roster, clock: Clock, how: HowToCheck) -> RosterReport:
    """Ask about the members who are due, for at most a minute, and note what follows.

    Failures are in the report. Raises `ClockError`, `LedgerBusy` and `LedgerFailed`.
    """
    now = clock()
    with leased(ledger, now, task=TASK) as run:
        run.state.instant(now)
        accounts = ledger.linked_accounts()
        answers = Answers({one.account_id: one for one in ledger.checks()})
        if run.state.roster.is_due(now):
            spread = not how.by_hand
            due = core_roster.whom_to_ask(accounts, answers.checks, roster.guild_id, now, spread=spread)
            _ask(roster, due, answers, clock, _until(now, how))
            answers.next_at = core_roster.next_round_at(clock(), answers.error, answers.wait)
        return _conclude(run, roster.guild_id, accounts, answers, clock(), how)


def _until(now: datetime, how: HowToCheck) -> datetime:
    """Return when a round must stop asking; one that no person waits for stops before anything else is due."""
    due_at = [] if how.by_hand else [slots.slot_of(now) + slots.SLOT, slots.next_settlement_at(now)]
    return min([now + ROUND_FOR, *(at - TICK_SLACK for at in due_at)])


def _ask(roster: Roster, due: Sequence[DiscordActivity], answers: Answers, clock: Clock, until: datetime) -> None:
    """Ask about one id after another, until further questions are pointless."""
    unknown_in_a_row = 0
    for account in due:
        if answers.wait is not None or clock() >= until:
            break
        try:
            presence = roster.ask(account.discord_id)
        except ReadStopped:
            return
        except RosterError as error:
            answers.error = error
            return
        now = clock()
        answers.keep(core_roster.told(answers.checks.get(account.account_id), account, roster.guild_id, presence, now))
        answers.asked += 1
        answers.wait = presence.wait
        answers.unknown += presence.kind == "unknown"
        unknown_in_a_row = unknown_in_a_row + 1 if presence.kind == "unknown" else 0
        if unknown_in_a_row == UNKNOWN_MAX:
            break
    if answers.asked and unknown_in_a_row in {UNKNOWN_MAX, answers.asked}:
        answers.error = RosterError("down", presence.why or "the roster gives no clear answers", presence.wait)


def _conclude(
    run: Run, guild_id: str, accounts: Sequence[DiscordActivity], answers: Answers, now: datetime, how: HowToCheck
) -> RosterReport:
    """Evaluate and store the answers, and note what follows unless the roster failed or is not trusted."""
    found = core_roster.findings(accounts, answers.checks, guild_id, run.state.sync.good_at)
    error = answers.error
    if error is None and how.accept is None and (why := found.why_distrusted):
        error = RosterError("distrusted", why, argument="accept_departures")
    steps = {} if error else _steps(run.ledger, found, answers.checks)
    next_at = answers.next_at or run.state.roster.next_at or now
    if not how.dry_run:
        if error is None:
            for account_id, check in list(answers.checks.items()):
                answers.keep(evolve(check, contradicts=steps.get(account_id, (None, None))[1] == "contradicted"))
        was_distrusted = getattr(run.state.roster.failure_run, "kind", None) == "distrusted"
        is_clear = error is None and (answers.asked > answers.unknown or was_distrusted)
        changed = [answers.checks[account_id] for account_id in sorted(answers.changed)]
        run.post(Posting(now, round=Round(now, next_at, changed, error, is_clear)))
        trace = Trace(ACTOR) if how.accept is None else _accepted(how.accept)
        steps = {key: one for key, one in steps.items() if _is_noted(run.ledger, *one, answers.checks[key], now, trace)}
    elif answers.error is not None or answers.wait is not None:
        run.post(Posting(now, round=Round(now, next_at)))
    done = {step: [one.member_id for one, taken in steps.values() if taken == step] for step in get_args(Step)}
    return RosterReport(
        "failed" if error else "planned" if how.dry_run else "checked",
        now,
        guild_id,
        answers.asked,
        answers.unknown,
        done["leave"],
        done["return"],
        done["never_left"],
        done["contradicted"],
        found.gone - len(done["leave"]),
        next_at,
        error,
    )


def _accepted(trace: Trace) -> Trace:
    """Return the trace of accepted departures: the roster is the actor, and the note tells admins who decided."""
    return Trace(ACTOR, trace.reason, f"departures accepted by {trace.actor}")


def _steps(ledger: Store, found: Findings, checks: Mapping[int, Check]) -> dict[int, tuple[DiscordActivity, Step]]:
    """Return the steps, by account id, from what is on record to what was found."""
    steps = {}
    for account in (*found.to_leave, *found.to_return):
        check = checks[account.account_id]
        if step := core_roster.step_of(account, check, ledger.events(account.member_id)):
            steps[account.account_id] = account, step
    return steps


def _is_noted(ledger: Store, account: DiscordActivity, step: Step, check: Check, now: datetime, trace: Trace) -> bool:
    """Note a step; return whether it belongs in the report."""
    if step == "contradicted":
        return True
    ended = members.noted(ledger, account, step, now, trace, check.joined_at)
    if ended.changed:
        logger.info("the roster notes that a member %s", ended.outcome.replace("_", " "))
    return ended.changed
