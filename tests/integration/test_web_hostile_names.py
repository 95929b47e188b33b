"""A hostile name changes nothing on a page but the name."""

from functools import cache
from unicodedata import normalize
from urllib.parse import quote

import pytest

from support.community import IDS, Community
from support.hostile_names import HOSTILE_NAMES
from support.markup import Element
from support.pages import shown
from support.visitor import Visitor, alone
from trc_engage.core.reports import Rank
from trc_engage.core.validation import unseen, words_of
from trc_engage.entrypoints.web.pages.templating import LONG, clean, is_visible, label

PAGES = ("/", "/?month=all&member=ada", "/members?q={}", "/members/ada", "/status")
"""The search is for the name's first character, so that it finds two members."""
NAMES = pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))


def spoken(name: str, length: int) -> str:
    """Return what remains of a name where a text with visible characters is required."""
    kept = normalize("NFC", "".join(char for char in name if char.isprintable()))
    text = "".join(char for char in kept if not unseen(char))[:length].strip()
    return text if is_visible(text) else "x"


@cache
def site(name: str) -> Visitor:
    """Return a visitor of a community in which two members have this name, which is in every text that allows it."""
    community = Community()
    engage = community.engage
    engage.enroll("ada", name=name, discord_id=IDS["ada"])
    engage.enroll("bo", name=name)
    engage.enroll("cy", name="~")
    community.sync(ada=100)
    community.sync(ada=350)
    engage.award("ada", source=spoken(name, 50), points=9, key=spoken(name, 200), at=community.now)
    engage.reverse(spoken(name, 200), reason=spoken(name, 1_000), by=spoken(name, 1_000))
    engage.adjust("ada", points=7, key="adjusted", reason=name[:1_000].strip() or "x", by=spoken(name, 1_000))
    return alone(engage)


def addressed(path: str, name: str) -> str:
    """Return the path with the name's first character filled in."""
    return path.format(quote("".join(words_of(clean(name))[:1])[:1]))


def stand_in(name: str) -> str:
    """Return a harmless name that is shown in the same way: clipped, in full, or as a placeholder."""
    text = clean(name)
    return "" if not is_visible(text) else "x" * (LONG + 1) if len(text) > LONG else "x"


@NAMES
@pytest.mark.parametrize("path", PAGES)
def test_a_name_changes_no_tag_of_a_page(name: str, path: str) -> None:
    """A page with a hostile name has the same elements and attributes as one with a harmless name."""
    hostile, harmless = (shown(site(one), addressed(path, one)) for one in (name, stand_in(name)))
    assert hostile.skeleton == harmless.skeleton


@NAMES
def test_a_name_is_shown_as_it_is_and_apart(name: str) -> None:
    """A name without its control characters is the only text of a `bdi` element, which isolates its direction."""
    expected = clean(name) if is_visible(clean(name)) else "Member ada"
    for path in ("/", "/members/ada"):
        page = shown(site(name), path)
        (told, *_) = page.one("table", class_="board").all("bdi") if path == "/" else page.one("h1").all("bdi")
        assert (told.text, told.attributes["dir"]) == (expected, "auto")


@NAMES
def test_the_whole_of_a_clipped_name_can_be_reached(name: str) -> None:
    """The whole of a clipped name is in a `details` element of the member's page, which needs no pointer or script."""
    page = shown(site(name), "/members/ada")
    whole = [one.one("bdi").text for one in page.all("details", class_="whole")]
    assert whole == ([clean(name)] if len(clean(name)) > LONG else [])


@NAMES
def test_what_is_asked_for_is_shown_as_text(name: str) -> None:
    """The search shows what it did not find as text, and an error page does not repeat its address."""
    asked = quote(name[:500])
    page = shown(site("Ada"), f"/members?q=zz{asked}")
    assert page.one("bdi", class_="query").text == clean(f"zz{name[:500]}")
    assert page.skeleton == shown(site("Ada"), "/members?q=zzz").skeleton
    for path, status in (("/?month=", 422), ("/members/ada?before=", 422)):
        refused = shown(site("Ada"), f"{path}x{asked}", status)
        assert refused.skeleton == shown(site("Ada"), f"{path}x", status).skeleton


def test_no_control_reaches_a_page() -> None:
    """No control or direction character of a name reaches a page, and no name sets a cookie."""
    turning = {chr(code) for code in (0x200E, 0x200F, 0x61C, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
    controls = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))} - {"\n"}
    for name in HOSTILE_NAMES:
        for path in PAGES:
            response = site(name).get(addressed(path, name))
            assert not set(response.text) & (turning | controls)
            assert response.headers.get("set-cookie") is None


@pytest.mark.parametrize(
    "text", ["", "  ", "\u200b\u200d", "\u3164", "\u2800", "\u115f\u1160", "\u0301", "\x00", "\u202e"]
)
def test_a_name_that_shows_nothing_gives_way_to_the_id(text: str) -> None:
    """A name without visible characters is replaced by the member's id."""
    told = label(Rank(1, "m-1", text, 0))
    assert (told.text, told.is_placeholder) == ("Member m-1", True)


@pytest.mark.parametrize("text", ["Ada", "Ådå", "דבורה", "王菲", "👩‍🚀", "نازنین‌زهرا", "?", "é"])
def test_an_honest_name_is_left_as_it_is(text: str) -> None:
    """Names of other scripts and emoji are unchanged, with their joiners."""
    assert (label(Rank(1, "m-1", text, 0)).text, clean(text)) == (text, text)


def test_the_test_of_tags_sees_something() -> None:
    """A name that became an element would change the skeleton that the other tests compare."""
    root = Element("p", {}, ["Ada"])
    assert Element("p", {}, [Element("b", {"onclick": "x"}, ["Ada"])]).skeleton != root.skeleton
