"""Kinds of faults, how long each lasts and how hard it strikes."""

from collections.abc import Callable, Sequence
from random import Random

from attrs import define

REFUSALS = ("private", "expired_token", "unknown_guild", "blocked", "challenge_200", "challenge_403", "challenge_503")
LIMITS = (
    "rate_limited",
    "rate_limited_html",
    "rate_limited_seconds",
    "rate_limited_seconds",
    "rate_limited_date",
    "rate_limited_absurd",
    "rate_limited_json",
)
DOWNS = ("internal_error", "bad_gateway", "unavailable", "gateway_timeout", "unreachable", "timeout", "reset")
WIRES = ("refused_early", "timeout", "slow", "truncated", "reset", "drip_headers", "drip_body", "endless_body")
PAGES = [
    "redirect",
    "html_200",
    "empty_body",
    "not_json",
    "deep_json",
    "not_utf8",
    "xp_endless",
    "no_guild",
    "wrong_guild",
    "rows_missing",
    "rows_not_list",
    "ids_as_numbers",
    "lone_surrogate_id",
    "nan_xp",
    "xp_null",
    "xp_text",
    "xp_float",
    "xp_negative",
    "xp_boolean",
    "xp_huge",
    "few_bad_rows",
    "lone_surrogate",
    "endless_pages",
    "page_ignored",
    "stale",
    "slow",
    "no_date",
    "duplicate_keys",
    "clock_off",
    "gzip_bomb",
]
MISTAKES = ("guild", "guild", "host", "both")
FAMILIES = (REFUSALS, LIMITS, LIMITS, DOWNS, DOWNS, WIRES, PAGES, PAGES)


@define(eq=False)
class Episode:
    """One fault that lasts for a number of slots."""

    name: str
    slots: int
    share: float = 1.0
    """The probability that it strikes when it can."""
    troubles: tuple[str, ...] = ()
    number: int = 0
    """Rows of a page, seconds or a process, depending on the fault."""


def _burst(random: Random, slots: int) -> Episode:
    family = random.choice(FAMILIES)
    troubles = tuple(random.sample(family, k=min(len(family), random.randint(1, 5))))
    return Episode("burst", slots, random.choice([0.2, 0.5, 1.0]), troubles)


def outage(random: Random, slots: int) -> Episode:
    """Let every request meet the same trouble."""
    return Episode(
        "outage",
        random.choice([1, 2, 5]) * slots,
        1.0,
        (random.choice([*DOWNS, *REFUSALS, *LIMITS, "not_json", "html_200"]),),
    )


def _named(name: str, *shares: float, longest: int = 300) -> Callable[[Random, int], Episode]:
    return lambda random, slots: Episode(name, min(slots, longest), random.choice(shares))


def _clamp(random: Random, slots: int) -> Episode:
    return Episode("clamp", 3 * slots, number=random.choice([7, 12, 20, 25, 40]))


def _moving(random: Random, slots: int) -> Episode:
    return Episode("moving", min(slots, 40), random.choice([0.3, 0.8, 1.0]), number=random.choice([5, 7, 12, 20]))


def cached(random: Random, _: int) -> Episode:
    """Serve the first page from a cache: someone who rises onto it meanwhile is on no page."""
    return Episode("cached", random.randint(8, 60), number=random.choice([5, 7, 12, 20, 30]))


def _clock(random: Random, slots: int) -> Episode:
    error = random.choice([-100, -60, -20, 15, 45, 110, -600, -3 * 3_600, 400, 1_200])
    return Episode("clock", min(slots, 12 if abs(error) <= 120 else 5), number=error)


def _deploy(random: Random, slots: int) -> Episode:
    """Let one process run a newer version until the other is replaced."""
    return Episode("deploy", min(slots, 12), number=random.randrange(2))


def frozen(random: Random, slots: int) -> Episode:
    """Let MEE6 answer but count nothing."""
    return Episode("frozen", random.choice([slots, 100, 150, 200]))


def _half(random: Random, slots: int) -> Episode:
    return Episode("half", min(slots, 30), random.choice([0.3, 1.0]), number=random.choice([0, 20, 45, 60, 90]))


def long_reads(random: Random, slots: int) -> Episode:
    """Let a read take many minutes: short pages, and a machine on which each pause lasts too long (R30)."""
    return Episode("long", min(slots, 30), random.choice([0.4, 0.8]), number=random.choice([2, 3, 5]))


def webhook(random: Random, slots: int) -> Episode:
    """Let the webhook lose notices or their answers, or rate-limit with a wait."""
    trouble = random.choice(["slow", "lost", "limited", "limited", "all limited"])
    wait = random.choice([0, 20, 600, 3_600, 9 * 3_600, 90 * 3_600])
    return Episode("webhook", min(slots, 100), random.choice([0.5, 1.0]), (trouble,), wait)


def elsewhere(random: Random, slots: int) -> Episode:
    """Point one or both processes at another board until someone notices."""
    return Episode("elsewhere", min(slots, 120), troubles=(random.choice(MISTAKES),), number=random.randrange(6))


gone = _named("gone", 1.0)
"""The webhook is deleted; it stays deleted, however long this lasts."""
Maker = tuple[Callable[[Random, int], Episode], float]
"""A function that makes a fault, and its weight."""
MAKERS: Sequence[Maker] = (
    (_burst, 5),
    (outage, 4),
    (_named("stale", 0.3, 0.6, longest=40), 3),
    (_named("lagging", 0.2, 0.5, longest=60), 3),
    (_clamp, 3),
    (_moving, 3),
    (cached, 5),
    (_named("kills", 0.3, 0.8, longest=30), 6),
    (_named("pair", 0.5, 1.0, longest=40), 3),
    (_named("meddling", 0.5, 1.0, longest=40), 3),
    (_clock, 2),
    (_named("suspend", 0.2, 0.6, longest=20), 2),
    (_named("off", 1.0), 2),
    (_named("deaf", 0.5, 1.0, longest=100), 2),
    (frozen, 1),
    (_half, 2),
    (elsewhere, 3),
    (webhook, 3),
    (long_reads, 2),
    (gone, 1),
    (_named("full", 0.5, 1.0, longest=20), 2),
    (_named("busy", 0.5, 1.0, longest=20), 2),
    (_named("restart", 0.5, 1.0, longest=12), 2),
    (_deploy, 2),
)
