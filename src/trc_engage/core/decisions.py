"""What an admin decides about a board that is not trusted (R10, R24)."""

from typing import Literal

from attrs import frozen

from .entries import SyncKind

DecisionKind = Literal["accept_drops", "rebase_drops", "adopt_board"]
"""Falling XP is deducted; falling XP is a new season; the board is meant to be another one."""


@frozen
class Decision:
    """A decision, and the trace that it leaves (R27)."""

    kind: DecisionKind
    actor: str | None = None
    """What whoever decided calls himself; an adoption always says it."""
    reason: str | None = None

    @property
    def entry_kind(self) -> SyncKind:
        """The kind of the entries that come of it, and bear who decided and why."""
        return "deduction" if self.kind == "accept_drops" else "rebase"
