"""The brand of a site: its name and color."""

import re
from typing import Any

from attrs import field, frozen

from ...core.errors import InvalidValue
from ...core.validation import validate_name

PAPER = {"color": "#fdfdfb", "color_dark": "#131514"}
"""The page backgrounds, as in `pages.css`."""
CONTRAST_MIN = 4.5
"""By WCAG 2.2, for text."""


@frozen
class Brand:
    """Title and colors of the pages, such as `#0b6b4f`; `color_dark` is for dark pages."""

    title: str = field(default="The Revenue Council")
    color: str | None = field(default=None)
    color_dark: str | None = field(default=None)

    @title.validator
    def _check_title(self, _: object, value: str) -> None:
        if not validate_name(value).strip():
            raise InvalidValue("title", value, "give a text")

    @color.validator
    @color_dark.validator
    def _check_colour(self, attribute: Any, value: str | None) -> None:
        if value is None:
            return
        if not re.fullmatch("#[0-9a-fA-F]{6}", value):
            raise InvalidValue(attribute.name, value, "give a color such as #0b6b4f")
        paper = PAPER[attribute.name]
        dark, light = sorted(_luminance(colour) + 0.05 for colour in (value, paper))
        if light / dark < CONTRAST_MIN:
            advice = f"its contrast to {paper} is {light / dark:.1f}; give one of {CONTRAST_MIN} or more, to be legible"
            raise InvalidValue(attribute.name, value, advice)

    @property
    def css(self) -> str:
        """The CSS at the end of the stylesheet."""
        return "".join(
            f":root{{--brand{dark}:{colour};--brand-tint{dark}:color-mix(in srgb,{colour} 15%,{paper})}}"
            for dark, colour, paper in (
                ("", self.color, PAPER["color"]),
                ("-dark", self.color_dark, PAPER["color_dark"]),
            )
            if colour is not None
        )


def _luminance(colour: str) -> float:
    """Return the relative luminance of a color, 0 to 1, as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
