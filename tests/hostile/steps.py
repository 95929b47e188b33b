"""The steps of a script."""

import socket
from collections.abc import Callable
from itertools import count

from .wire import DRIP_SECONDS, Asked, Peer, Step


def asked(peer: Peer) -> None:
    """Await a request."""
    peer.asked()


def send(raw: bytes) -> Step:
    """Send all of it at once."""
    return lambda peer: peer.send(raw)


def drip(raw: bytes, size: int = 1) -> Step:
    """Send a few bytes now and then, over and over, while the client listens."""

    def step(peer: Peer) -> None:
        for position in count(step=size):
            if peer.is_gone(DRIP_SECONDS):
                return
            start = position % len(raw)
            peer.send(raw[start : start + size])

    return step


def flood(raw: bytes) -> Step:
    """Send it again and again, as fast as the client takes it."""
    block = raw * max(1, 2**16 // len(raw))

    def step(peer: Peer) -> None:
        while True:
            peer.send(block)

    return step


def hold(peer: Peer) -> None:
    """Send nothing until the client goes away."""
    peer.is_gone(None)


def reset(peer: Peer) -> None:
    """Close with a reset."""
    peer.reset()


def half_close(peer: Peer) -> None:
    """Shut down the sending side, and go on listening."""
    peer.connection.shutdown(socket.SHUT_WR)


def serve(answering: Callable[[Asked], bytes]) -> Step:
    """Answer one request after the other."""

    def step(peer: Peer) -> None:
        while True:
            peer.send(answering(peer.asked()))

    return step


def dated(answering: Callable[[Peer], bytes]) -> Step:
    """Send an answer that depends on the time."""
    return lambda peer: peer.send(answering(peer))
