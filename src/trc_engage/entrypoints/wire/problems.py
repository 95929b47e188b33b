"""The kind and HTTP status of each error, for the API and for embedding apps."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated

from ...core import errors
from ...core.errors import EngageError, shortened
from .shape import Shape, Shown

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:trc-engage:problem:"

KINDS: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be read"),
    "token-missing": (401, "A token is required"),
    "token-wrong": (401, "The token is wrong"),
    "token-reads-only": (403, "This token may only read"),
    "refused": (403, "The request was refused"),
    "not-on-loopback": (403, "This site only answers its own machine"),
    "closed": (403, "This site is closed"),
    "unknown-path": (404, "Not found"),
    "unknown-member": (404, "No such member"),
    "unknown-award": (404, "No such award"),
    "wrong-method": (405, "This method is not allowed here"),
    "key-reused": (409, "The key is already used"),
    "reversed": (409, "The award was reversed"),
    "ambiguous-member": (409, "Several members match"),
    "link-taken": (409, "The link is taken"),
    "not-linked": (409, "The member has no linked Discord account"),
    "too-large": (413, "The body is too large"),
    "wrong-media-type": (415, "The body is not JSON"),
    "wrong-host": (421, "Unknown host name"),
    "invalid-value": (422, "A value is invalid"),
    "failed": (500, "Internal error"),
    "store-failed": (500, "The store failed"),
    "clock-went-back": (500, "The clock went back"),
    "too-many-waiting": (503, "Too many requests are waiting for the feed"),
    "busy": (503, "The store is busy"),
}
"""Status and title of each kind; the `type` is the kind after `urn:trc-engage:problem:`."""


class Problem(Shape):
    """Why a request failed (RFC 9457)."""

    type: Annotated[
        str, Shown("What went wrong. The meaning of a type never changes.", enum=[TYPE + kind for kind in KINDS])
    ]
    title: str
    status: int
    detail: Annotated[str, Shown("An explanation for people.")]
    field: Annotated[str | None, Shown("The name of the invalid value.")] = None


FORMS: tuple[tuple[type[EngageError], str, Callable[..., str]], ...] = (
    (errors.UnknownMember, "unknown-member", lambda it: f"there is no member {shortened(it.member_id)}"),
    (errors.UnknownAward, "unknown-award", lambda it: f"there is no award with the key {shortened(it.key)}"),
    (errors.AmbiguousMember, "ambiguous-member", lambda it: f"{it.fact}; {it.remedy}"),
    (errors.KeyReused, "key-reused", str),
    (errors.Reversed, "reversed", str),
    (
        errors.NotLinked,
        "not-linked",
        lambda it: f"member {shortened(it.member_id)} has no linked account; link one first",
    ),
    (
        errors.LinkTaken,
        "link-taken",
        lambda it: f"member {shortened(it.member_id)} is linked already; unlink that member first",
    ),
    (errors.InvalidValue, "invalid-value", lambda it: f"{it.field}: {_as_sent(it.value)}: {it.advice}"),
    (errors.LedgerBusy, "busy", lambda _: "another process is writing, and nothing was changed; try again"),
    (errors.ClockWentBack, "clock-went-back", lambda _: "nothing was changed; the admin can see more in the status"),
    (errors.LedgerFailed, "store-failed", lambda _: "nothing was changed; the admin can find the cause in the log"),
)
"""The first matching class decides. What a caller cannot use or must not see is left out."""


class ProblemError(EngageError):
    """What went wrong, as the caller may know it; `field` names the invalid value, if there is one."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        field: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        usual, title = KINDS[kind]
        self.kind: str = kind
        self.title: str = title
        self.detail: str = detail
        self.field: str | None = field
        self.headers: dict[str, str] = dict(headers or {})
        self.status: int = usual if status is None else status

    @classmethod
    def not_found(cls) -> "ProblemError":
        """Make the problem of a path that does not exist."""
        return cls("unknown-path", "openapi.json lists the paths of this API")


def _as_sent(value: object) -> str:
    """Return a value as in JSON, shortened."""
    return json.dumps(value) if value is None or isinstance(value, bool) else shortened(value)


def problem_of(error: Exception) -> ProblemError:
    """Return the problem of an error; `failed` if the error is not in the table."""
    if isinstance(error, ProblemError):
        return error
    for cls, kind, describe in FORMS:
        if isinstance(error, cls):
            headers = {"Retry-After": "1"} if kind == "busy" else None
            return ProblemError(kind, describe(error), field=getattr(error, "field", None), headers=headers)
    return ProblemError("failed", "this is not your fault; the admin can find the cause in the log")


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error, as our own API answers it."""
    if isinstance(error, ProblemError):
        return error.status
    kind = next((kind for cls, kind, _ in FORMS if isinstance(error, cls)), "failed")
    return KINDS[kind][0]
