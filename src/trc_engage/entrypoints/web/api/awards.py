"""Points that are booked by hand or by the host: awards, reversals, adjustments."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ....core.reports import Receipt
from ....engage import Engage
from ...instants import parsed_instant
from ...jsonable import of_receipt
from ..site import Site
from .answers import done
from .bodies import fields


async def award(request: Request) -> Response:
    """Award points, once for their key."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    sent = await fields(request, {"source", "points", "key", "at"})
    at = parsed_instant("at", sent.pop("at"))
    return await done(lambda: _told(engage, engage.award(member_id, at=at, **sent)), created=True)


async def adjust(request: Request) -> Response:
    """Add or take points by hand, once for their key."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    sent = await fields(request, {"points", "key", "reason", "by"})
    return await done(lambda: _told(engage, engage.adjust(member_id, **sent)), created=True)


async def reverse(request: Request) -> Response:
    """Take an award back."""
    engage = Site.of(request).engage
    sent = await fields(request, {"key", "reason", "by"})
    return await done(lambda: _told(engage, engage.reverse(**sent)), created=True)


def _told(engage: Engage, receipt: Receipt) -> dict[str, Any]:
    return of_receipt(receipt, engage.standing(receipt.entry.member_id))
