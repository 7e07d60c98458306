"""Colours, the same on every page."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Literal, NamedTuple
from urllib.parse import quote

RUN_COLORS = (
    "#2f7de1",
    "#e0700f",
    "#6d5ba9",
    "#0b7332",
    "#c6250f",
    "#cb78b6",
    "#089ced",
    "#885375",
    "#8d996e",
    "#947580",
)
"""One colour per run; also `chartCategoricalColors` in .streamlit/config.toml.

Chosen to stay apart under normal, red-blind, green-blind and blue-blind vision, and to stand out
by 3 to 1 (WCAG 2.2, 1.4.11) from the light and the dark background alike.
"""

OUTCOME_COLORS = {
    "both_right": "#8a94a6",
    "both_wrong": "#b0468f",
}
"""Colours of the outcomes that belong to neither run; the other two take the run's own."""

WATCHED_COLOR = "#8a94a6"
"""What is watched beside a run, such as its validation images."""

TRAINED_COLOR, FROZEN_COLOR = RUN_COLORS[1], RUN_COLORS[0]
"""Layers that training changes, warm, and those that it leaves as they are, cold."""

FILLED_COLOR = "#1f66c9"
"""What stands behind white text. The primary colour of the dark theme is too light for that, as it
must be readable as text itself."""


SURFACE, LINK = ("#ffffff", "#13171d"), ("#1f5fbf", "#8ab8ff")
"""Background and links in light and in dark, as in .streamlit/config.toml."""


Pattern = Literal["solid", "dash", "dot", "dashdot"]
PATTERNS: tuple[Pattern, ...] = ("solid", "dash", "dot", "dashdot")
"""What tells runs of one colour apart: how their lines are dashed, and their swatches filled."""
_TILES: dict[Pattern, str] = {
    "dash": '<path d="M-1 1 1-1M-1 5 5-1M3 5 5 3" stroke="{0}" stroke-width="1.4"/>',
    "dot": '<circle cx="2" cy="2" r="1.2" fill="{0}"/>',
}
_DRAWN: dict[Pattern, str] = {
    "solid": '<path d="M8 8h10v10H8z" fill="{0}"/>',
    "dash": '<path d="M8 13l5-5M8 18 18 8M13 18l5-5" stroke="{0}" stroke-width="1.6"/>',
    "dot": '<path d="M11 11h0M15 11h0M11 15h0M15 15h0" stroke="{0}" stroke-width="2" '
    'stroke-linecap="round"/>',
    "dashdot": "",
}


class Look(NamedTuple):
    """How a run is drawn in a view: its colour, and a pattern where runs before it have that."""

    color: str
    pattern: Pattern = "solid"

    @property
    def css(self) -> str:
        """The style of an element that stands for the run."""
        return f"box-sizing:border-box;border:1.5px solid {self.color};background:{self._fill}"

    @property
    def _fill(self) -> str:
        if self.pattern == "solid":
            return self.color
        if self.pattern not in _TILES:
            return "transparent"
        tile = _svg(4, _TILES[self.pattern].format(self.color))
        return f"url('{tile}') 0 0/4px 4px"

    @property
    def icon(self) -> str:
        """The same as a picture, with room around it."""
        inside = _DRAWN[self.pattern].format(self.color)
        border = f'<path d="M8 8h10v10H8z" fill="none" stroke="{self.color}"/>'
        return _svg(26, inside + border)


def _svg(side: int, inside: str) -> str:
    """The address of a square picture that holds its own SVG."""
    size = f'width="{side}" height="{side}" viewBox="0 0 {side} {side}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{inside}</svg>'
    return f"data:image/svg+xml,{quote(svg)}"


def run_color(place: int) -> str:
    """The colour of a run by its place in the palette, which begins again after ten."""
    return RUN_COLORS[place % len(RUN_COLORS)]


def looks(places: Sequence[int]) -> list[Look]:
    """How runs are drawn that many may share a view: each in its colour, no two alike up to 40.

    >>> [look.pattern for look in looks([0, 1, 0, 10])]
    ['solid', 'solid', 'dash', 'dot']
    """
    seen: Counter[str] = Counter()
    found = []
    for color in map(run_color, places):
        found.append(Look(color, PATTERNS[seen[color] % len(PATTERNS)]))
        seen[color] += 1
    return found


def apart(places: Sequence[int]) -> list[str]:
    """Colours of a few runs whose bars, matrices and texts have no room for patterns, up to ten.

    Each has its own; one whose colour a run before it has takes the next that none of them has.

    >>> apart([3, 1, 3]) == [RUN_COLORS[3], RUN_COLORS[1], RUN_COLORS[4]]
    True
    """
    own, chosen = set(map(run_color, places)), list[str]()
    for place in places:
        start = place % len(RUN_COLORS)
        following = islice(cycle(RUN_COLORS), start + 1, start + len(RUN_COLORS))
        free = (color for color in following if color not in own and color not in chosen)
        color = run_color(place)
        chosen.append(next(free, color) if color in chosen else color)
    return chosen


def swatch(color: str, text: str) -> str:
    """A line of HTML: a square of a colour, then text."""
    square = f"display:inline-block;width:.7rem;height:.7rem;border-radius:2px;background:{color}"
    line = "font-size:.875rem;overflow-wrap:anywhere"
    return f'<span style="{line}"><i style="{square}"></i> {html.escape(text)}</span>'
