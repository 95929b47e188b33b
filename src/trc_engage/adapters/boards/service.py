"""The facts of a service that shows leaderboards: all that tells one from another."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen


@frozen
class Service:
    """Where a service shows its boards, in which shape, and what it says where it refuses.

    Keys inside an answer may be several with dots between them, as in `user.id`.
    """

    name: str
    """What messages call it; in lower case it begins the id of each board."""
    base_url: str
    path: str
    """What follows the address, with `{guild}` where the Discord server's id goes."""
    rows: str
    """The key of the list of rows; empty if the answer is that list."""
    id: str
    """The key of the Discord id in a row."""
    xp: str
    """The key of the total XP in a row."""
    guild: str | None = None
    """The key of the id of the server whose board it is; None if the answer does not say."""
    page: str = "page"
    """The parameter that asks for a page …"""
    page_first: int = 0
    """… counted from here …"""
    counts_rows: bool = False
    """… or for the rows after so many."""
    limit: str | None = "limit"
    """The parameter that asks for a number of rows; None if the service decides."""
    page_size: int = 1_000
    """Rows of a page, at most."""
    token_header: str = "Authorization"  # noqa: S105  the header's name
    token_form: str = "{}"  # noqa: S105
    """How that header holds the token, such as `Bearer {}`."""
    user_agent: str = "trc-engage/{version} (+{contact})"
    contact: str = "https://discord.com/channels/{guild}"
    """Where the service can reach whoever runs this, if nobody said."""
    limits: str | None = None
    """What the headers begin with that say how many requests remain, and until when, such as `X-RateLimit`."""
    speaks: Callable[[Mapping[str, Any]], bool] = bool
    """Tells of an answer's JSON object whether the service itself says so, and not the edge in front of it."""
    private: str = "Make it public, or renew the token"
    """What helps if a board is not shown, …"""
    unknown_guild: str = "check the guild's id, and whether its members earn XP there"
    """… and if it is not known."""

    def query(self, number: int, limit: int) -> dict[str, int]:
        """Return the parameters that ask for a page, counted from 0."""
        sized = {} if self.limit is None else {self.limit: limit}
        return {**sized, self.page: self.page_first + number * (limit if self.counts_rows else 1)}

    def headers(self, version: str, contact: str, token: str | None) -> dict[str, str]:
        """Return the headers that say who asks."""
        agent = self.user_agent.format(version=version, contact=contact)
        return {"User-Agent": agent} | ({} if token is None else {self.token_header: self.token_form.format(token)})
