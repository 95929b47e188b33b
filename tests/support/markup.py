"""The elements of an HTML page, as a browser would read it."""

from html.parser import HTMLParser

from attrs import Factory, define

VOID = frozenset({"meta", "link", "input", "br", "img"})
HANDED_ON = ("href", "action", "src")


@define
class Element:
    """An element and everything in it."""

    tag: str
    attributes: dict[str, str]
    parts: list["Element | str"] = Factory(list)

    @property
    def text(self) -> str:
        """The text in it, without tags."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    @property
    def words(self) -> str:
        """The text as words, with a space wherever a tag separates them."""
        told = (part.split() if isinstance(part, str) else [part.words] for part in self.parts)
        return " ".join(word for words in told for word in words if word)

    def all(self, tag: str, **attributes: str) -> list["Element"]:
        """Return every matching element in it, in order; `class_` matches one of its classes."""
        found = []
        for part in self.parts:
            if isinstance(part, Element):
                found += [part] if part.fits(tag, attributes) else []
                found += part.all(tag, **attributes)
        return found

    def one(self, tag: str, **attributes: str) -> "Element":
        """Return the only matching element in it."""
        (found,) = self.all(tag, **attributes)
        return found

    def fits(self, tag: str, attributes: dict[str, str]) -> bool:
        """Return whether this element matches."""
        wanted = dict(attributes)
        classes = {wanted.pop("class_")} if "class_" in wanted else set()
        is_dressed = classes <= set(self.attributes.get("class", "").split())
        return tag in {self.tag, "*"} and is_dressed and wanted.items() <= self.attributes.items()

    @property
    def skeleton(self) -> list[str]:
        """Every tag in it with the names of its attributes, in order."""
        found = []
        for part in self.parts:
            if isinstance(part, Element):
                found += [f"{part.tag} {' '.join(part.attributes)}", *part.skeleton, f"/{part.tag}"]
        return found

    @property
    def addresses(self) -> list[str]:
        """Every address that it links to, submits to or loads from."""
        every = self.all("*")
        return [one.attributes[name] for one in every for name in HANDED_ON if name in one.attributes]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._begin(tag, attrs)
        if tag in VOID:
            self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._begin(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes what it did not open"

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data[:40]}")

    def _begin(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> has an attribute twice"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].parts.append(element)
        self.open.append(element)


def read(page: str) -> Element:
    """Return the root of a page after checking that every tag is closed where it should be."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1, [one.tag for one in reader.open]
    return reader.open[0].one("html")
