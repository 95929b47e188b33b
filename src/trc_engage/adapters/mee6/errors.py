"""Every error of httpx in the core's words."""

import httpx

from ...core.errors import SourceError, SourceTrouble, shortened

HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
"""The roots of all that httpx raises."""

_MEANINGS: tuple[tuple[tuple[type[Exception], ...], SourceTrouble, str], ...] = (
    (
        (httpx.ConnectError,),
        "down",
        "cannot be reached; check this machine's network, name service and certificates, and base_url",
    ),
    (
        (httpx.TimeoutException,),
        "down",
        "did not answer in time; the next sync tries again, so look at MEE6's status only if it lasts",
    ),
    (
        (httpx.UnsupportedProtocol,),
        "malformed",
        "cannot be asked over this protocol; give a base_url that begins with https://",
    ),
    (
        (httpx.TransportError, OSError),
        "down",
        "broke the connection off; the next sync tries again, so look at MEE6's status only if it lasts",
    ),
    (
        (Exception,),
        "malformed",
        "answered in a way that is no proper HTTP; check that base_url is MEE6's, and look for a newer trc-engage",
    ),
)


def translated(error: Exception) -> SourceError:
    """Return what an error of httpx means; the caller chains it."""
    kind, meaning = next((kind, meaning) for known, kind, meaning in _MEANINGS if isinstance(error, known))
    # What h11 quotes may be anything that the server sent, and the message is kept (R9).
    words = str(error).partition(": bytearray(")[0]
    return SourceError(kind, f"MEE6 {meaning} ({type(error).__name__}: {shortened(words, 160)})")
