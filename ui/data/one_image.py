"""One image of a dataset: large, with all that is known of it."""

from __future__ import annotations

import streamlit as st

from core.data.image_tags import read_remarks
from core.data.preprocessing import Pixels
from core.errors import DamagedFile
from core.imported.dataset import Part
from ui import lab, units
from ui.data import link
from ui.data.shown import PART_NAMES, Double, Shown, no_larger
from ui.data.way import Way
from ui.frame import icons
from ui.frame.keys import keyboard
from ui.frame.shortcuts import STEPS
from ui.names import shortened
from ui.pictures.picture import SHARPEST, picture
from ui.plots.facts import facts_table

SIDE = 360
"""Pixels that the picture is shown in."""
MOST_DOUBLES = 4
LONGEST_TITLE = 60


def show(shown: Shown, part: Part, index: int, label: int, way: Way) -> None:
    """The picture, the way to its neighbours, and what is known of it."""
    st.markdown(f"**{lab.plain(shortened(shown.class_name(label), LONGEST_TITLE))}**")
    _neighbours(way, index)
    image = _large(shown.identity, part, index, shown)
    alt = f"{PART_NAMES[part]} image {index}, {shown.class_name(label)}"
    picture(image, side=SIDE, alt=alt)
    height, width, channels = shown.size(part, index)
    facts_table(
        {
            "Called": shown.called(part, index),
            "Part": f"{PART_NAMES[part]}, index {units.count(index)}",
            "Label": f"{shown.class_name(label)}" + (f" ({label})" if label >= 0 else ""),
            "Size": f"{width:,} × {height:,} pixels, {'grey' if channels == 1 else 'colour'}",
            **_said(shown, part, index, label),
        }
    )
    _doubles(shown, part, index, label)


@st.cache_resource(max_entries=32, show_spinner=False)
def _large(identity: str, part: Part, index: int, _shown: Shown) -> Pixels:
    """One image, a photograph no larger than the sharpest screens show it."""
    image: Pixels = no_larger(_shown.picture(part, index)[None], SHARPEST * SIDE)[0]
    return image


def _neighbours(way: Way, index: int) -> None:
    """To the image before and after, and where this one stands."""
    place, kept = way.place(index), link.kept()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for title, icon, by in (("Previous", "chevron_left", -1), ("Next", "chevron_right", 1)):
            st.button(
                f":material/{icon}:",
                key=f"data_{title.lower()}",
                help=f"{title} image, also by {'← or k' if by < 0 else '→ or j'}",
                disabled=not 0 <= place + by < len(way),
                on_click=link.keep,
                args=({"image": way.further(index, by)},),
            )
        st.caption(f"{units.count(place + 1)} of {units.count(len(way))}")

        def pressed(key: str) -> None:
            now = kept.get("image", "")
            kept["image"] = str(way.further(int(now) if now.isdecimal() else index, STEPS[key]))

        keyboard(list(STEPS), pressed, key="data_keys", held=tuple(STEPS))


def _said(shown: Shown, part: Part, index: int, label: int) -> dict[str, str]:
    """Tags and note that people gave the image on Compare."""
    try:
        remarks = read_remarks(lab.workspace(), shown.name)
    except DamagedFile:  # Compare says so, and what to do
        return {}
    if not remarks.images or label < 0:
        return {}
    remark = remarks.images.get((shown.image_id(part, index), shown.class_names[label]))
    said = {"Tags": ", ".join(remark.tags), "Note": remark.note} if remark else {}
    return {name: text for name, text in said.items() if text}


def _doubles(shown: Shown, part: Part, index: int, label: int) -> None:
    """The images that show the same, and how to see them."""
    doubles = shown.doubles(part, index)
    if not doubles:
        return
    st.markdown(f"**Also in the dataset** ({units.count(len(doubles))})")
    if any(double.part != part for double in doubles):
        st.caption("It stands in several parts: a network would be tested on what it learned from.")
    if any(shown.label_of(double.part, double.index) != label for double in doubles):
        st.caption("It is labelled with different classes, so that one label at least is wrong.")
    for double in doubles[:MOST_DOUBLES]:
        st.button(
            lab.plain(_described(shown, double)),
            icon=icons.COPY,
            key=f"data_double_{double.part}_{double.index}",
            type="tertiary",
            on_click=link.keep,
            args=({"part": double.part, "class": "", "image": double.index},),
        )
    if len(doubles) > MOST_DOUBLES:
        st.caption(f"and {units.count(len(doubles) - MOST_DOUBLES)} more")


def _described(shown: Shown, double: Double) -> str:
    label = shown.label_of(double.part, double.index)
    alike = "looks the same" if double.near else "same pixels"
    where = f"{PART_NAMES[double.part]} {double.index}"
    return f"{where}, {shortened(shown.class_name(label), 40)}: {alike}"
