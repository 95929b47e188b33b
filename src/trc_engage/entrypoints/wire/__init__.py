"""The shapes of our JSON, each said once: for the command line's `--json`, the web API and its OpenAPI document."""

from ...core.reports import Standing
from .members import Member
from .problems import status_of as status_of


def as_json(standing: Standing) -> Member:
    """Return a member's points and streak as a dictionary for JSON, as our own API shows them to members."""
    return Member.of(standing)
