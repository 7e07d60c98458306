"""Taking a run's network along: as a file that Keras opens, with code that asks it."""

from __future__ import annotations

import re

import streamlit as st

from core.errors import TransferLabError
from core.predicting.snippet import CLASSES_FILE, MOST_NAMED, snippet
from core.registry.run import Run
from ui import lab, questions, units
from ui.frame import icons

_BYTES_OF_A_PARAMETER = 4
_WANTED = "exports_wanted"


def elsewhere(run: Run) -> None:
    """The run's network to download, and how to ask it; shown where a person unfolds it."""
    if not run.folder.weights(run.state.best_epoch).exists():
        return
    folded = st.expander(
        "Use it elsewhere", icon=icons.DOWNLOAD, key=f"elsewhere_{run.id}", on_change="rerun"
    )
    if folded.open:
        with folded:
            _show(run)


def _show(run: Run) -> None:
    file = file_of(run)
    epoch = f" after epoch {run.state.best_epoch}, its best" if run.state.epochs_done > 1 else ""
    about = units.size(run.config.parameters.total * _BYTES_OF_A_PARAMETER)
    st.markdown(
        f"The whole network{epoch}, as one file of about {about}. Any Keras 3 opens it; nothing "
        "of Transfer Lab is needed."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        _offer_network(run, file)
        if len(run.config.class_names) > MOST_NAMED:
            st.download_button(
                CLASSES_FILE,
                "\n".join(run.config.class_names),
                file_name=CLASSES_FILE,
                icon=icons.DOWNLOAD,
                key=f"classes_{run.id}",
                on_click="ignore",
                help="The names of the classes, in the order of the probabilities",
            )
    st.caption("With `picture.png` beside that file, this says what the network takes it for:")
    st.code(snippet(run.config, file), language="python")
    if run.config.data.shows_digits:
        st.caption(
            "It expects one light digit on a dark ground, framed as MNIST frames them. *Predict* "
            "shows the steps that lead there from a drawing or a photograph."
        )


def _offer_network(run: Run, file: str) -> None:
    """Have the file written, then offer it: what lies ready is downloaded at once."""
    wanted: set[str] = st.session_state.setdefault(_WANTED, set())
    if run.id not in wanted:
        st.button(
            "Write the file",
            icon=icons.SAVE,
            key=f"export_{run.id}",
            help="Loads the network and writes it for Keras, which takes some seconds",
            on_click=wanted.add,
            args=(run.id,),
        )
        return
    try:
        content = questions.exported(run)
    except TransferLabError as error:
        wanted.discard(run.id)
        st.error(lab.sentence(error), icon=icons.ERROR)
        return
    if content is not None:
        st.download_button(
            f"{lab.plain(file)}, {units.size(len(content))}",
            lambda: content,
            file_name=file,
            mime="application/octet-stream",
            type="primary",
            icon=icons.DOWNLOAD,
            key=f"network_file_{run.id}",
            on_click="ignore",
        )


def file_of(run: Run) -> str:
    """What the file of a run's network is called.

    It is made of the run's name, of which letters, digits and what stands in names of files stay.
    """
    name = re.sub(r"[^\w.-]+", "-", run.name).strip("-.") or run.id
    return f"{name[:60]}.keras"
