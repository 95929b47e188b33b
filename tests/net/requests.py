"""Every request in the API description, good and bad, to a `World` and to one whose store fails."""

import re
from typing import Any

import httpx

from support.visitor import BEARER, EARNINGS, TOKEN, Visitor
from trc_engage import LedgerBusy, LedgerFailed
from trc_engage.entrypoints.web import create_app

from .transcripts import Transcripts, pretty
from .world import IDS, World

USUAL = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Headers that every answer must have; deviations are written down."""
MASKED = {"etag": '"ETAG"', "content-length": "LENGTH"}
UNSEEN = "kim"
"""A member whom no one may see without a token."""
AT = "2026-03-06T01:00:00Z"
WRONG = {"Authorization": "Bearer not-the-token-of-the-site"}
READ_TOKEN = "a-token-that-only-reads"  # noqa: S105
READING = {"Authorization": f"Bearer {READ_TOKEN}"}
DESCRIPTION = "/openapi.json"
ELSEWHERE = "/elsewhere"
OTHERS = (DESCRIPTION, ELSEWHERE)
"""What is answered beyond what the description mentions."""
OVERLONG = "x" * 300
MEMBERS = ("ada", "bo", "cy", "eli", "fay", "gus", "ivy", "jo", "lou", "mei", "%C3%9C-1")
QUERIES = {
    "/members/ada/history": (
        *("", "before=60&limit=2", "source=benchmark", "source=discord&limit=2", "source=", "before=0"),
        *("limit=0", "limit=501", "limit=x", "limit=1&limit=2", "before=-1", "no=such"),
    ),
    "/members/bo/calendar": (
        *("", "first=2026-03-02", "last=2026-02-03", "first=2026-03-06&last=2026-03-01", "first=2020-01-01"),
        *("first=x", "last=2026-02-30", "first=1999-12-31"),
    ),
    "/leaderboard": (
        *("", "month=2026-02", "month=2026-02&member=ivy", "member=jo&limit=1", f"member={UNSEEN}", "member=x"),
        *("limit=101", "month=2026-2", "member="),
    ),
    "/members/ada/why": ("day=2026-03-03", "entry=110", "entry=1", "entry=x", "day=x"),
    "/milestones": ("", "after=1&limit=1", "limit=0"),
    "/members": ("limit=3", "after=gus&limit=2", "status=left", "status=none", "status=gone", "limit=0"),
    "/feed": ("", "after=60&limit=3", "after=100000", "after=-1", "limit=501", "wait=31"),
}
"""Requests with parameters, good and bad."""


class FailureRun:
    """Replaces an `Engage`; every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, _name: str) -> Any:
        def fail(*_: object, **__: object) -> None:
            raise self._error

        return fail


class Requests:
    """Asks the API, and has each answer written down under its route."""

    def __init__(self, world: World, transcripts: Transcripts) -> None:
        self.visitor = visitor_of(world.engage)
        self.description = described(self.visitor)
        self.answered: dict[tuple[str, str], set[str]] = {}
        """Statuses by path and method, as the description names them."""
        self._transcripts = transcripts

    def ask(self, method: str, path: str, body: Any = None, visitor: Visitor | None = None, **options: Any) -> None:
        """Send one request; a body is JSON unless it is bytes."""
        if isinstance(body, bytes):
            options["content"] = body
        elif body is not None:
            options["json"] = body
        answer = (visitor or self.visitor).ask(method, f"/api{path}", **options)
        route = self.route(path)
        self.answered.setdefault((route, method.lower()), set()).add(str(answer.status_code))
        sent = str(options.get("json") or options.get("content", ""))
        headers = ", ".join(f"{name}: {value[:40]}" for name, value in options.get("headers", {}).items())
        asked = f"{method} {path.replace(OVERLONG, 'xxx…')} {sent if len(sent) < 200 else f'({len(sent):,} bytes)'}"
        self._transcripts.add(name_of(route), asked.rstrip(), headers, *shown(answer))

    def route(self, path: str) -> str:
        """Return the path in the description to which an address belongs."""
        plain = path.partition("?")[0]
        if plain in OTHERS:
            return plain
        for route in self.description["paths"]:
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), plain):
                return str(route)
        return ELSEWHERE

    def read(self) -> None:
        """Ask for everything that can be read."""
        for member in (*MEMBERS, UNSEEN, "nobody", OVERLONG):
            for what in (
                "",
                "/history?limit=4",
                "/events",
                "/story",
                "/why",
                "/calendar?first=2026-02-16&last=2026-03-06",
            ):
                self.ask("GET", f"/members/{member}{what}")
        self.ask("GET", f"/members/{UNSEEN}", headers=BEARER)
        self.ask("GET", "/members/ada", headers=WRONG)
        for path, queries in QUERIES.items():
            for query in queries:
                self.ask("GET", f"{path}?{query}", headers=READING if path in {"/members", "/milestones"} else {})
        for query in ("limit=500", "after=60&limit=3"):
            self.ask("GET", f"/feed?{query}", headers=BEARER)
        for path in ("/earnings", "/status", DESCRIPTION):
            self.ask("GET", path)
        for headers in ({"X-Admin": "yes"}, BEARER, READING):
            self.ask("GET", "/members/ada/history?limit=4", headers=headers)
            self.ask("GET", "/members/ada/events", headers=headers)
            self.ask("GET", "/status", headers=headers)
            self.ask("GET", "/excusals", headers=headers)
        for path in ("/members?limit=3", "/excusals", "/milestones"):
            self.ask("GET", path)
        self.ask("GET", DESCRIPTION, visitor=visitor_of(FailureRun(LedgerFailed("not asked")), token=None))
        self._read_again()

    def _read_again(self) -> None:
        """Ask for what the caller already holds, for the head alone, and for what does not exist."""
        for path in ("", "/history", "/events", "/story", "/why", "/calendar"):
            self._ask_for_news(f"/members/ada{path}")
        for path in ("leaderboard", "earnings", "feed", "status", "members", "excusals", "milestones", "openapi.json"):
            self._ask_for_news(f"/{path}")
        for path in ("", "/", "/members", "/members/", "/members/ada/", "/members/a/b/c", "/nothing", "/Feed"):
            self.ask("GET", path)
        for method in ("OPTIONS", "PATCH", "DELETE", "POST"):
            for path in ("/feed", "/members/ada", "/reversals"):
                self.ask(method, path, headers=BEARER)

    def _ask_for_news(self, path: str) -> None:
        tag = self.visitor.get(f"/api{path}", headers=BEARER).headers["etag"]
        answer = self.visitor.get(f"/api{path}", headers={**BEARER, "If-None-Match": tag})
        self.answered[self.route(path), "get"].add(str(answer.status_code))
        self._transcripts.add(name_of(self.route(path)), f"GET {path}", "If-None-Match: its ETag", *shown(answer))
        self.ask("HEAD", path, headers=BEARER)

    def write(self) -> None:
        """Change everything that can be changed, and be refused."""
        new, taken = "80351110224679001", IDS["ada"]
        self._put("/members/web-1", {}, {"name": "Wübke", "discord_id": new}, {"name": None}, {"name": "Webke"})
        self._put("/members/web-1", {"discord_id": taken}, {"discord_id": 1}, {"no": "such"}, [], "text")
        self._put("/members/web-2", {"name": "x" * 5_000}, {"name": "\x00"}, {})
        self._put("/members/fay", {"name": "Fay again"})
        self._put("/members/web%2F1", {})
        self._put("/members/web-2/link", {"discord_id": new}, {"discord_id": "80351110224679002"}, {})
        self._put("/members/nobody/link", {"discord_id": "80351110224679003"})
        for member in ("web-2", "jo", "nobody"):
            for what in ("leave", "rejoin", "hide", "show"):
                self.ask("POST", f"/members/{member}/{what}", headers=BEARER)
                self.ask("POST", f"/members/{member}/{what}", headers=BEARER)
            self.ask("DELETE", f"/members/{member}/link", headers=BEARER)
        good = {"source": "benchmark", "points": 5, "key": "web:1", "at": AT}
        change: Any
        for change in ({}, {}, {"points": 6}, {"points": 5.0}, {"points": 0}, {"points": 10**12}, {"points": "5"}):
            self._post("/members/ada/awards", good | change)
        for change in ({"source": "Discord"}, {"key": ""}, {"at": "2026-03-06"}, {"at": "2026-03-07T00:00:00Z"}):
            self._post("/members/ada/awards", good | {"key": "web:2"} | change)
        self._post("/members/bo/awards", good | {"key": "web:3", "at": "2026-02-19T12:00:00+01:00"})
        self._post("/members/nobody/awards", good)
        by = {"reason": "a typo 🙂", "by": "admin-7"}
        for change in ({}, {}, {"points": 2}, {"points": 0}, {"by": " "}, {"reason": None}):
            self._post("/members/jo/adjustments", {"points": -2, "key": "web:4", **by} | change)
        self._post("/members/nobody/adjustments", {"points": -2, "key": "web:5", **by})
        self._excuse(by)
        for key in ("web:3", "web:3", "web:4", "none", 7):
            self._post("/reversals", {"key": key, **by})
        self._post("/members/ada/awards", good | {"key": "web:3"})
        self._refused()

    def _excuse(self, by: Any) -> None:
        """Forget someone, and excuse days for all, for one member and for an unknown one."""
        for one in ("web-2", "nobody"):
            self._post(f"/members/{one}/forget", None)
        days: Any
        for days in (["2026-03-09"], ["2026-03-09"], ["2026-03-07"], [], "2026-03-09"):
            self._post("/excusals", {"days": days, **by})
            self._post("/excusals", {"days": days, **by, "member_id": "jo", "note": "by phone"})
        self._post("/excusals", {"days": ["2026-03-09"], **by, "member_id": "nobody"})
        for whom in ({"member_id": "jo"}, {}, {"member_id": "nobody"}, {"member_id": ""}):
            self._post("/excusals/undo", {"days": ["2026-03-09"], "by": "admin-7", **whom})

    def _refused(self) -> None:
        """Send requests that are refused: without the token, too large, not JSON, or of another type."""
        for route, operations in self.description["paths"].items():
            path = route.replace("{member_id}", "web-1")
            for method in sorted(operations.keys() & {"put", "post", "delete"}):
                self.ask(method.upper(), path, {})
                self.ask(method.upper(), path, {}, headers=WRONG)
                self.ask(method.upper(), path, {}, headers=READING)
                if "{member_id}" in route:
                    self.ask(method.upper(), route.replace("{member_id}", OVERLONG), {}, headers=BEARER)
                if "requestBody" in operations[method]:
                    as_json = {**BEARER, "Content-Type": "application/json"}
                    self.ask(method.upper(), path, b" " * 70_000, headers=as_json)
                    for body in (b"", b"{", b'{"a": 1, "a": 2}', b'"\xff"', b"[NaN]"):
                        self.ask(method.upper(), path, body, headers=as_json)
                    self.ask(method.upper(), path, b"key=web", headers=BEARER)

    def fail(self) -> None:
        """Send each operation to a store that is busy, and to one that fails."""
        body = {
            "source": "x",
            "points": 1,
            "key": "k",
            "at": AT,
            "reason": "r",
            "by": "me",
            "discord_id": "1",
            "name": "n",
            "days": ["2026-03-09"],
            "member_id": "ada",
            "note": "n",
            "counts_as_activity": False,
            "never_left": False,
        }
        for error in (LedgerBusy("held by another"), LedgerFailed("FILE: no longer there"), RuntimeError("a bug")):
            visitor = visitor_of(FailureRun(error))
            for route, operations in self.description["paths"].items():
                for method in sorted(operations.keys() & {"get", "put", "post", "delete"}):
                    sent = operations[method].get("requestBody")
                    name = sent["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2] if sent else None
                    fields = self.description["components"]["schemas"][name]["properties"] if name else None
                    of_body = None if fields is None else {name: body[name] for name in fields}
                    path = route.replace("{member_id}", "ada")
                    self.ask(method.upper(), path, of_body, visitor, headers=BEARER)

    def _put(self, path: str, *bodies: Any) -> None:
        for body in bodies:
            self.ask("PUT", path, body, headers=BEARER)

    def _post(self, path: str, body: Any) -> None:
        self.ask("POST", path, body, headers=BEARER)


def visitor_of(engage: Any, token: str | None = TOKEN) -> Visitor:
    """Return a visitor of a site on which one member is not visible to everyone."""
    return Visitor(
        create_app(
            engage,
            may_see=lambda _request, member_id: member_id != UNSEEN,
            may_administer=lambda request: "x-admin" in request.headers,
            token=token,
            read_token=READ_TOKEN,
            earnings=EARNINGS,
        )
    )


def described(visitor: Visitor) -> Any:
    """Return the API's own description."""
    return visitor.told(f"/api{DESCRIPTION}", headers=BEARER)


def routes() -> list[str]:
    """Return every route that is written down."""
    return [*described(visitor_of(FailureRun(LedgerFailed("not asked"))))["paths"], *OTHERS]


def name_of(route: str) -> str:
    """Return the name of a route's transcript."""
    return "api " + re.sub(r"[{}]", "", route.strip("/")).replace("/", " ")


def shown(answer: httpx.Response) -> tuple[str, str]:
    """Return status, headers and body, without the usual headers."""
    headers = {name: MASKED.get(name, value) for name, value in answer.headers.items()}
    told = sorted(headers.items() - USUAL.items()) + [(name, "(MISSING)") for name in USUAL.keys() - headers.keys()]
    body = pretty(answer.json()) if "json" in headers.get("content-type", "") and answer.content else answer.text
    return f"{answer.status_code}; " + "; ".join(f"{name}: {value}" for name, value in told), body
