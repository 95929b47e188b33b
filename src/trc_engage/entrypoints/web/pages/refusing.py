"""What is shown instead of a page."""

from collections.abc import Mapping

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response

from ..problems import Problem
from .rendering import HEADERS, MEDIA_TYPE, rendered_text


@frozen
class Refusal:
    """Why there is no page, and what to do."""

    title: str
    advice: str
    finds: bool = False
    """Whether looking for a member helps."""


NOBODY = Refusal(
    "No such member", "Nobody has this id, or the page is not yours to see. Look by name or id.", finds=True
)
BROKEN = Refusal("This cannot be shown", "The points are safe; somebody who runs this site has to look at it.")
REFUSALS: Mapping[str, Refusal] = {
    "unknown-member": NOBODY,
    "unknown-path": Refusal("No such page", "There is nothing here, or it is not yours to see."),
    "invalid-value": Refusal("That cannot be read", "The address of this page holds a value that makes no sense."),
    "wrong-method": Refusal("That cannot be done here", "Begin again from the leaderboard."),
    "not-on-loopback": Refusal("Not from here", "This site answers its own machine only."),
    "closed": Refusal(
        "This site is closed",
        "Open it by the link that was printed where it was started: it opens one browser; then the next is printed.",
    ),
    "busy": Refusal("Busy for a moment", "The points are being brought up to date. Load this page again."),
}


def problem_page(request: Request, problem: Problem) -> Response:
    """Return the page that says why there is none."""
    refusal = NOBODY if problem.field == "member_id" else REFUSALS.get(problem.kind, BROKEN)
    text = rendered_text(request, "refusal.html", administers=False, refusal=refusal)
    return Response(text, problem.status, {**problem.headers, **HEADERS}, MEDIA_TYPE)
