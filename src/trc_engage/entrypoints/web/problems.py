"""What went wrong, answered as problem details (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response

from ...core.errors import EngageError
from ..wire.problems import FORMS, KINDS, MEDIA_TYPE, TYPE, Problem


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
