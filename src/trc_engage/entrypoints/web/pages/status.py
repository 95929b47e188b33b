"""How the system does, for admins."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...sentences.health import answer, holding, running
from ...version import installed_version
from ..site import Site
from .rendering import rendered


async def status(request: Request) -> Response:
    """Show whether all is well, what to do if not, and all that this rests on."""
    site = Site.of(request)
    await site.check_administers(request)
    found = await run_in_threadpool(site.engage.status)
    return await rendered(
        request,
        "status.html",
        status=found,
        answer=answer(found),
        groups=(
            ("What was done and what is next", list(running(found))),
            ("What the store holds", [*holding(found), ("version", installed_version() or "not installed")]),
        ),
    )
