"""The style sheet of every page: type, spacing and cards, and what Streamlit draws too faintly."""

from __future__ import annotations

from ui.frame import empty
from ui.theme import FILLED_COLOR

WIDEST = "1680px"
"""Of a page's content: on wider screens lines of text and rows of pictures are hard to follow."""

MENDED = f"""
button[data-testid="stBaseButton-primary"]:not(:disabled), .stMultiSelect span[data-tag] {{
  background-color: {FILLED_COLOR}; border-color: {FILLED_COLOR};
}}
button[data-testid="stBaseButton-primary"]:not(:disabled):hover {{ filter: brightness(0.88); }}
"""
"""Contrast of at least 4.5 to 1 where Streamlit draws with less."""

FRAME = f"""
[data-testid="stMainBlockContainer"] {{ max-width: {WIDEST}; }}
.st-key-page_about p {{ max-width: 46rem; font-size: 1.05rem; opacity: 0.78; }}
"""
"""What is around a page's content, and the sentence under its title."""

SHEET = f"<style>{MENDED}{FRAME}{empty.SHEET}</style>"
