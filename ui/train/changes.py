"""What was changed against the recipe, each with a way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from core.registry import choices
from ui import lab
from ui.frame import icons
from ui.train import fields
from ui.train.draft import Draft
from ui.train.settings_form import TITLES


class Change(NamedTuple):
    """One change as it is told: of which settings, called how, from what to what."""

    settings: Sequence[str]
    title: str
    before: str
    now: str


def show(draft: Draft) -> None:
    """List the changes, to take back one or all of them; nothing where there are none."""
    changes = changes_of(draft)
    if changes:
        counted = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
        label = f"**{counted}** :gray[against {draft.recipe.name}]"
        with st.expander(label, expanded=True, key=draft.widget("changes")):
            with st.container(gap=None):
                for change in changes:
                    _show(draft, change)
            st.button(
                "Reset all",
                key=draft.widget("reset_all"),
                icon=icons.RESET,
                on_click=_reset_all,
                args=[draft],
                help="Have every setting as in the recipe again.",
            )
    if draft.replaced is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(draft.replaced.by, width="stretch")
            st.button("Undo", key=draft.widget("undo"), icon=icons.UNDO, on_click=draft.undo)


def _show(draft: Draft, change: Change) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        before, now = lab.plain(change.before), lab.plain(change.now)
        st.markdown(f":small[{change.title}: {before} → **{now}**]", width="stretch")
        st.button(
            "Reset",
            key=draft.widget("reset", change.settings[0]),
            icon=icons.UNDO,
            type="tertiary",
            on_click=draft.reset,
            args=[change.settings],
            help=f"Back to {before}",
        )


def _reset_all(draft: Draft) -> None:
    draft.replace(draft.start, "All changes were reset.")


def changes_of(draft: Draft) -> list[Change]:
    """The changes; those to the dense layers, which are three settings, as one."""
    head = [setting for setting in draft.changes if setting in choices.HEAD_LAYERS]
    others = [setting for setting in draft.changes if setting not in head]
    told = [_change(draft, [setting], setting) for setting in others]
    if head:
        told.append(_change(draft, choices.HEAD_LAYERS, HEAD))
    return told


HEAD = choices.HEAD_LAYERS[0]


def _change(draft: Draft, settings: Sequence[str], setting: str) -> Change:
    before, now = (in_words(setting, values) for values in (draft.start, draft.values))
    return Change(settings, TITLES.get(setting, setting), before, now)


def in_words(setting: str, settings: choices.Settings) -> str:
    """A setting as it is called on screen; of the dense layers, all there is to say of them."""
    if setting == HEAD:
        return "; ".join(map(_dense, choices.head_layers(settings))) or "none"
    if setting == "network.blocks":
        return "; ".join(map(_block, settings[setting]))
    return fields.shown(setting, settings[setting])


def _dense(layer: choices.Settings) -> str:
    return f"{layer['units']} {layer['activation']}{_dropout(layer)}"


def _block(block: choices.Settings) -> str:
    kernel = f"{block['kernel']}×{block['kernel']}"
    pooling = f" {block['pooling']} pooling" * (block["pooling"] != "none")
    normalized = " normalized" * block["batch_normalization"]
    layers = f"{block['convolutions']} of {block['filters']} filters {kernel}"
    return f"{layers}{normalized}{pooling}{_dropout(block)}"


def _dropout(layer: choices.Settings) -> str:
    return f" dropout {layer['dropout']:g}" if layer["dropout"] else ""
