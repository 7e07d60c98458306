"""Charts beside each other where there is room, below each other where there is not."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

NARROWEST = "17rem"
"""Of a chart whose title and axes are still easy to read."""

SHEET = f"""
[class*="st-key-beside_"] > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"],
[class*="st-key-beside_"] > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] {{
  min-width: min(100%, {NARROWEST});
}}
"""


def beside(key: str, count: int = 2) -> list[DeltaGenerator]:
    """Columns for charts, which wrap where they would become too narrow."""
    with st.container(key=f"beside_{key}"):
        return st.columns(count, gap="medium")
