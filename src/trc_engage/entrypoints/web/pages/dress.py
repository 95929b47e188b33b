"""What pages are dressed in: a stylesheet and a small picture, under names that change with what they hold."""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response

from ..problems import Problem

MEDIA_TYPES: Mapping[str, str] = {"pages.css": "text/css", "mark.svg": "image/svg+xml"}
TAG_BYTES = 6
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@frozen
class Piece:
    """A file, and a tag of its content."""

    content: bytes
    tag: str


@cache
def piece(name: str) -> Piece:
    """Return one of the files."""
    content = (files(__package__) / "static" / name).read_bytes()
    return Piece(content, blake2b(content, digest_size=TAG_BYTES).hexdigest())


async def dress(request: Request) -> Response:
    """Send a file; asked for by its tag, it never changes."""
    name = request.path_params["name"]
    if name not in MEDIA_TYPES:
        raise Problem.not_found()
    headers = FOR_EVER if request.query_params.get("v") == piece(name).tag else {"Cache-Control": "no-cache"}
    return Response(piece(name).content, headers=headers, media_type=MEDIA_TYPES[name])
