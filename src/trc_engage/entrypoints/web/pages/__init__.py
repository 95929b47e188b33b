"""Pages for people: the leaderboard, a member, how the system does; rendered here, and whole without a script."""

from starlette.routing import BaseRoute, Route

from .pages import board, dress, find, member, problem_page, status
from .templating import switch_theme

__all__ = ["problem_page", "routes"]


def routes() -> list[BaseRoute]:
    """Return the routes of all pages and of what they are dressed in."""
    return [
        Route("/", board, name="board"),
        Route("/members", find, name="find"),
        Route("/members/{member_id:path}", member, name="member"),
        Route("/status", status, name="status"),
        Route("/theme", switch_theme, methods=["POST"], name="theme"),
        Route("/static/{name}", dress, name="dress"),
    ]
