"""The facts of a service that shows leaderboards: all that tells one from another."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen


@frozen
class Service:
    """The facts of a service; its keys of JSON may be several with dots between them, as in `user.id`.

    Where the board is:
    - `name`: what messages call the service; in lower case it begins the id of each board.
    - `base_url`, `path`: its address, and what follows, with `{guild}` where the Discord server's id goes.

    What a page looks like:
    - `rows`: the key of the list of rows; "" if the answer is that list.
    - `id`, `xp`: the keys of the Discord id (a text) and of the total XP (a whole number from 0 on) in a row.
    - `guild`: the key of the Discord server's id, which must be the one asked for; None if pages do not tell it.

    How to ask for a page:
    - `page`, `page_first`: the parameter that counts pages, and the first page's number: 1 if that is `?page=1`.
    - `counts_rows`: True if that parameter skips rows and counts no pages, as in `?offset=200`.
    - `limit`: the parameter for how many rows a page has, as in `?limit=1000`; None if the service decides.
    - `page_size`: the most rows that a page can have.

    Who asks:
    - `token_header`, `token_form`: the header that carries a token if one is given, and how: `Bearer {}`.
    - `user_agent`: that header, with `{version}` (of trc-engage) and `{contact}`.
    - `contact`: where the service reaches you if `open` is given no contact; may contain `{guild}`.

    What its answers mean:
    - `limits`: `X-RateLimit` if headers `X-RateLimit-Remaining` and `X-RateLimit-Reset` tell how many requests are
      left, and until when (in seconds, or an instant since 1970); None if there are none.
    - `speaks`: whether the JSON object that came with a status 403 (private) or 404 (unknown guild) is the service's
      own; by default any is that is not empty. Otherwise, and with a body that is empty or HTML, a proxy speaks: a 403
      is `blocked`, a 404 `malformed`. With None each 403 and 404 is the service's, but for a proxy's test for robots.
    - `private`: what helps if a board is private: a sentence without its full stop, such as `Make it public`.
    - `unknown_guild`: what helps if there is no such board: it follows a colon, such as `check the guild's id`.
    """

    name: str
    base_url: str
    path: str
    rows: str
    id: str
    xp: str
    guild: str | None = None
    page: str = "page"
    page_first: int = 0
    counts_rows: bool = False
    limit: str | None = "limit"
    page_size: int = 1_000
    token_header: str = "Authorization"  # noqa: S105  the header's name
    token_form: str = "{}"  # noqa: S105
    user_agent: str = "trc-engage/{version} (+{contact})"
    contact: str = "https://discord.com/channels/{guild}"
    limits: str | None = None
    speaks: Callable[[Mapping[str, Any]], bool] | None = bool
    private: str = "Make it public"
    unknown_guild: str = "check the guild's id, and whether its members earn XP there"

    def query(self, number: int, limit: int) -> dict[str, int]:
        """Return the parameters that ask for a page, counted from 0."""
        sized = {} if self.limit is None else {self.limit: limit}
        return {**sized, self.page: self.page_first + number * (limit if self.counts_rows else 1)}

    def headers(self, version: str, contact: str, token: str | None) -> dict[str, str]:
        """Return the headers that say who asks."""
        agent = self.user_agent.format(version=version, contact=contact)
        return {"User-Agent": agent} | ({} if token is None else {self.token_header: self.token_form.format(token)})
