"""What is known of something: names on the left, facts on the right."""

from __future__ import annotations

import html
from collections.abc import Mapping

import streamlit as st

_STYLE = "display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.25rem"


def facts_table(facts: Mapping[str, str]) -> None:
    """Show facts, plain text, by what each is called."""
    rows = "".join(
        f"<span style='opacity:.7'>{html.escape(name)}</span>"
        f"<span style='overflow-wrap:anywhere'>{html.escape(fact)}</span>"
        for name, fact in facts.items()
    )
    st.html(f"<div style='{_STYLE}'>{rows}</div>")
