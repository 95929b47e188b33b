"""`Site`: what every handler holds, and who may see what."""

from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from attrs import field, frozen
from starlette.requests import Request

from ...core.errors import UnknownMember
from ...core.fields import checked_member_id
from ...engage import Engage
from .access import asked, bears
from .entrance import Entrance
from .problems import Problem

MaySee = Callable[[Request, str], bool | Awaitable[bool]]
MayAdminister = Callable[[Request], bool | Awaitable[bool]]


@frozen
class Earning:
    """One thing that earns points, for members to read."""

    what: str
    points: int


@frozen
class Site:
    """What every handler holds: `Site.of(request)`."""

    engage: Engage
    may_see: MaySee | None = None
    """None where whoever is in sees all: alone, on loopback."""
    may_administer: MayAdminister | None = None
    token: str | None = field(default=None, repr=False)
    alone: bool = False
    entrance: Entrance = field(factory=Entrance, repr=False)
    """The way in, where it runs alone."""
    earnings: Sequence[Earning] = ()

    @classmethod
    def of(cls, request: Request) -> "Site":
        """Return the site of the app that answers this request, mounted or not."""
        return cast("Site", request.app.state.site)

    def is_trusted(self, request: Request) -> bool:
        """Tell whether the request bears the site's token, and so may see all and write."""
        return self.token is not None and bears(request, self.token)

    async def sees(self, request: Request, member_id: str) -> bool:
        """Tell whether the one who asks may see this member."""
        if self.may_see is None or self.is_trusted(request):
            return True
        return await asked(self.may_see, request, member_id)

    async def check_may_see(self, request: Request, member_id: str) -> None:
        """Raise what is raised for nobody at all, unless the one who asks may see this member."""
        if not await self.sees(request, checked_member_id(member_id)):
            raise UnknownMember(member_id)

    async def administers(self, request: Request) -> bool:
        """Tell whether the one who asks may see how the system does."""
        if self.alone or self.is_trusted(request):
            return True
        return self.may_administer is not None and await asked(self.may_administer, request)

    async def check_administers(self, request: Request) -> None:
        """Raise the problem of a page that is not there, unless the one who asks is an admin."""
        if not await self.administers(request):
            raise Problem.not_found()
