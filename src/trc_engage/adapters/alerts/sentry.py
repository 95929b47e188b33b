"""Notices as messages in Sentry, through the client that whoever runs this has set up."""

from typing import TYPE_CHECKING, ClassVar, Final

from attrs import frozen

from ...core.errors import AlertFailed
from ...core.incidents import Notice, NoticeKind

if TYPE_CHECKING:
    from sentry_sdk._types import LogLevelStr

LEVELS: Final[dict[NoticeKind, "LogLevelStr"]] = {"alert": "error", "reminder": "warning", "all_clear": "info"}
SECONDS_MAX = 2.0
_GLANCE_SECONDS = 0.01


@frozen
class SentryAlerts:
    """Sends each notice as a message; those of one topic make one issue.

    It never sets up a client, for that would replace the web app's own. Where the transport counts what
    it `lost`, a notice that Sentry did not take is tried again; elsewhere only one that is late.
    """

    channel: ClassVar[str] = "sentry"
    timeout: float = SECONDS_MAX
    """How many seconds a notice may take to be delivered."""

    def send(self, notice: Notice, /) -> None:
        """Send a notice, and wait until it is delivered; raises `AlertFailed`."""
        import sentry_sdk  # noqa: PLC0415

        client = sentry_sdk.get_client()
        if client.transport is None:
            raise AlertFailed("no Sentry client is set up: call `sentry_sdk.init` with a DSN first")
        lost = _lost(client.transport)
        with sentry_sdk.new_scope() as scope:
            scope.fingerprint = ["trc-engage", notice.topic]
            scope.set_tag("topic", notice.topic)
            scope.set_tag("notice", notice.kind)
            scope.set_context("notice", {"since": notice.since.isoformat(), "text": notice.text})
            sentry_sdk.capture_message(notice.title, level=LEVELS[notice.kind])
        client.flush(self.timeout)
        if _lost(client.transport) > lost:
            raise AlertFailed(
                "Sentry did not take it; the next run tries again, so look at SENTRY_DSN only if it lasts"
            )
        late: list[int] = []
        client.flush(_GLANCE_SECONDS, lambda pending, _: late.append(pending))
        if late:
            raise AlertFailed(f"Sentry did not answer within {self.timeout:g} s; the next run tries again")


def _lost(transport: object) -> int:
    lost: int = getattr(transport, "lost", 0)
    return lost
