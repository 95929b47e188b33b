"""A transport for Sentry that knows what it lost: its client itself gives no receipt."""

from sentry_sdk.transport import HttpTransport


class CountingTransport(HttpTransport):
    """Sentry's own transport, counting what could not be delivered."""

    lost = 0
    """How many envelopes Sentry did not take since the client began."""

    def on_dropped_event(self, _reason: str) -> None:
        """Count an envelope that was given up, whatever for."""
        self.lost += 1
