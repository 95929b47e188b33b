"""Discord's answers about one member: present, gone or unknown, or an error of a known kind."""

from datetime import timedelta
from typing import get_args

from hostile.pages import GUILD
from support.community import Community
from trc_engage import Engage
from trc_engage.adapters.discord import DiscordRoster
from trc_engage.core.errors import RosterError, RosterTrouble
from trc_engage.core.roster import Presence
from trc_engage.entrypoints.wording.alerts import describe_error

from .begun import copied
from .boards import sending, unwatched
from .oracle import Target, check_message, claim

TOKEN = "the-token-of-a-bot"  # noqa: S105
ADA = "80351110224678900"
KINDS = get_args(RosterTrouble)


def begun() -> Community:
    """Return a community of two."""
    community = Community()
    community.enroll("ada", "bo")
    return community


def ask(given: bytes) -> None:
    """Ask a Discord that sends this to each request, with a single question and in a round of the roster."""
    with DiscordRoster.open(
        GUILD, token=TOKEN, transport=sending(given), gap=0, pause=lambda _: None, monotonic=lambda: 0.0
    ) as roster:
        roster._client.line.watched = unwatched  # type: ignore[method-assign]
        asked(roster)
        community = copied(begun)
        engage = Engage(ledger=community.ledger, roster=roster, clock=lambda: community.now)
        before = engage.feed()
        engage.check_roster()
        claim(engage.feed() == before, "a roster gave points")
        claim(all(one.status != "left" for one in community.ledger.linked_accounts()), "somebody left at one word")
        claim(not engage.audit().breaches, "the doctor finds a breach")


def asked(roster: DiscordRoster) -> None:
    """Ask about one person, and check the answer."""
    try:
        presence = roster.ask(ADA)
    except RosterError as error:
        claim(error.kind in KINDS, f"there is no kind {error.kind}")
        waits, texts = error.retry_after, [error.message, describe_error(error)]
    else:
        check(presence)
        waits, texts = presence.wait, [presence.why] if presence.why else []
    claim(waits is None or waits >= timedelta(0), f"a wait of {waits}")
    for text in texts:
        check_message(text)
        claim(TOKEN not in text, "the token is in a message")


def check(presence: Presence) -> None:
    """Check that a presence is consistent."""
    claim(presence.kind in {"present", "gone", "unknown"}, f"there is no kind {presence.kind}")
    since = presence.joined_at
    claim(since is None or since.utcoffset() == timedelta(0), f"{since} is no instant in UTC")
    claim(since is None or presence.kind == "present", "who is not there has been there since")


ROSTER = Target(
    "answers of Discord about a member",
    ask,
    ("adapters/discord.py",),
    (
        *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 404 Not Found\r\n", b"HTTP/1.1 429 Too Many Requests\r\n", b"\r\n\r\n"),
        *(b"HTTP/1.1 403 Forbidden\r\n", b"HTTP/1.1 401 Unauthorized\r\n", b"Retry-After: ", b"Content-Length: "),
        *(b"X-RateLimit-Remaining: 0", b"X-RateLimit-Reset-After: ", b'"code":10007', b'"code":10004', b'"code":40333'),
        *(b'"retry_after":', b'"joined_at":"2021-03-01T12:00:00.000000+00:00"', b'"roles":[]', b'"user":{"id":"'),
        *(b"80351110224678900", b"nan", b"inf", b"1e308", b"-1", b"9999-12-31", b"0001-01-01", b"+23:59", b"null"),
    ),
)
