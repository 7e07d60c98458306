"""Presenting: pages without their controls, larger, for people who look at a screen together."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import streamlit as st

from ui.frame import address, icons
from ui.frame.browser import KEYS_JS, nothing
from ui.frame.pages import PAGES, go_to
from ui.frame.presenting_script import CSS, HTML, JS
from ui.plots.figures import FIGURE_WIDTH

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

KEY = "presenting"
SCALE = 1.3
"""How much larger everything is. Components are reached by `--tl-scale`, and hide what asks for
something by `display: var(--tl-controls, …)`."""

CONTROLS = (
    "Button",
    "ButtonGroup",
    "CameraInput",
    "Checkbox",
    "DownloadButton",
    "FileUploader",
    "LinkButton",
    "MultiSelect",
    "NumberInput",
    "PageLink",
    "Pagination",
    "Radio",
    "Selectbox",
    "Slider",
    "TextArea",
    "TextInput",
)
FOLDED = ("Expander", "Form", "Popover")
"""Streamlit's names of what asks for something, alone or with more inside."""
KEPT = (".st-key-data_view", ".st-key-compare_view", '[class*="_undo "]', '[class*="_clear "]')
"""Controls that stay: those that turn to another view of a page, as one turns to a slide, and those
of the drawing board."""


def _any(names: tuple[str, ...], child: str = "") -> str:
    return ", ".join(f'{child}[data-testid="st{name}"]' for name in names)


HIDDEN = (
    '[data-testid="stSidebar"]',
    '[data-testid="stHeader"]',
    '[data-testid="stElementToolbar"]',
    '[data-testid="stTooltipIcon"]:not(:has(.stMarkdownBadge))',
    *(f".st-key-{key}" for key in ("tools", "words")),
    '[data-testid="stLayoutWrapper"]:has(> :is(.st-key-page_about, '
    + '.st-key-overview_next, [class*="st-key-controls_"]))',
    '[data-testid="stColumn"]:has(> div > :only-child > [class*="st-key-controls_"])',
    '[data-testid="stAlert"]:has([data-testid="stAlertContentInfo"])',
    f'[data-testid="stLayoutWrapper"]:has({_any(FOLDED, "> ")})',
    '[data-testid="stMain"] [data-testid="stElementContainer"]'
    + f":not({', '.join(KEPT)}):has({_any(CONTROLS)})",
    '[data-testid="stMain"] :is([data-testid="stLayoutWrapper"], [data-testid="stColumn"])'
    + f":not(:has({', '.join(KEPT)}))"
    + f':not(:has([data-testid="stElementContainer"] > :not({_any(CONTROLS)})))',
)
"""What is no part of a presentation; other parts of pages have keys that begin with `controls_`.
What holds nothing else is hidden with it, and leaves no gap."""
UNSEEN = tuple(f".st-key-{key}" for key in ("overview_links", "shortcuts", "image_keys"))
"""Parts of pages that have no height, and would leave a gap."""
SHEET = f"""
:root {{ --tl-scale: {SCALE}; --tl-controls: none; font-size: calc(16px * {SCALE}) !important; }}
{", ".join(HIDDEN)} {{ display: none !important; }}
{", ".join(UNSEEN)} {{ position: absolute; }}
[data-testid="stMainBlockContainer"] {{ max-width: none; padding: 1.5rem 3rem 5rem; }}
[data-testid="stLayoutWrapper"]:has(> * > * > [data-testid="stMetric"]) {{
  min-width: {SCALE * FIGURE_WIDTH:.0f}px;
}}
[data-testid="stLayoutWrapper"]:has(> .st-key-compare_figures) {{
  min-width: calc(2 * {SCALE * FIGURE_WIDTH:.0f}px + 2rem);
}}
.st-key-compare_figures {{ width: 100%; }}
.st-key-compare_outcomes .tl-picture {{ width: 100% !important; max-width: 40rem !important; }}
.tl-ranking :is(th, td) {{ padding: 0.35rem; }}
.tl-ranking .plot {{ width: 20%; min-width: 7rem; }}
.tl-ranking .name {{ max-width: 13rem; }}
.st-key-predict_picture [class*="_board"] {{ zoom: var(--tl-scale); }}
@media (max-width: 1000px) {{
  :root {{ --tl-scale: 1; font-size: 16px !important; }}
  [data-testid="stMainBlockContainer"] {{ padding: 1rem 1rem 5rem; }}
}}
"""
"""Controls are hidden and stay on the page, so that none loses what was chosen."""


def offer() -> None:
    """A button that begins to present, for the header of a page."""
    st.button(
        "Present",
        icon=icons.PRESENT,
        key="present_begin",
        help="Larger, and without controls, for people who look together. Escape leaves.",
        on_click=_begin,
    )


def is_on() -> bool:
    """Whether pages are presented."""
    return address.PRESENT in address.kept()


def heading(text: str, *, of: str) -> None:
    """A heading above a toggle, by its key; left out where nothing but the toggle is below it."""
    place = st.empty()
    if st.session_state.get(of) or not is_on():
        place.subheader(text, anchor=False)


def scale() -> float:
    """How much larger than otherwise everything is, for what has its size in pixels."""
    return SCALE if is_on() else 1.0


def sheet() -> str:
    """The style of pages that are presented."""
    return SHEET if is_on() else ""


def show(page: str) -> None:
    """The way to the page before and the next one, and the way out."""
    place = st.empty()  # what follows keeps its place on the page, and a drawing its strokes
    if is_on():
        with place:
            _show_way(page)


def _show_way(page: str) -> None:
    place = [each.name for each in PAGES].index(page)
    around = {"before": place - 1, "next": place + 1}
    names = {way: PAGES[at].name if at in range(len(PAGES)) else "" for way, at in around.items()}
    result = _component()(
        data={"page": page, **names},
        key=KEY,
        on_go_change=nothing,
        on_left_change=lambda: address.keep(address.PRESENT, ""),
    )
    if (way := result.get("go")) is not None:
        go_to(PAGES[around[way]].script, address.kept())


def _begin() -> None:
    address.keep(address.TOUR, "")
    address.keep(address.PRESENT, "1")


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_presenting", html=HTML, css=CSS, js=KEYS_JS + JS
    )
