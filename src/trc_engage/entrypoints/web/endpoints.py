"""Endpoints declared once, by their handlers: the signature gives the parameters, the docstring the description.

A parameter named in the path is taken from there; others come from the query of a GET or DELETE, or are fields of the
body. Their types and `Shown` define the route, the checks and OpenAPI.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from hashlib import blake2b
from inspect import Parameter as Argument, iscoroutinefunction, signature
from typing import Annotated, Any, Literal, NewType, NoReturn, get_type_hints

from attrs import Factory, field, frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ...core.errors import InvalidValue
from ...core.validation import TEXT_LENGTH_MAX
from ...engage import Engage
from ..wire.problems import ProblemError
from ..wire.shape import Shown, known_of, parsed_instant, without_none
from .access import Site, for_member

BYTES_MAX = 64 * 1024
EXACT_BELOW = 2**53
"""From here on, a number with a point may differ from the one that was written."""
TAG_BYTES = 12
COMPACT = json.JSONEncoder(separators=(",", ":"))
POSITION_MAX = 2**63 - 1
DAY_FORM = r"2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
MONTH_FORM = r"2[0-9]{3}-(0[1-9]|1[0-2])"
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)

Month = NewType("Month", date)
"""The first day of a month."""


PROSE: dict[str, Any] = {
    "minLength": 1,
    "maxLength": TEXT_LENGTH_MAX,
    "pattern": r"^[^\u0000]*[^\u0000\s\u001c-\u001f\u0085][^\u0000]*$",
}
Prose = Annotated[str, Shown(**PROSE)]
Why = Annotated[str | None, Shown("Why; the member can read it.", **PROSE)]
Note = Annotated[str | None, Shown("For admins only.", **PROSE)]
AS_MEMBER = Shown("Leave out what only admins may read, for a page that the member sees.", enum=["member"])
TRACE = {"by": Annotated[str | None, Shown("Who does this, for the record.", **PROSE)], "reason": Why, "note": Note}
"""What a handler takes as `**trace` and passes on unchanged."""


@frozen
class Call:
    """One request to an endpoint."""

    request: Request
    site: Site

    @property
    def engage(self) -> Engage:
        """The site's `Engage`."""
        return self.site.engage

    @property
    def administers(self) -> bool:
        """Whether the caller is an admin; set only if the endpoint `names_admins`, as every page does."""
        return bool(self.request.state.administers)


@frozen
class Parameter:
    """A parameter of a handler."""

    kind: Any
    """Its type, with None if that may be sent."""
    known: Shown
    default: Any
    """`Argument.empty` if it must be sent."""
    location: Literal["path", "query", "body"]

    @property
    def is_required(self) -> bool:
        """Whether it must be sent."""
        return self.default is Argument.empty

    def read(self, name: str, given: Any) -> Any:
        """Return the value that was sent, parsed; the core checks the texts of a body."""
        kind, is_nullable = without_none(self.kind)
        readers = QUERY_READERS if self.location == "query" else BODY_READERS
        if kind not in readers or (given is None and is_nullable):
            return given
        return readers[kind](name, given, self.known)


Handler = Callable[..., Any]
Access = Literal["anybody", "visible", "admin", "token"]
"""Who may call it. `visible`: those who may see the member in the path or in the parameter `member`."""


@frozen
class Endpoint:
    """One operation; its summary is the handler's docstring."""

    method: str
    path: str
    handler: Handler
    access: Access = "token"
    creates: bool = False
    """Whether it answers 201 if it created something."""
    names_admins: bool = False
    """Whether the response may name an admin, whom non-admins read as "an admin"."""
    problems: tuple[int, ...] = ()
    """The statuses of its own problems, without those that follow from its other fields."""

    parameters: Mapping[str, Mapping[str, Parameter]] = field(init=False)
    """By name, for each of path, query and body."""
    answer_type: Any = field(init=False)
    is_coroutine: bool = field(
        default=Factory(lambda self: iscoroutinefunction(self.handler), takes_self=True), init=False
    )

    @parameters.default
    def _parameters(self) -> Mapping[str, Mapping[str, Parameter]]:
        hints = get_type_hints(self.handler, include_extras=True)
        rest: Literal["query", "body"] = "query" if self.method in {"GET", "DELETE"} else "body"
        in_path = re.findall(r"{(\w+)", self.path)
        taken = dict([*signature(self.handler).parameters.items()][1:])
        if taken.pop("trace", None):
            hints |= TRACE
            taken |= {name: Argument(name, Argument.KEYWORD_ONLY, default=None) for name in TRACE}
        found: dict[str, dict[str, Parameter]] = {"path": {}, "query": {}, "body": {}}
        for name, one in taken.items():
            location = "path" if name in in_path else rest
            found[location][name] = Parameter(*known_of(hints[name]), one.default, location)
        if self.names_admins:
            # `as` is a keyword, so no handler can declare this parameter itself.
            found["query"]["as"] = Parameter(str | None, AS_MEMBER, None, "query")
        return found

    @answer_type.default
    def _answer_type(self) -> Any:
        return get_type_hints(self.handler)["return"]

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        call = Call(request, Site.of(request))
        given = await self.checked(call)
        if self.is_coroutine:
            return await run_in_threadpool(self.respond, request, await self.handler(call, **given))
        return await run_in_threadpool(lambda: self.respond(request, self.handler(call, **given)))

    def respond(self, request: Request, value: Any) -> Response:
        """Return the response for what the handler returned."""
        is_hidden = self.names_admins and not request.state.administers
        content = as_json(for_member(value) if is_hidden else value)
        if self.method == "GET":
            return tagged(request, content)
        status = 201 if self.creates and value["outcome"] != "unchanged" else 200
        return Response(content, status, media_type="application/json")

    async def checked(self, call: Call) -> Mapping[str, Any]:
        """Check the caller's access, and return the values of the parameters that were sent."""
        request, site = call.request, call.site
        given: dict[str, Any] = {name: str(request.path_params[name]) for name in self.parameters["path"]}
        if self.access == "token":
            site.check_may_write(request)
        elif self.access == "admin":
            await site.check_administers(request)
        elif self.access == "visible" and given:
            await site.check_may_see(request, given["member_id"])
        given |= _query(self.parameters["query"], request)
        if fields := self.parameters["body"]:
            given |= _body(fields, await _sent(request, is_needed=any(one.is_required for one in fields.values())))
        if self.access == "visible" and given.get("member"):
            await site.check_may_see(request, given["member"])
        if self.names_admins:
            view = given.pop("as", None)
            if view not in {None, "member"}:
                raise InvalidValue("as", view, "give member, or leave it out")
            request.state.administers = view is None and await site.administers(request)
        return given


def as_json(value: Any) -> bytes:
    """Return JSON in ASCII, which no browser takes for anything else."""
    return COMPACT.encode(value).encode()


def tagged(
    request: Request, body: bytes, media_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response with an ETag of its content, or 304 if the caller already has it."""
    tag = f'"{blake2b(body, digest_size=TAG_BYTES).hexdigest()}"'
    sent = {**(headers or {}), "ETag": tag, "Cache-Control": "private, no-cache"}
    held = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in held or held == ["*"]:
        return Response(status_code=304, headers=sent)
    return Response(body, 200, sent, media_type)


def _query(parameters: Mapping[str, Parameter], request: Request) -> Mapping[str, Any]:
    """Return the parameters that were sent; others are ignored."""
    values = {}
    for name, one in parameters.items():
        given = request.query_params.getlist(name)
        if len(given) > 1:
            raise InvalidValue(name, given[1], "it was given more than once; give it once")
        if given:
            values[name] = one.read(name, given[0])
    return values


def _body(fields: Mapping[str, Parameter], sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields that were sent; raises `InvalidValue` if one is missing or not declared."""
    for name in sorted(fields):
        if fields[name].is_required and name not in sent:
            raise ProblemError("invalid-value", f"{name}: it is missing", field=name)
    for name in sorted(sent.keys() - fields):
        raise InvalidValue(name, sent[name], f"there is no such field; the fields are {', '.join(sorted(fields))}")
    return {name: fields[name].read(name, value) for name, value in sent.items()}


async def _sent(request: Request, *, is_needed: bool) -> Mapping[str, Any]:
    """Return the JSON object that was sent; if no field is needed, the body may be empty."""
    is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    content = await body_of(request) if is_json or not is_needed else b""
    if not (content or is_needed):
        return {}
    if not is_json:
        raise ProblemError("wrong-media-type", "send it as `Content-Type: application/json`")
    try:
        value = json.loads(content.decode(), parse_constant=_refused, parse_float=_exact, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ProblemError("bad-request", "the body is not valid JSON (in UTF-8, each name once, no NaN)") from error
    if not isinstance(value, dict):
        raise ProblemError("invalid-value", "body: it must be a JSON object, such as {…}", field="body")
    return value


async def body_of(request: Request) -> bytes:
    """Return the body; stop reading once it is too large, whatever its Content-Length."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > BYTES_MAX:
                close = {"Connection": "close"} if request.scope.get("http_version", "").startswith("1") else None
                raise ProblemError("too-large", f"send {BYTES_MAX:,} bytes at most", headers=close)
    except ClientDisconnect as error:
        raise ProblemError("bad-request", "the body was cut off") from error
    return bytes(content)


def _refused(_: str) -> NoReturn:
    raise ValueError


def _exact(text: str) -> int | float:
    """Return a number; `5.0` is an integer, as in JSON Schema."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < EXACT_BELOW else value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; refuse duplicate names."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _number(name: str, given: str, known: Shown) -> int:
    least, most = known.schema["minimum"], known.schema["maximum"]
    value = int(given) if _DIGITS.fullmatch(given) else -1
    if not least <= value <= most:
        upper = "on" if most == POSITION_MAX else f"to {most:,}"
        raise InvalidValue(name, given, "give 0 or 1" if most == 1 else f"give a whole number from {least} {upper}")
    return value


def _day(name: str, given: object, _: Shown) -> date:
    try:
        return date.fromisoformat(given if isinstance(given, str) and re.fullmatch(DAY_FORM, given) else "")
    except ValueError as error:
        raise InvalidValue(name, given, "give a day such as 2026-03-02") from error


def _yes_or_no(name: str, given: object, _: Shown) -> bool:
    if not isinstance(given, bool):
        raise InvalidValue(name, given, "give true or false")
    return given


def _days(name: str, given: object, known: Shown) -> Sequence[date]:
    if not isinstance(given, list) or not given:
        raise InvalidValue(name, given, 'give a list of days, such as ["2026-03-02"]')
    return [_day(name, one, known) for one in given]


def month_of(name: str, given: str) -> Month:
    """Return the month of a text such as 2026-03."""
    if not re.fullmatch(MONTH_FORM, given):
        raise InvalidValue(name, given, "give a month such as 2026-03")
    return Month(date.fromisoformat(f"{given}-01"))


Reader = Callable[[str, Any, Shown], Any]
QUERY_READERS: Mapping[Any, Reader] = {int: _number, date: _day, Month: lambda name, given, _: month_of(name, given)}
"""Parsers of query parameters, by type; days and months must be in the years 2000 to 2999."""
BODY_READERS: Mapping[Any, Reader] = {
    datetime: lambda name, given, _: parsed_instant(name, given),
    Sequence[date]: _days,
    bool: _yes_or_no,
}
"""Parsers of body fields, by type; the core checks fields of other types."""
