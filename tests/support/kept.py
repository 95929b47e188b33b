"""A Sentry transport that keeps events instead of sending them over a network."""

import json
from typing import Any

from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport


class Kept(Transport):
    """A transport that keeps the envelopes it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep an envelope."""
        self.envelopes.append(envelope)

    @property
    def payloads(self) -> list[Any]:
        """The payloads of all envelopes, oldest first."""
        return [json.loads(item.get_bytes()) for envelope in self.envelopes for item in envelope.items]

    @property
    def raw(self) -> str:
        """All bytes that would have been sent."""
        return "\n".join(envelope.serialize().decode() for envelope in self.envelopes)
