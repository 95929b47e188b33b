"""Boards that do not end, or whose pages do not agree with each other."""

from collections.abc import Callable, Sequence

from attrs import evolve

from .case import Case, Outcome
from .pages import (
    CY,
    EMPTY,
    FIRST,
    GUILD,
    PAGE,
    SECOND,
    answer,
    error_body,
    made_up,
    row,
    rows,
)
from .steps import asked, half_close, hold, reset, send, serve
from .wire import Asked, Peer, Step

OOPS = answer(b"", status="500 X")
OTHER_GUILD = SECOND.replace(GUILD.encode(), b"200000000000000002")


def _served(
    name: str, outcome: Outcome, says: str, answering: Callable[[Asked], bytes], *, tries: int | None = None
) -> Case:
    """Return the case of a server that answers each request with a page."""
    return Case(name, outcome, [[serve(lambda asked: answer(answering(asked)))]], says, tries)


def _pages(name: str, outcome: Outcome, *pages: bytes, says: str = "", tries: int | None = None) -> Case:
    """Return the case of a server that has these pages, and empty ones beyond them."""
    return _served(
        name, outcome, says, lambda asked: pages[asked.page] if asked.page < len(pages) else EMPTY, tries=tries
    )


def _turns(name: str, outcome: Outcome, *pages: bytes, says: str = "", tries: int | None = None) -> Case:
    """Return the case of a server that gives these pages one after the other, whatever is asked for."""
    script: list[Step] = [step for page in pages for step in (asked, send(answer(page)))]
    return Case(name, outcome, [[*script, hold]], says, tries)


def _second(name: str, outcome: Outcome, *steps: Step, says: str = "", tries: int | None = None) -> Case:
    """Return the case of a server that sends a valid first page and then performs these steps."""

    def first(peer: Peer) -> None:
        while peer.asked().page == 0:
            peer.send(answer(FIRST))

    return Case(name, outcome, [[first, *steps]], says, tries)


def _lost(page: bytes) -> bytes:
    """Return the first page without Ada."""
    return page.replace(b"80351110224678900", b"70351110224678900")


def _strangers(asked: Asked) -> bytes:
    return rows(*made_up(asked.limit * asked.page, asked.limit))


def _one_by_one(asked: Asked) -> bytes:
    return rows(*made_up(asked.page, 1))


def _limit_ignored(asked: Asked) -> bytes:
    return rows(*made_up(3_000 * asked.page, 3_000))


def _alternating(asked: Asked) -> bytes:
    return rows(*made_up(1_000 * (asked.page % 2), 1_000))


def _poisoned(name: str, outcome: Outcome, first: bytes, more: bytes, *, says: str = "") -> Case:
    """Return the case of a server that sends more than an answer, together with its first answer."""
    script = [asked, send(answer(first) + more), serve(lambda asked: answer(SECOND if asked.page == 1 else EMPTY))]
    return Case(
        name, outcome, [script, [serve(lambda asked: answer((first, SECOND, EMPTY)[min(asked.page, 2)]))]], says
    )


CASES: Sequence[Case] = (
    _served("people_without_end", "malformed", "did not end within 40 pages", _strangers, tries=40),
    _served("pages_of_one_row", "malformed", "did not end within 40 pages", _one_by_one),
    _served("limit_ignored_without_end", "malformed", "did not end within", _limit_ignored),
    evolve(
        _served("more_rows_than_pages_hold", "malformed", "did not end within 5", _limit_ignored, tries=2), pages_max=5
    ),
    _served("same_page_for_ever", "malformed", "repeat each other", lambda _: FIRST),
    _served("same_short_page_for_ever", "malformed", "repeat each other", lambda _: _lost(PAGE)),
    _served("two_pages_for_ever", "malformed", "repeat each other", _alternating),
    _served("echo_without_rows", "distrusted", "empty", lambda _: EMPTY),
    _pages("two_pages", "paid", FIRST, SECOND),
    _pages("second_page_short_of_all", "paid", rows(row("ada", 1_250), row("bo", 500)), rows(CY)),
    _pages("limit_ignored_all_on_one_page", "paid", rows(*made_up(0, 2_500), row("ada", 1_250), row("bo", 500), CY)),
    _pages("empty_first_page", "distrusted", EMPTY, FIRST, SECOND, says="empty"),
    _pages("ada_lower_on_the_second_page", "paid", FIRST.replace(b"1250", b"1350"), rows(row("ada", 1_250), CY)),
    _pages("rows_in_no_order", "paid", rows(*made_up(0, 998), row("bo", 500), CY), rows(row("ada", 1_250))),
    _pages("every_row_on_both_pages", "paid", FIRST, rows(*made_up(0, 990), CY)),
    _pages("second_page_of_another_guild", "malformed", FIRST, OTHER_GUILD, says="to guild"),
    _pages("second_page_no_json", "malformed", FIRST, SECOND[:-1], says="not valid JSON"),
    _pages("second_page_html", "blocked", FIRST, b"<html>"),
    _pages("ada_negative_on_the_second_page", "malformed", FIRST, rows(row("ada", -1), CY)),
    _pages("ada_nowhere", "absent", _lost(FIRST), SECOND, tries=4),
    _turns("end_that_wavers", "paid", rows(*made_up(0, 1_000)), EMPTY, PAGE, PAGE),
    _turns("whole_board_in_disorder", "paid", SECOND, FIRST),
    _second("second_page_cut", "down", send(answer(SECOND)[:-9]), tries=4),
    _second("second_page_reset", "down", reset),
    _second("second_page_500", "down", send(OOPS), serve(lambda _: OOPS), says="status 500", tries=4),
    _second("second_page_401", "private", send(answer(b"", status="401 X")), tries=2),
    _second("second_page_429", "rate_limited", send(answer(b"", "Retry-After: 5", status="429 X")), tries=2),
    _second("second_page_redirect", "malformed", send(answer(b"", "Location: /", status="302 X")), tries=2),
    _second("second_page_204", "malformed", send(b"HTTP/1.1 204 No Content\r\n\r\n"), tries=2),
    Case("closed_after_each_page", "paid", [[asked, send(answer(FIRST))], [asked, send(answer(SECOND))]], tries=2),
    Case(
        "half_closed_after_each_page",
        "paid",
        [[asked, send(answer(FIRST)), half_close, hold], [asked, send(answer(SECOND))]],
    ),
    Case(
        "closed_before_second_answer", "paid", [[asked, send(answer(FIRST)), asked], [serve(lambda _: answer(SECOND))]]
    ),
    _poisoned("an_answer_too_many", "paid", PAGE, answer(EMPTY)),
    _poisoned("the_first_page_again", "paid", FIRST, answer(FIRST)),
    _poisoned("the_end_too_early", "paid", FIRST, answer(EMPTY)),
    _poisoned("the_second_page_unasked", "paid", FIRST, answer(SECOND)),
    _poisoned("an_error_unasked", "unknown_guild", FIRST, answer(error_body(404, "no"), status="404 X")),
    _poisoned("garbage_after_the_answer", "paid", FIRST, b"garbage\r\n\r\n"),
    _poisoned("a_line_end_too_many", "paid", FIRST, b"\r\n"),
)
