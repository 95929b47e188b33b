"""A channel to an admin, for tests to look at."""

from attrs import define, field

from trc_engage import AlertFailed, Notice


@define
class Noticeboard:
    """A channel that keeps what it took, unless it is torn down."""

    channel: str = "noticeboard"
    torn_down: bool = False
    notices: list[Notice] = field(factory=list)

    def send(self, notice: Notice, /) -> None:
        """Keep a notice."""
        if self.torn_down:
            raise AlertFailed("the noticeboard is torn down; put it up again")
        self.notices.append(notice)

    @property
    def kinds(self) -> list[str]:
        """The kinds of what was taken, in order."""
        return [notice.kind for notice in self.notices]


class Broken:
    """A channel that breaks its promise: it raises what no channel may."""

    channel = "broken"

    def send(self, notice: Notice, /) -> None:
        """Raise."""
        raise ConnectionError(f"no line for {notice.kind}")
