"""No token and no webhook's address is sent to a server whose certificate cannot be verified."""

import ssl
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from trc_engage import SourceError
from trc_engage.adapters.alerts import WebhookAlerts
from trc_engage.adapters.discord import DiscordRoster
from trc_engage.adapters.mee6 import Mee6Source
from trc_engage.core.errors import AlertFailed
from trc_engage.core.incidents import Notice

CERTIFICATE = Path(__file__).parents[1] / "support/self-signed.pem"
"""A certificate for localhost that nobody signed, with its key; valid until 2126."""
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GUILD, ADA = "200000000000000001", "300000000000000001"


class Impostor(ThreadingHTTPServer):
    """A server over TLS with a certificate that nobody signed; it notes each path it is asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Noting)
        self.paths: list[str] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        # Shake hands in a thread for each client, so that one who hangs up does not stop the server.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        """The server's address."""
        return f"https://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up."""


class Noting(BaseHTTPRequestHandler):
    """Notes the path of each request, and answers an empty page."""

    server: Impostor

    def do_GET(self) -> None:
        """Note a request."""
        self.server.paths.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815  as the library names it

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def impostor() -> Iterator[Impostor]:
    """Serve as an impostor."""
    with Impostor() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def alert(url: str) -> str:
    """Send an alert; return why it failed."""
    with pytest.raises(AlertFailed) as caught:
        WebhookAlerts(f"{url}/api/webhooks/1/secret").send(Notice("alert", "source", MONDAY, MONDAY))
    return str(caught.value)


def sync(url: str) -> str:
    """Read a board; return why it failed."""
    opened = Mee6Source.open(GUILD, base_url=url, token="secret", page_gap=0)  # noqa: S106  of a test
    with opened as source, pytest.raises(SourceError) as caught:
        source.read(frozenset({ADA}))
    assert caught.value.kind == "down"
    return str(caught.value)


def ask(url: str) -> str:
    """Ask the roster about a member; return why it does not know."""
    with DiscordRoster.open(GUILD, token="secret", base_url=url, gap=0) as roster:  # noqa: S106  of a test
        presence = roster.ask(ADA)
    assert presence.kind == "unknown"
    return str(presence.why)


@pytest.mark.parametrize("use", [alert, sync, ask])
def test_a_certificate_that_nobody_signed_is_refused_before_a_request(
    impostor: Impostor, use: Callable[[str], str]
) -> None:
    """The error says that the certificate is why, the secret is not in it, and the server is sent no request."""
    told = use(impostor.url)
    assert ("CERTIFICATE_VERIFY_FAILED" in told, "secret" in told) == (True, False), told
    assert impostor.paths == []


def test_the_impostor_answers_who_does_not_verify(impostor: Impostor) -> None:
    """The server works: a client that verifies nothing gets an answer."""
    context = ssl._create_unverified_context()  # noqa: S323  to show what the others refuse
    with urllib.request.urlopen(f"{impostor.url}/x", context=context) as answer:  # noqa: S310  our own server
        assert answer.status == 200
    assert impostor.paths == ["/x"]
