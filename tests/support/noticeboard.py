"""An alert channel whose notices tests can inspect."""

from attrs import define, field

from trc_engage import AlertFailed, Notice


@define
class Noticeboard:
    """A channel that keeps the notices it is sent, and fails while it is torn down."""

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
        """The kinds of the notices it kept, in order."""
        return [notice.kind for notice in self.notices]


class Broken:
    """A channel that breaks its promise by raising an error that channels may not raise."""

    channel = "broken"

    def send(self, notice: Notice, /) -> None:
        """Raise a `ConnectionError`."""
        raise ConnectionError(f"no line for {notice.kind}")
