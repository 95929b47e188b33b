"""Troubles that are whole answers: MEE6 refuses, or the edge in front of it."""

from datetime import timedelta

from . import answers
from .answers import Answer, edge_page, mee6_error
from .exchange import Exchange
from .trouble import Trouble

_CHALLENGE = "Enable JavaScript and cookies to continue<script src='/cdn-cgi/challenge-platform/orchestrate'></script>"
_CHALLENGED = ("cf-mitigated", "challenge")


def _rate_limited_date(exchange: Exchange) -> None:
    until = answers.http_date(exchange.at + timedelta(seconds=90))
    exchange.send(answers.RATE_LIMITED.having(("Retry-After", until)))


def _rate_limited_for(seconds: int) -> Answer:
    return answers.RATE_LIMITED.having(("Retry-After", str(seconds)))


REFUSALS = (
    Trouble.answering("private", "MEE6: the board is not public.", answers.UNAUTHORIZED),
    Trouble.answering("expired_token", "MEE6: the session token has expired.", answers.UNAUTHORIZED),
    Trouble.answering("unknown_guild", "MEE6: not on this server, or no such server.", answers.GUILD_NOT_FOUND),
    Trouble.answering("internal_error", "MEE6: an error of its own.", mee6_error(500, "Internal Server Error")),
    Trouble.answering("rate_limited", "The edge: too many requests, in plain text.", answers.RATE_LIMITED),
    Trouble.answering(
        "rate_limited_html",
        "The edge: too many requests, as a page.",
        edge_page(429, "Access denied | mee6.xyz used Cloudflare to restrict access", "You are being rate limited"),
    ),
    Trouble.answering("rate_limited_seconds", "The edge: too many requests, wait 120 s.", _rate_limited_for(120)),
    Trouble("rate_limited_date", "The edge: too many requests, wait until a date 90 s ahead.", 429, _rate_limited_date),
    Trouble.answering(
        "rate_limited_absurd", "The edge: wait for longer than clocks can count.", _rate_limited_for(999_999_999_999)
    ),
    Trouble.answering("rate_limited_json", "MEE6: too many requests.", mee6_error(429, "Too many requests")),
    Trouble.answering("blocked", "The edge: this agent or address is blocked.", answers.BLOCKED),
    *(
        Trouble.answering(
            f"challenge_{status}",
            f"The edge: prove that you are human, with status {status}.",
            edge_page(status, "Just a moment...", _CHALLENGE).having(_CHALLENGED),
        )
        for status in (200, 403, 503)
    ),
    Trouble.answering(
        "bad_gateway",
        "The edge: MEE6 answered nonsense.",
        edge_page(502, "mee6.xyz | 502: Bad gateway", "The web server reported a bad gateway error."),
    ),
    Trouble.answering(
        "unavailable",
        "The edge: MEE6 is down.",
        edge_page(503, "503 Service Temporarily Unavailable", "The server is temporarily unable to serve you."),
    ),
    Trouble.answering(
        "gateway_timeout",
        "The edge: MEE6 did not answer in time.",
        edge_page(504, "mee6.xyz | 504: Gateway time-out", "The web server reported a gateway time-out error."),
    ),
    Trouble.answering(
        "redirect",
        "The board has moved to another path of this server.",
        Answer(302, b"", answers.HTML, (("Location", "/elsewhere"),)),
    ),
    Trouble.answering(
        "html_200",
        "A page for people, as if it were an answer.",
        Answer(200, b"<!DOCTYPE html>\n<html><head><title>MEE6</title></head><body></body></html>\n", answers.HTML),
    ),
    Trouble.answering("empty_body", "An answer of no bytes.", Answer(200, b"")),
)
