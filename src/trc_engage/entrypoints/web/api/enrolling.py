"""Members come, are linked, leave and return."""

from starlette.requests import Request
from starlette.responses import Response

from ...jsonable import of_enrolment
from ..site import Site
from .answers import done
from .bodies import fields


async def enroll(request: Request) -> Response:
    """Enrol a member, or bring name and link up to date."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    sent = await fields(request, frozenset(), {"name", "discord_id"})
    return await done(lambda: of_enrolment(engage.enroll(member_id, **sent)))


async def link(request: Request) -> Response:
    """Link a Discord id to a member."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    sent = await fields(request, {"discord_id"})
    return await done(lambda: of_enrolment(engage.link(member_id, **sent)))


async def unlink(request: Request) -> Response:
    """Close a member's account."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    return await done(lambda: of_enrolment(engage.unlink(member_id)))


async def leave(request: Request) -> Response:
    """Note that a member left Discord."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    return await done(lambda: of_enrolment(engage.leave(member_id)))


async def rejoin(request: Request) -> Response:
    """Note that a member is back on Discord."""
    engage, member_id = Site.of(request).engage, request.path_params["member_id"]
    return await done(lambda: of_enrolment(engage.rejoin(member_id)))
