"""What networks made of many pictures: a table to sort and narrow, and one picture in depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from textwrap import shorten
from typing import Literal
from zlib import crc32

import numpy as np
import pandas as pd
import streamlit as st

from core.data import kaggle
from core.predicting.joint_readings import JointReadings, Order, Positions, Shown
from core.predicting.readings import Readings
from core.predicting.uploads import Refusal
from ui import lab, units
from ui.frame import icons
from ui.frame.empty import empty
from ui.names import shortened
from ui.pictures.picture import picture
from ui.predict import reading, result_pictures, upload_scores
from ui.predict.networks import Network
from ui.predict.requests import Request
from ui.predict.taking import LARGE, Taken

PER_PAGE = 100
HEIGHT = 560
Asked = Shown | Literal["refused"]
SHOWN: dict[Asked, str] = {
    "all": "All",
    "wrong": "Wrong",
    "disagree": "They disagree",
    "refused": "Refused",
}
ORDERS: dict[Order, str] = {
    "given": "As handed in",
    "least sure": "Least sure first",
    "surest": "Surest first",
}
TABLE, GALLERY = "Table", "Gallery"
Joint = JointReadings[Network]


@st.fragment
def show(request: Request) -> None:
    """How it went, scores where classes are known, and the pictures."""
    joint = request.job.result
    if joint is None:
        return
    _tell(request, joint)
    if len(joint.places):
        upload_scores.show(joint, request.number, request.table)
        _offer_files(request, joint)
    st.subheader("Pictures", anchor=False, divider="gray")
    _pictures(request, joint)


def _tell(request: Request, joint: Joint) -> None:
    """How many were read, and what was not."""
    read, refused = len(joint.places), len(joint.one.refusals)
    by = ", ".join(lab.plain(network.name) for network in joint.of_each)
    said = (
        f"**{units.count(read)} picture{'s'[: read != 1]}** read by {by} in "
        f"{units.duration(request.job.seconds)}."
    )
    if refused:
        said += f" {units.count(refused)} could not be read, see *Refused* below."
    if joint.left_out:
        said += f" {units.count(joint.left_out)} {_added(joint.left_out)} left out."
    st.markdown(said)
    if unknown := joint.one.unknown_labels:
        listed = shorten(", ".join(unknown), 200, placeholder=" …")
        st.caption(
            f"No class of the network{'s'[: len(joint.of_each) != 1]}, and so not scored: "
            f"{lab.plain(listed)}."
        )


def _added(files: int) -> str:
    if files == 1:
        return "file that a system adds by itself was"
    return "files that systems add by themselves were"


def _offer_files(request: Request, joint: Joint) -> None:
    """Each network's answers as a file; each is made when it is asked for."""
    with st.container(horizontal=True, gap="small"):
        for network, found in joint.of_each.items():
            if request.table:
                _offer(network, joint, "submission", partial(_submission, found))
            _offer(network, joint, "answers", found.csv)


def _offer(network: Network, joint: Joint, what: str, make: Callable[[], str]) -> None:
    alone = len(joint.of_each) == 1
    end = "" if alone else f"-{re.sub('[^a-z0-9]+', '-', network.name.lower())[:40]}"
    name = "" if alone else f" · {lab.plain(shortened(network.name, upload_scores.NAME))}"
    st.download_button(
        f"{what}.csv{name}",
        make,
        file_name=f"{what}{end}.csv",
        mime="text/csv",
        icon=icons.DOWNLOAD,
        key=f"many_{what}_{network.run.id}_{network.epoch}",
        on_click="ignore",
        help=_FILES[what],
    )


def _submission(found: Readings) -> str:
    return kaggle.submission(found.probabilities.argmax(axis=1))


_FILES = {
    "submission": "What Kaggle takes: ImageId, from 1, and Label.",
    "answers": "A row for each picture: true class, what it is taken for and how surely, what "
    "comes second, and why it could not be read.",
}


# --- Which pictures -----------------------------------------------------------------------------


def _pictures(request: Request, joint: Joint) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        shown = _ask_shown(joint)
        order, network = _ask_order(joint) if shown != "refused" else ("given", None)
    if shown == "refused":
        _refusals(joint.one.refusals)
        return
    among = upload_scores.chosen_cell(joint, request.number)
    positions = joint.select(shown, order, network, among)
    if not len(positions):
        empty(icons.PICTURES, "There is no such picture.", "Show others above.", key="pictures")
        return
    many, one = st.columns([2, 1], gap="medium")
    with many:
        position = _page(request, joint, positions)
    with one:
        read = _one(request, joint, position)
    if read is not None:
        reading.show_parts(read)


def _ask_shown(joint: Joint) -> Asked:
    counts: dict[Asked, int] = {"all": len(joint.places)}
    if len(joint.one.labelled):
        counts["wrong"] = int(joint.wrong.sum())
    if len(joint.of_each) > 1:
        counts["disagree"] = int(joint.disagree.sum())
    if joint.one.refusals:
        counts["refused"] = len(joint.one.refusals)
    first: Asked = "all" if counts["all"] else "refused"
    if st.session_state.get("many_shown") not in counts:
        st.session_state["many_shown"] = first
    asked: Asked | None = st.segmented_control(
        "Pictures to show",
        list(counts),
        format_func=lambda shown: f"{SHOWN[shown]} · {units.count(counts[shown])}",
        required=True,
        key="many_shown",
        label_visibility="collapsed",
    )
    return asked or first


def _ask_order(joint: Joint) -> tuple[Order, Network | None]:
    order: Order = st.selectbox(
        "Order",
        list(ORDERS),
        format_func=ORDERS.__getitem__,
        key="many_order",
        label_visibility="collapsed",
        width=180,
    )
    if order == "given" or len(joint.of_each) == 1:
        return order, None
    networks: list[Network | None] = [None, *joint.of_each]
    place = st.selectbox(
        "By the confidence of",
        range(len(networks)),
        format_func=lambda place: _by(networks[place]),
        key=f"many_order_of_{len(networks)}",
        label_visibility="collapsed",
        width=260,
    )
    return order, networks[place]


def _by(network: Network | None) -> str:
    return "by whichever is least sure" if network is None else f"by {network.name}"


def _refusals(refusals: Sequence[Refusal]) -> None:
    rows = [(refused.name, refused.sentence) for refused in refusals]
    st.dataframe(
        pd.DataFrame(rows, columns=["File", "Why it could not be read"]),
        hide_index=True,
        height="content" if len(rows) <= 12 else HEIGHT,
        column_config={"File": st.column_config.TextColumn(width=260)},
    )


# --- A page of them, and one --------------------------------------------------------------------


def _page(request: Request, joint: Joint, positions: Positions) -> int:
    """A page of the pictures; the position of the one to look at."""
    pages = -(-len(positions) // PER_PAGE)
    page = 0
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        form = st.segmented_control(
            "Shown as",
            [TABLE, GALLERY],
            default=GALLERY if request.table else TABLE,
            required=True,
            key=f"many_form_{request.table}",
            label_visibility="collapsed",
        )
        if pages > 1:
            page = st.pagination(pages, key=f"many_page_{pages}") - 1
    shown = positions[page * PER_PAGE : (page + 1) * PER_PAGE]
    key = f"many_{form}_{request.number}_{crc32(shown.tobytes())}"
    chosen = f"_many_chosen_{request.number}"
    place = np.flatnonzero(shown == st.session_state.get(chosen, shown[0]))
    looked_at = int(place[0]) if len(place) else 0
    if form == TABLE:
        clicked = result_pictures.table(joint, shown, key=key, height=HEIGHT)
    else:
        clicked = result_pictures.grid(joint, shown, key=key, height=HEIGHT, selected=looked_at)
    if clicked is not None:
        looked_at = clicked
        st.session_state[chosen] = int(shown[clicked])
    return int(shown[looked_at])


def _one(request: Request, joint: Joint, position: int) -> reading.Reading | None:
    """One picture large, and what each network makes of it."""
    again = joint.again(int(joint.places[position]))
    st.markdown(f"**{lab.plain(again.name)}**")
    if isinstance(again, Refusal):
        st.error(lab.sentence(again.sentence), icon=icons.ERROR)
        return None
    label = int(joint.one.labels[position])
    truth = joint.one.class_names[label] if label >= 0 else None
    picture(again.pixels, side=LARGE, alt=f"The picture {again.name}")
    polarity = "light ink" if request.table else request.polarity
    taken = Taken(again.pixels, "uploaded", polarity, again.name, truth=truth)
    return reading.read(taken, list(joint.of_each))
