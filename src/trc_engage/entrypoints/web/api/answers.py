"""How values become answers."""

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..caching import answered


async def found(request: Request, read: Callable[[], Any]) -> Response:
    """Read something in a thread, since the store may block, and answer it."""
    return answered(request, await run_in_threadpool(lambda: _rendered(read())))


async def done(write: Callable[[], Any], *, created: bool = False) -> Response:
    """Write something in a thread; `created` is for what makes a new thing, unless it was there already."""
    told = await run_in_threadpool(write)
    is_new = created and told["outcome"] != "unchanged"
    return Response(_rendered(told), 201 if is_new else 200, media_type="application/json")


def _rendered(value: Any) -> bytes:
    """Return JSON in ASCII, which no browser takes for anything else."""
    return json.dumps(value, separators=(",", ":")).encode()
