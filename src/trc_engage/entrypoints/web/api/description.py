"""The description of this API, as OpenAPI has it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...version import installed_version
from .. import problems
from ..site import Site
from . import operations, schemas
from .answers import found

ABOUT = """Points, streaks and the ledger behind them. Instants and days are of UTC.

Whoever asks is told of the members whom the host lets him see; all others look as if they were not there.
What can be read has an ETag: send it back as `If-None-Match`, and 304 says that nothing has changed.
Writing needs `Authorization: Bearer TOKEN`. Every award and adjustment has a key of the caller's choice, so that
the same can be sent again where no answer came. Whatever goes wrong is told as problem details (RFC 9457)."""

ONE_MEMBER = {"name": "member_id", "in": "path", "required": True, "schema": schemas.MEMBER_ID}
PROBLEM = {
    "description": "What went wrong; nothing was changed.",
    "content": {problems.MEDIA_TYPE: {"schema": schemas.ref("Problem")}},
}


async def description(request: Request) -> Response:
    """Tell what there is: what writes only where it can be done."""
    root, is_writable = request.scope.get("root_path", ""), Site.of(request).token is not None
    return await found(request, lambda: described(root, is_writable=is_writable))


def described(root: str, *, is_writable: bool) -> dict[str, Any]:
    """Return the description of the API at a root such as `/engage/api`."""
    components: dict[str, Any] = {"schemas": schemas.SCHEMAS, "responses": {"Problem": PROBLEM}}
    if is_writable:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TRC Engage",
            "version": installed_version() or "0",
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": root or "/"}],
        "paths": {path: _path(path, is_writable=is_writable) for path in _paths(is_writable=is_writable)},
        "components": components,
    }


def _paths(*, is_writable: bool) -> list[str]:
    writing = operations.WRITING if is_writable else {}
    return list(dict.fromkeys([*operations.READING, *writing]))


def _path(path: str, *, is_writable: bool) -> dict[str, Any]:
    value: dict[str, Any] = {"parameters": [ONE_MEMBER]} if "{member_id}" in path else {}
    if path in operations.READING:
        value["get"] = operations.READING[path]
    return value | (operations.WRITING.get(path, {}) if is_writable else {})
