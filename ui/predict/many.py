"""Many pictures at once: handed in, read in the background, and what each network makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.registry.run import Run
from ui import lab, units
from ui.frame import icons
from ui.frame.empty import empty
from ui.predict import requests, results
from ui.predict.networks import Network, choose_networks, invite_to_choose, takes_digits
from ui.predict.requests import File, Request
from ui.predict.taking import MOST_MEGABYTES, ask_polarity

TICK_SECONDS = 0.5
FILES, FOLDER = "Files or a ZIP", "A folder"


def show(finished: list[Run]) -> None:
    """What to read and by which networks, then how far that is, then what came of it."""
    left, right = st.columns([3, 2], gap="large")
    with right:
        networks = _of_one_kind(choose_networks(finished))
        digits = any(takes_digits(network.run) for network in networks)
        polarity = ask_polarity() if digits else "auto"
    with left:
        files = _ask_files()
    request = requests.kept()
    if files and networks and (request is None or requests.names(files) != request.names):
        requests.begin(files, networks, polarity)
        request = requests.kept()
    if request is None:
        _invite(networks)
        return
    _offer_again(request, networks, polarity)
    if request.job.active:
        _progress(request)
    elif request.job.result is not None:
        results.show(request)
    else:
        _tell_why_not(request)


def _of_one_kind(networks: Sequence[Network]) -> list[Network]:
    """Those that know the classes of the first; which are left out is told."""
    if not networks:
        invite_to_choose()
        return []
    classes = networks[0].run.config.class_names
    alike = [network for network in networks if network.run.config.class_names == classes]
    if others := [network.name for network in networks if network not in alike]:
        st.info(
            f"Left out, as other classes are known to it: {lab.plain(', '.join(others))}. Choose "
            "it by itself to have it read the pictures.",
            icon=icons.NOTE,
        )
    return alike


def _ask_files() -> list[File]:
    """Ask for what is to be read."""
    kind = st.segmented_control(
        "Upload",
        [FILES, FOLDER],
        default=FILES,
        required=True,
        key="many_kind",
        label_visibility="collapsed",
    )
    return requests.files_of(
        st.file_uploader(
            "Pictures, ZIPs of pictures, or Kaggle's test.csv"
            if kind == FILES
            else "A folder of pictures, in folders named by their class where that is known",
            accept_multiple_files=True if kind == FILES else "directory",
            max_upload_size=MOST_MEGABYTES,
            key=requests.uploader_key(kind),
            help="PNG, JPEG, WebP, TIFF, BMP, GIF or HEIC. Of more than a few hundred pictures a "
            "ZIP is quicker to send. In folders named by class, or with a CSV of the columns "
            "file and label beside them, the networks are also scored.",
        ),
        in_order=kind == FOLDER,
    )


def _invite(networks: Sequence[Network]) -> None:
    """What may be handed in; the networks load meanwhile."""
    for network in networks:
        lab.warm_up(*network)
    empty(
        ":material/upload_file:",
        "What every network reads in hundreds of pictures stands here, and how often it is right.",
        "Hand in hundreds of pictures at once, as files, a folder or a ZIP. Pictures in folders "
        "named by their class, or with a CSV of the columns *file* and *label*, are also scored. "
        "Kaggle's test.csv gives a submission.",
        key="many",
    )


def _offer_again(request: Request, networks: Sequence[Network], polarity: str) -> None:
    """Let a person have the same pictures read once more, after other networks were chosen."""
    same, job = request.asked_as(networks, polarity), request.job
    unread = not job.active and job.result is None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not same and networks:
            st.markdown("Something else is chosen above than these pictures were read with.")
        if (not same or unread) and networks:
            st.button(
                "Read again",
                icon=icons.RETRY,
                key="many_again",
                on_click=requests.begin,
                args=(request.files, networks, polarity),
            )
        if not job.active:
            st.button(
                "Put the pictures away",
                icon=icons.CANCEL,
                key="many_away",
                on_click=requests.forget,
                help="They are kept in memory until then, or until this tab is closed.",
            )


def _progress(request: Request) -> None:
    @st.fragment(run_every=TICK_SECONDS)
    def tick() -> None:
        job = request.job
        if not job.active:
            st.rerun()
        st.progress(min(1.0, job.share), text=_how_far(job.share, job.seconds))
        st.button("Cancel", icon=icons.STOP, key="many_cancel", on_click=job.cancel)

    tick()


def _how_far(share: float, seconds: float) -> str:
    """How much is done, and how long the rest will take once that can be told."""
    done = f"Reading: {units.percent(share, digits=0)} done"
    if share < 0.05 or seconds < 2:
        return f"{done} …"
    return f"{done}, about {units.duration(seconds / share - seconds)} left"


def _tell_why_not(request: Request) -> None:
    job = request.job
    if job.failure is not None:
        st.error(lab.sentence(job.failure), icon=icons.ERROR)
    elif job.broken:
        st.error(
            "Reading broke off for a reason that was not foreseen; it stands in the server's log. "
            "Hand in fewer pictures to find the one that it is about.",
            icon=icons.ERROR,
        )
    else:
        st.info("Reading was cancelled before its end.", icon=icons.STOP)
