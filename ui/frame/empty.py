"""What a place shows that has nothing in it yet: what would be here, and what brings it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

KEY = "empty"
SHEET = f"""
[class*="st-key-{KEY}_"] {{
  border: 1px dashed rgba(138, 148, 166, 0.55); border-radius: 0.75rem; padding: 2rem 1.25rem;
}}
[class*="st-key-{KEY}_"] p {{ max-width: 38rem; margin-inline: auto; text-wrap: balance; }}
[class*="st-key-{KEY}_icon_"] {{ border: 0; padding: 0; opacity: 0.45; }}
[class*="st-key-{KEY}_icon_"] p {{ font-size: 2.5rem; line-height: 1.2; }}
[class*="st-key-{KEY}_ways_"] {{ border: 0; padding: 0.75rem 0 0; }}
"""
"""Its part of the style sheet of every page."""


def empty(icon: str, what: str, why: str, *, key: str) -> DeltaGenerator:
    """Say what would be here and why nothing is; returns where to put what brings something.

    icon: that of the concept which is missing, as in `:material/list_alt:`. what: a sentence of
    what stands here once there is some, as Markdown. why: why there is none yet, and what to do.
    """
    with st.container(key=f"{KEY}_{key}", horizontal_alignment="center", gap="xsmall"):
        with st.container(key=f"{KEY}_icon_{key}", width="content"):
            st.markdown(icon)
        st.markdown(f"**{what}**", text_alignment="center")
        st.caption(why, text_alignment="center")
        return st.container(
            key=f"{KEY}_ways_{key}",
            horizontal=True,
            horizontal_alignment="center",
            vertical_alignment="center",
            gap="medium",
        )
