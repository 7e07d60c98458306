"""What is said where varying images changes what they show."""

from __future__ import annotations

import streamlit as st

from core.data.data_config import AugmentationConfig
from core.data.label_warnings import label_warnings


def show(augmentation: AugmentationConfig, digits: bool) -> None:
    """Warn of the settings that teach wrong labels, if there are any."""
    warnings = label_warnings(augmentation, digits)
    if warnings:
        lines = warnings if len(warnings) == 1 else [f"- {warning}" for warning in warnings]
        st.warning("\n".join(lines), icon=":material/rule:")
