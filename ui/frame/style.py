"""The style sheet of every page: type, spacing and cards, and what Streamlit draws too faintly."""

from __future__ import annotations

from urllib.parse import quote

import streamlit as st

from ui.frame import empty, reserved
from ui.plots import beside, saving
from ui.theme import FILLED_COLOR, LINK, SURFACE, run_color

WIDEST = "1680px"
"""Of a page's content: on wider screens lines of text and rows of pictures are hard to follow."""

MENDED = f"""
button[data-testid="stBaseButton-primary"]:not(:disabled), .stMultiSelect span[data-tag] {{
  background-color: {FILLED_COLOR}; border-color: {FILLED_COLOR};
}}
button[data-testid="stBaseButton-primary"]:not(:disabled):hover {{ filter: brightness(0.88); }}
button .stMarkdownEllipsis, button .stMarkdownEllipsis p {{
  white-space: normal; overflow: visible; text-wrap: balance;
}}
"""
"""Contrast of at least 4.5 to 1 where Streamlit draws with less; buttons whose words break into
lines where Streamlit would cut them off."""

MARK = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 24">
<circle cx="11" cy="12" r="10" fill="{run_color(0)}"/>
<circle cx="21" cy="12" r="10" fill="{run_color(1)}"/>
<path d="M16 3.34a10 10 0 0 1 0 17.32a10 10 0 0 1 0-17.32z" fill="#fff"/>
</svg>"""
"""The product's mark: two networks in the colours of A and B, and what they agree on."""

FRAME = f"""
.stApp {{
  --tl-surface: light-dark({", ".join(SURFACE)}); --tl-link: light-dark({", ".join(LINK)});
}}
[data-testid="stMainBlockContainer"] {{ max-width: {WIDEST}; }}
.st-key-tour, .st-key-presenting, .st-key-history {{ position: absolute; }}
.st-key-page_header {{ margin-bottom: -0.5rem; }}
.st-key-page_about p {{ max-width: 46rem; font-size: 1.05rem; opacity: 0.78; text-wrap: pretty; }}
.st-key-tools button {{ min-height: 2rem; padding: 0 0.6rem; }}
.st-key-tools button p {{ font-size: 0.875rem; }}
.tl-brand {{
  display: flex; align-items: center; gap: 0.6rem; padding: 0 0.5rem 1rem;
  font-size: 1.1rem; font-weight: 650; letter-spacing: -0.015em;
}}
.tl-brand::before {{
  content: ""; flex: none; width: 2rem; height: 1.5rem;
  background: no-repeat center url("data:image/svg+xml,{quote(MARK)}");
}}
.tl-version {{ padding: 0 0.5rem; font-size: 0.75rem; opacity: 0.7; }}
.st-key-at_work {{ border-top: 1px solid rgb(128 140 158 / 30%); padding-top: 0.75rem; }}
@media (max-width: 640px) {{
  .st-key-page_header {{ flex-wrap: nowrap; gap: 0.4rem; }}
  .st-key-page_header .st-key-tools {{ flex-wrap: nowrap; gap: 0.4rem; }}
  .st-key-tools button {{ min-width: 2.5rem; min-height: 2.5rem; }}
  .st-key-tools button [data-testid="stMarkdownContainer"] {{
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  }}
}}
"""
"""What is around a page's content: its mark, its title with the tools beside it, its sentence."""

NARROW = """
@media (min-width: 641px) and (max-width: 1200px) {
  [data-testid="stMainBlockContainer"] { padding-inline: 2.25rem; }
  [data-testid="stColumn"]:has(> * > * > .st-key-controls_settings),
  [data-testid="stColumn"]:has(> * > * > .st-key-controls_settings) + * {
    flex: 1 1 calc(50% - 1rem); width: calc(50% - 1rem);
  }
}
"""
"""On small screens content has the room of the margins, and Train's settings half of it."""

TYPE = """
h1 { letter-spacing: -0.025em; }
h2, h3, h4 { letter-spacing: -0.012em; text-wrap: balance; }
[data-testid="stMetricValue"], [data-testid="stTable"] { font-variant-numeric: tabular-nums; }
[data-testid="stMetricValue"] { letter-spacing: -0.02em; }
[data-testid="stCaptionContainer"] p { max-width: 52rem; text-wrap: pretty; }
"""
"""How letters stand: large ones closer, figures aligned, lines not too long to read."""

CARDS = """
[class*="st-key-card_"] {
  border-radius: 0.75rem; box-shadow: 0 1px 2px rgb(0 0 0 / 5%), 0 4px 14px rgb(0 0 0 / 4%);
}
"""
"""Bordered containers with a key that begins with `card_`."""

SHEET = (
    MENDED
    + FRAME
    + NARROW
    + TYPE
    + CARDS
    + empty.SHEET
    + reserved.SHEET
    + beside.SHEET
    + saving.SHEET
)


def put(sheet: str) -> None:
    """Style a page, before anything of it is drawn.

    Streamlit keeps what is nothing but style outside the page, where it takes no room, and reads it
    sooner than markup in Markdown, whose code is large.
    """
    st.html(f"<style>{sheet}</style>")
