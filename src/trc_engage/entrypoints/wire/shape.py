"""The JSON shapes, each declared once for the command line's `--json`, the web API and its OpenAPI description.

A shape is a class whose annotations are the fields of a JSON object. Fields that a core class already has are only
named, in the class's `fields`. `of` fills a shape from a value of that class, and `Shown` gives a field its OpenAPI
description.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import UTC, date, datetime
from functools import cache
from inspect import get_annotations
from operator import attrgetter
from types import NoneType
from typing import Annotated, Any, Self, TypeVar, get_args, get_origin, get_type_hints

from ...core.errors import InvalidValue

T = TypeVar("T")

INSTANT_FORM = (
    r"2[0-9]{3}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,30})?)?"
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)"
)
"""RFC 3339 in the years 2000 to 2999, and the variants of Java, Ruby and SQL: no seconds, a comma, +0100."""


def parsed_instant(name: str, text: object) -> datetime:
    """Parse a text as a UTC instant, to the microsecond: further digits are cut off.

    Raises `InvalidValue` if it is not one, such as a time without its zone, a week or a leap second.
    """
    if isinstance(text, str) and re.fullmatch(INSTANT_FORM, text, re.ASCII):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except ValueError as error:
            raise InvalidValue(name, text, "there is no such instant") from error
    advice = "give a time with its zone, such as 2026-03-05T14:00Z or 2026-03-05T15:00+01:00"
    if isinstance(text, str) and re.fullmatch(INSTANT_FORM, f"{text}Z", re.ASCII):
        advice = f"it has no zone; {advice}"
    if isinstance(text, str) and re.fullmatch(INSTANT_FORM, f"2{text[1:]}", re.ASCII):
        advice = "give a time in the years 2000 to 2999"
    raise InvalidValue(name, text, advice)


def _cached_by_class(function: Callable[[type], T]) -> Callable[[type], T]:
    """Cache a function of a class; mypy takes an attrs class for unhashable."""
    return cache(function)


class Shown:
    """Metadata of a field, for `Annotated`: its OpenAPI description and constraints, and where its value comes from.

    By default, that is the core value's attribute of the same name. `of` names another one by its path (the field is
    None if anything on the path is), or is a function of the core value.
    """

    def __init__(self, description: str = "", *, of: str | Callable[[Any], Any] | None = None, **constraints: Any):
        self.of = of
        self.schema: dict[str, Any] = ({"description": description} if description else {}) | constraints


class Shape(dict[str, Any]):
    """Base of all shapes: a JSON object with the fields that the class annotates.

    A field whose default is None is left out if it would be null.
    """

    core_class: type = object
    core_fields: Mapping[str, str] = {}

    def __init_subclass__(cls, *, core: type = object, fields: str = "") -> None:
        """Take fields from a core class, as `name` or `name=path`; an annotation of the same name replaces the type."""
        cls.core_class = core
        cls.core_fields = {name: path or name for name, _, path in (one.partition("=") for one in fields.split())}

    @classmethod
    def of(cls, source: object = None, /, **given: Any) -> Self:
        """Fill the shape from a core value, and from the given fields, which win."""
        shape = cls()
        for name, read, convert, is_optional in _plan(cls):
            value = given[name] if name in given else read(source)
            if value is not None or not is_optional:
                shape[name] = value if value is None or convert is None else convert(value)
        return shape


def optional_of(shape: type[Shape]) -> Set[str]:
    """Return the names of the fields that may be left out."""
    return {name for name in hints_of(shape) if getattr(shape, name, "") is None}


@_cached_by_class
def hints_of(cls: type[Shape]) -> Mapping[str, tuple[Any, Shown]]:
    """Return each field's type and metadata, by name."""
    hints = {name: known_of(hint) for name, hint in get_type_hints(cls, include_extras=True).items()}
    found: dict[str, tuple[Any, Shown]] = {}
    for one in (one for one in reversed(cls.__mro__) if issubclass(one, Shape) and one is not Shape):
        for name, path in one.core_fields.items():
            found[name] = hints.get(name) or (_hint_of(one.core_class, path), Shown(of=path))
        found |= {name: hints[name] for name in get_annotations(one)}
    return found


def _hint_of(core: type, path: str) -> Any:
    """Return the type at the end of a path that begins at a core class, through attributes and properties."""
    name, _, rest = path.partition(".")
    read = getattr(getattr(core, name), "fget", None)
    hint = _types_of(core)[name] if read is None else get_type_hints(read)["return"]
    if not rest:
        return hint
    kind, is_nullable = without_none(hint)
    return _hint_of(kind, rest) | None if is_nullable else _hint_of(kind, rest)


_types_of = _cached_by_class(get_type_hints)


def known_of(hint: Any) -> tuple[Any, Shown]:
    """Return the type and the metadata of an annotation."""
    base, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    return base, next((note for note in notes if isinstance(note, Shown)), Shown())


def without_none(hint: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether None was part of it."""
    parts = get_args(hint)
    return (next(part for part in parts if part is not NoneType), True) if NoneType in parts else (hint, False)


Conversion = Callable[[Any], Any]


@_cached_by_class
def _plan(shape: type[Shape]) -> Sequence[tuple[str, Conversion, Conversion | None, bool]]:
    """Return each field's name, its reader and its conversion to JSON, and whether it is optional."""
    optional = optional_of(shape)
    return [
        (name, known.of if callable(known.of) else _reader(known.of or name), _conversion(hint), name in optional)
        for name, (hint, known) in hints_of(shape).items()
    ]


def _reader(path: str) -> Conversion:
    name, _, rest = path.partition(".")
    if not rest:
        return attrgetter(name)
    of_rest = _reader(rest)
    return lambda source: None if (found := getattr(source, name)) is None else of_rest(found)


def _conversion(hint: Any) -> Conversion | None:
    """Return the function that converts a value other than None to JSON; None if none is needed."""
    arguments = get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Shape):
        return lambda value: value if isinstance(value, Shape) else hint.of(value)
    if isinstance(hint, type) and issubclass(hint, date):
        return hint.isoformat
    if NoneType in arguments:
        return _conversion(without_none(hint)[0])
    if get_origin(hint) is Sequence:
        inner = _conversion(arguments[0])
        return list if inner is None else lambda values: [inner(value) for value in values]
    return dict if get_origin(hint) is Mapping else None
