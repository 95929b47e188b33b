"""An endpoint of the API: what is declared of it, and how it answers a request."""

from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any, Literal, get_type_hints

from attrs import field, frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ...engage import Engage
from . import requests
from .access import Site
from .responses import answered, as_json, rendered


@frozen
class Call:
    """One request to an endpoint."""

    request: Request
    site: Site

    @property
    def engage(self) -> Engage:
        """What answers it."""
        return self.site.engage

    @property
    def member_id(self) -> str:
        """The member in the path."""
        return str(self.request.path_params["member_id"])


Handler = Callable[..., Any]
Access = Literal["anybody", "visible", "admin", "token"]
"""Who may call it. Visible: who may see the member in the path or in the parameter `member`."""


@frozen
class Endpoint:
    """One operation of the API; its summary is the handler's docstring."""

    method: str
    path: str
    handler: Handler
    access: Access = "token"
    creates: bool = False
    """Whether it answers 201 when it made something new."""
    problems: tuple[int, ...] = ()
    """The statuses of its own problems; those that follow from the rest are not listed."""

    types: Mapping[str, Any] = field(init=False)
    """The types of the handler's `query` or `body`, and of its `return`."""

    @types.default
    def _types(self) -> Mapping[str, Any]:
        return get_type_hints(self.handler)

    @property
    def has_member(self) -> bool:
        """Whether the path names a member."""
        return "{member_id}" in self.path

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        call = Call(request, Site.of(request))
        given = await self._checked(call)
        if iscoroutinefunction(self.handler):
            shape = await self.handler(call, **given)
            content = await run_in_threadpool(rendered, shape)
        else:
            shape, content = await run_in_threadpool(self._answer, call, given)
        if self.method == "GET":
            return answered(request, content)
        return as_json(content, 201 if self.creates and shape["outcome"] != "unchanged" else 200)

    def _answer(self, call: Call, given: Mapping[str, Any]) -> tuple[Any, bytes]:
        shape = self.handler(call, **given)
        return shape, rendered(shape)

    async def _checked(self, call: Call) -> Mapping[str, Any]:
        """Check who calls, and return the query or the body."""
        request, site, types = call.request, call.site, self.types
        if self.access == "token":
            site.check_trusted(request)
        elif self.access == "admin":
            await site.check_administers(request)
        elif self.access == "visible" and self.has_member:
            await site.check_may_see(request, call.member_id)
        if "body" in types:
            return {"body": requests.structured(types["body"], await requests.sent(request))}
        if "query" not in types:
            return {}
        query = requests.query(types["query"], request)
        if self.access == "visible" and (member_id := getattr(query, "member", None)) is not None:
            await site.check_may_see(request, member_id)
        return {"query": query}
