"""What went wrong, as problem details (RFC 9457): one table of kinds, and which error is of which."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated

from starlette.exceptions import HTTPException
from starlette.responses import Response

from ...core.errors import (
    ClockWentBack,
    EngageError,
    InvalidValue,
    KeyReused,
    LedgerBusy,
    LedgerFailed,
    LinkTaken,
    NotLinked,
    Reversed,
    UnknownAward,
    UnknownMember,
    shortened,
)
from ..wire.shape import Shape, Shown

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
    "link-taken": (409, "The link is taken"),
    "not-linked": (409, "The member has no linked Discord account"),
    "too-large": (413, "The body is too large"),
    "wrong-media-type": (415, "The body is no JSON"),
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


class ProblemError(EngageError):
    """What went wrong, as the caller is to know it; `field` is the name of a value that cannot be used."""

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
        return cls("unknown-path", "the paths of this API are listed in its description, openapi.json")


FORMS: tuple[tuple[type[EngageError], str, Callable[..., str]], ...] = (
    (UnknownMember, "unknown-member", lambda error: f"there is no member {shortened(error.member_id)}"),
    (UnknownAward, "unknown-award", lambda error: f"there is no award with the key {shortened(error.key)}"),
    (KeyReused, "key-reused", str),
    (Reversed, "reversed", str),
    (NotLinked, "not-linked", lambda error: f"member {shortened(error.member_id)} has none; link one first"),
    (LinkTaken, "link-taken", lambda error: f"member {shortened(error.member_id)} holds it; unlink that member first"),
    (InvalidValue, "invalid-value", str),
    (LedgerBusy, "busy", lambda _: "somebody else is writing, and nothing was changed; try again"),
    (ClockWentBack, "clock-went-back", lambda _: "nothing was changed; the admin can see more in the status"),
    (LedgerFailed, "store-failed", lambda _: "nothing was changed; the admin can see more in the log"),
)
"""The first class that fits decides. What a caller cannot use or must not see is left out."""


def problem_of(error: Exception) -> ProblemError:
    """Return the problem of an error."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, HTTPException):
        return _of_http(error)
    for cls, kind, describe in FORMS:
        if isinstance(error, cls):
            headers = {"Retry-After": "1"} if kind == "busy" else None
            return ProblemError(kind, describe(error), field=getattr(error, "field", None), headers=headers)
    return ProblemError("failed", "this is not your fault; the admin can see more in the log")


def problem_response(error: ProblemError) -> Response:
    """Return the answer that a program can read."""
    problem = Problem.of(error, type=TYPE + error.kind)
    return Response(json.dumps(problem), error.status, error.headers, MEDIA_TYPE)


def _of_http(error: HTTPException) -> ProblemError:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return ProblemError("wrong-method", f"allowed here: {allowed}", headers={"Allow": allowed})
    if error.status_code == HTTPStatus.NOT_FOUND:
        return ProblemError.not_found()
    # The host raised it in a hook, to have the caller sign in, for example.
    advice = "the site this is part of does not allow it"
    return ProblemError("refused", advice, status=error.status_code, headers=error.headers)
