"""Which error is of which kind, and the status of each: one table for our own API and for an app that embeds us."""

from collections.abc import Callable, Mapping
from typing import Annotated

from ...core import errors
from ...core.errors import EngageError, shortened
from .shape import Shape, Shown

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:trc-engage:problem:"

KINDS: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be read"),
    "token-missing": (401, "This needs the site's token"),
    "token-wrong": (401, "This is not the site's token"),
    "token-reads-only": (403, "This token may only read"),
    "refused": (403, "This was refused"),
    "not-on-loopback": (403, "This site answers its own machine only"),
    "closed": (403, "This site is closed"),
    "unknown-path": (404, "There is nothing here"),
    "unknown-member": (404, "No such member"),
    "unknown-award": (404, "No such award"),
    "wrong-method": (405, "This cannot be done here"),
    "key-reused": (409, "The key is used already"),
    "reversed": (409, "The award was taken back"),
    "ambiguous-member": (409, "Several members could be meant"),
    "link-taken": (409, "The link is taken"),
    "not-linked": (409, "The member has no linked Discord account"),
    "too-large": (413, "The body is too large"),
    "wrong-media-type": (415, "The body is no JSON"),
    "wrong-host": (421, "This site has another name"),
    "invalid-value": (422, "A value cannot be used"),
    "failed": (500, "Something failed"),
    "store-failed": (500, "The store failed"),
    "clock-went-back": (500, "The clock went back"),
    "too-many-waiting": (503, "Too many wait for the feed"),
    "busy": (503, "The store is busy"),
}
"""Status and title of each kind; the `type` is the kind after `urn:trc-engage:problem:`."""


class Problem(Shape):
    """Why a request failed (RFC 9457)."""

    type: Annotated[
        str, Shown("What went wrong; what a type means never changes.", enum=[TYPE + kind for kind in KINDS])
    ]
    title: str
    status: int
    detail: Annotated[str, Shown("For people to read.")]
    field: Annotated[str | None, Shown("The name of the value that cannot be used.")] = None


FORMS: tuple[tuple[type[EngageError], str, Callable[..., str]], ...] = (
    (errors.UnknownMember, "unknown-member", lambda it: f"there is no member {shortened(it.member_id)}"),
    (errors.UnknownAward, "unknown-award", lambda it: f"there is no award with the key {shortened(it.key)}"),
    (errors.AmbiguousMember, "ambiguous-member", lambda it: f"{it.fact}; {it.remedy}"),
    (errors.KeyReused, "key-reused", str),
    (errors.Reversed, "reversed", str),
    (errors.NotLinked, "not-linked", lambda it: f"member {shortened(it.member_id)} has none; link one first"),
    (errors.LinkTaken, "link-taken", lambda it: f"member {shortened(it.member_id)} holds it; unlink that member first"),
    (errors.InvalidValue, "invalid-value", str),
    (errors.LedgerBusy, "busy", lambda _: "somebody else is writing, and nothing was changed; try again"),
    (errors.ClockWentBack, "clock-went-back", lambda _: "nothing was changed; the admin can see more in the status"),
    (errors.LedgerFailed, "store-failed", lambda _: "nothing was changed; the admin can see more in the log"),
)
"""The first class that fits decides. What a caller cannot use or must not see is left out."""


def kind_of(error: Exception) -> str:
    """Return the kind of an error; `failed` for those that the table has not."""
    return next((kind for cls, kind, _ in FORMS if isinstance(error, cls)), "failed")


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error, as our own API answers it."""
    return KINDS[kind_of(error)][0]
