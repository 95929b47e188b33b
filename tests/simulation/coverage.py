"""Which fault met which state, counted whenever a fault strikes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import TYPE_CHECKING

from .oracle import SLACK
from .troubles import KINDS, UNREACHABLE

if TYPE_CHECKING:
    from .life import Life

Met = Mapping[str, Mapping[str, int]]
"""How often a fault met a state."""
STATES = (
    "a day is pending",
    "a day waits for a decision",
    "a run is under way",
    "a dead run's lease",
    "one or two failures",
    "an alert is open",
    "a board is distrusted",
    "the community has moved",
    "adopted, not yet read",
    "MEE6 asked to wait",
    "a member is away",
    "a member is just back",
    "a link not yet read",
    "a member on no board",
    "our time was ahead",
    "the webhook asked to wait",
    "the webhook is gone",
    "a notice may have come",
)
SERVED = {
    "stale": "a stale page",
    "lagging": "rows that lag",
    "half": "half a board",
    "frozen": "a frozen board",
    "cached": "a cached first page",
    "clamp": "short pages",
    "moving": "a board that moves",
    "long": "a read of minutes",
}
KILLED = ("as it reads", "within a transaction", "once it has committed", "as a notice goes out", "elsewhere")
ANSWERS = {
    "refused": "the webhook refuses",
    "unknown": "the webhook is silent",
    "limited": "the webhook: 429",
    "all limited": "the webhook: 429",
    "gone": "the webhook: 404",
}
FAILS = {"full": "the disk is full", "busy": "the store is busy", "restart": "the database restarts"}
FAULTS = (
    *("HTTP 429", "HTTP 403, 404", "blocked", "HTTP 5xx", "no connection", "cut or timed out", "a malformed page"),
    *("an odd page", "a server's wrong clock", *SERVED.values(), "another board"),
    *(f"killed: {moment}" for moment in KILLED),
    *("suspended", "another run within", "others post within", *FAILS.values(), "an old version at work"),
    *("our clock ahead", "our clock behind", "off", *dict.fromkeys(ANSWERS.values())),
)
HTTP = {
    "rate_limited": "HTTP 429",
    "blocked": "blocked",
    "private": "HTTP 403, 404",
    "unknown_guild": "HTTP 403, 404",
    "malformed": "a malformed page",
    None: "an odd page",
}
DOWN = frozenset({"internal_error", "bad_gateway", "unavailable", "gateway_timeout"})

READ = frozenset(FAULTS[: FAULTS.index("another board")]) | {"killed: as it reads"}
SENT = frozenset(ANSWERS.values())
BETWEEN = frozenset({"an old version at work", "our clock ahead", "our clock behind", "off", "another board"})
NEVER: Sequence[tuple[Set[str], Set[str], str]] = (
    (READ, {"MEE6 asked to wait"}, "nothing is asked (R21)"),
    (READ, {"our time was ahead"}, "nothing is asked (R22)"),
    (READ | SENT | {"another run within", "killed: as a notice goes out"}, {"a dead run's lease"}, "it has the lease"),
    (BETWEEN, {"a run is under way"}, "a slot's faults are told before its runs"),
    (SENT, {"the webhook asked to wait"}, "nothing is sent (R20)"),
    (SENT - {ANSWERS["gone"]}, {"the webhook is gone"}, "it answers nothing else"),
    ({"killed: as a notice goes out"}, {"the webhook asked to wait"}, "nothing is sent (R20)"),
)
"""Which faults cannot meet which states, and why."""


def trouble_met(trouble: str) -> str:
    """Return the name of the fault to which a trouble of the server belongs."""
    if trouble in {UNREACHABLE, "clock_off"}:
        return "no connection" if trouble == UNREACHABLE else "a server's wrong clock"
    if KINDS[trouble] == "down":
        return "HTTP 5xx" if trouble in DOWN else "cut or timed out"
    return HTTP[KINDS[trouble]]


class Coverage:
    """What one life met."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self.met: dict[str, Counter[str]] = defaultdict(Counter)

    def meets(self, fault: str) -> None:
        """Count a fault that strikes now."""
        now = self._life.clock.at + self._life.clock.error
        self.met[fault].update([*self._states(now), *self._states_of_accounts(), *self._states_of_notices(now)])

    def _states(self, now: datetime) -> Iterator[str]:
        life, oracle, failures = self._life, self._life.oracle, self._life.failures
        if (due := oracle.next_day(now)) is not None:
            yield "a day waits for a decision" if due[1] == "decision" else "a day is pending"
        if life.audit.is_leased(now):
            yield "a run is under way" if any(one.is_at_work for one in life.processes) else "a dead run's lease"
        found = {
            "one or two failures": 0 < failures.count < 3,
            "a board is distrusted": failures.is_distrusted,
            "the community has moved": oracle.is_another(life.server.home.board_id),
            "MEE6 asked to wait": failures.is_kept_away(life.server.home.board_id, now),
            "our time was ahead": oracle.seen_at is not None and now < oracle.seen_at - SLACK,
        }
        yield from (state for state, holds in found.items() if holds)

    def _states_of_accounts(self) -> Iterator[str]:
        accounts = [one for one in self._life.oracle.accounts if not one.is_closed]
        found = {
            "adopted, not yet read": any(one.is_moved for one in accounts),
            "a member is away": any(one.has_left for one in accounts),
            "a member is just back": any(one.is_back for one in accounts),
            "a link not yet read": any(not one.is_open for one in accounts),
            "a member on no board": any(one.is_zero for one in accounts),
        }
        yield from (state for state, holds in found.items() if holds)

    def _states_of_notices(self, now: datetime) -> Iterator[str]:
        life, notices = self._life, self._life.notices
        is_shut = notices.webhook.is_shut(life.pager.fingerprint, now)
        found = {
            "an alert is open": any(kind != "all_clear" for kind, _, _ in notices.last.values()),
            "the webhook asked to wait": is_shut and not life.pager.is_gone,
            "the webhook is gone": life.pager.is_gone,
            "a notice may have come": bool(notices.unsure | notices.perhaps),
        }
        yield from (state for state, holds in found.items() if holds)


def added(lives: Iterable[Met]) -> Met:
    """Add up what several lives met."""
    met: dict[str, Counter[str]] = defaultdict(Counter)
    for life in lives:
        for fault, states in life.items():
            met[fault].update(states)
    return met


def table(met: Met) -> str:
    """Return a table of how often each fault met each state, followed by the pairs that never met."""
    wide = max(map(len, FAULTS))
    lines = [f"{number:>{wide + 4}}  {state}" for number, state in enumerate(STATES, 1)]
    lines += ["", " " * wide + "".join(f"{number:>7}" for number in range(1, len(STATES) + 1))]
    for fault in FAULTS:
        counts = [met.get(fault, {}).get(state, 0) for state in STATES]
        lines.append(f"{fault:<{wide}}" + "".join(f"{count or '-':>7}" for count in counts))
    never = [(fault, state) for fault in FAULTS for state in STATES if not met.get(fault, {}).get(state)]
    not_yet = [f"  {fault} / {state}" for fault, state in never if not why_never(fault, state)]
    lines += ["", f"{len(FAULTS) * len(STATES) - len(never)} pairs met; {len(not_yet)} did not:", *not_yet]
    cannot = Counter(why_never(*pair) for pair in never if why_never(*pair))
    lines += ["", f"{cannot.total()} cannot:", *(f"  {count:>3}  {why}" for why, count in cannot.items())]
    return "\n".join(lines)


def why_never(fault: str, state: str) -> str:
    """Return why a fault cannot meet a state, or an empty string if it can."""
    return next((why for faults, states, why in NEVER if fault in faults and state in states), "")
