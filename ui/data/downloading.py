"""Datasets that are downloaded when somebody wants them, and how far that is."""

from __future__ import annotations

import math

import streamlit as st

from core.background import Work
from core.data.catalogue import DATASETS
from core.data.downloading import Downloading, download_of
from ui import lab, units
from ui.frame import icons

TICK_SECONDS = 1.0


def offer(name: str) -> None:
    """Offer to download a dataset that is not there, or show how far that is.

    The page is shown anew as soon as it is there.
    """
    downloading = download_of(name, lab.workspace())
    began = downloading.at_work()

    @st.fragment(run_every=TICK_SECONDS if began else None)
    def tick() -> None:
        work = downloading.work()
        if work is not None and not work.ended:
            _progress(downloading, work)
        elif began or downloading.there:
            st.rerun()  # which ends the ticking
        else:
            _ask(downloading, work.failure if work is not None else "")

    tick()


def _progress(downloading: Downloading, work: Work) -> None:
    share = min(work.done / work.total, 1.0) if work.total else 0.0
    st.progress(share, text=_how_far(work))
    st.caption("It goes on when you close this page.")
    st.button(
        "Cancel",
        icon=icons.CANCEL,
        key=f"cancel_download_{downloading.name}",
        on_click=downloading.cancel,
    )


def _how_far(work: Work) -> str:
    """What is being done, with the bytes that have come."""
    said = lab.plain(work.phase[:1].upper() + work.phase[1:])
    if not work.total:
        return f"{said} …"
    left = f" · {units.duration(work.left)} left of this file" if work.left else ""
    return f"{said}, {units.size(work.done)} of {units.size(work.total)}{left}"


def _ask(downloading: Downloading, failure: str) -> None:
    facts = DATASETS[downloading.name]
    if failure:
        st.error(lab.sentence(failure), icon=icons.ERROR)
    else:
        pixels = math.prod(facts.image_shape)
        images = (facts.train_images or 0) + (facts.test_images or 0)
        sides = " × ".join(map(str, facts.image_shape[:2]))
        st.info(
            f"**{lab.plain(facts.label)}** is not on this machine yet. {units.count(images)} "
            f"images of {sides} pixels in {len(facts.class_names)} classes. Downloading fetches "
            f"{units.size(facts.download_bytes)} and keeps {units.size(images * pixels)} in the "
            f"workspace. Source: {lab.plain(facts.source)}.",
            icon=":material/cloud_download:",
        )
    again = "Start again" if failure else f"Download {lab.plain(facts.label)}"
    if st.button(again, icon=icons.DOWNLOAD, key=f"download_{downloading.name}"):
        with lab.failures_as_sentences():
            downloading.begin()
        st.rerun()
