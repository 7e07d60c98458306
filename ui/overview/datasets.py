"""The datasets there are: the digits that come along, and what was imported."""

from __future__ import annotations

import html

import streamlit as st

from core.data.catalogue import DATASETS
from core.imported.dataset import ImportedDataset
from ui import lab, units
from ui.frame import icons
from ui.frame.pages import script_of
from ui.overview.linked import link_to, linked
from ui.pictures.picture import contact_sheet, data_url

BUNDLED = "mnist"
ROWS, COLUMNS = 3, 12
MOST = 4
"""Imported datasets that are named."""


def show() -> None:
    """A few of the bundled images, and a line for each imported dataset."""
    st.subheader("Datasets", anchor=False)
    imported = lab.library().all()
    lines = "".join(map(_line, imported[:MOST]))
    linked(_bundled() + (f'<ul class="runs">{lines}</ul>' if lines else ""))
    if len(imported) > MOST:
        st.caption(f"… and {units.count(len(imported) - MOST)} more.")
    st.page_link(script_of("Data"), label="All datasets", icon=icons.DATA)


def _bundled() -> str:
    facts = DATASETS[BUNDLED]
    told = (
        f"{units.count(facts.train_images or 0)} training and {units.count(facts.test_images or 0)}"
        f" test images, {' x '.join(map(str, facts.image_shape))} pixels, "
        f"{len(facts.class_names)} classes"
    )
    alt = f"The first {ROWS * COLUMNS} test images of {facts.label}"
    content = (
        f'<img class="sheet" src="{_sheet()}" alt="{html.escape(alt)}" '
        f'style="aspect-ratio:{COLUMNS}/{ROWS}"><b>{html.escape(facts.label)}</b>'
    )
    return (
        f'{link_to("Data", {"dataset": BUNDLED}, content)}<p class="quiet">{html.escape(told)}</p>'
    )


@st.cache_data(show_spinner=False)
def _sheet() -> str:
    with lab.failures_as_sentences():
        test = lab.example_images(BUNDLED)
    return data_url(contact_sheet(test.images[: ROWS * COLUMNS], COLUMNS))


def _line(dataset: ImportedDataset) -> str:
    about = dataset.about
    content = (
        f'<span class="who"><span class="name">{html.escape(dataset.name)}</span></span>'
        f'<span class="share">{units.count(about.count)}</span>'
        f'<span class="when quiet">{units.count(len(about.class_names))} classes</span>'
    )
    return f"<li>{link_to('Data', {'dataset': dataset.name}, content)}</li>"
