"""Bringing a dataset in: what to import, from where, and what to call it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.data.catalogue import IMPORTED_NAME
from core.data.preprocessing import LARGEST_IMAGE
from core.errors import TransferLabError
from core.imported.library import Library
from core.importing import limits
from core.importing.background import Importing
from core.importing.request import ImportRequest
from ui import lab
from ui.data import under_way
from ui.frame import icons

UPLOAD, PATH = "Upload", "A path on the server's machine"
DIGITS: dict[str, bool | None] = {"Detect": None, "Yes": True, "No": False}
MOST_MEGABYTES = 200
"""What one uploaded file may hold, as `server.maxUploadSize` in .streamlit/config.toml says too."""
LONGEST_NAME = 40
LAYOUT_WIDTH = 270
_PROBLEM, _SUGGESTED = "_import_problem", "_import_suggested"
_FORMATS = f"""
| what | how it is laid out |
|---|---|
| Class folders, or a ZIP of them | one folder for each class, with pictures in it |
| … already split | `train/` and `test/` or `validation/`, with class folders in each |
| Kaggle's Digit Recognizer | `train.csv` with label, pixel0 … pixel783; also `test.csv` |
| idx files, as of MNIST | `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, gzipped or not |
| npz, as of Keras | `x_train`, `y_train`, and `x_test`, `y_test` |
| Lists | `classes.txt` with one class a line, `files.txt` with `class_index;path` on each |

Pictures may be PNG, JPEG, WebP, BMP, TIFF or GIF, up to {LARGEST_IMAGE // 10**6} million pixels
large. What cannot be read is left out and told, file by file. At most
{limits.MOST_FILES:,} files, {limits.MOST_CLASSES:,} classes and {limits.MOST_BYTES // 2**30} GiB
once unpacked.
"""
_WHOLE = """
cats-and-dogs.zip
├── cat
│   ├── 1.jpg
│   └── 2.jpg
└── dog
    └── 3.png

The share given below is
held out for testing.
"""
_SPLIT = """
cats-and-dogs.zip
├── train
│   ├── cat
│   │   └── 1.jpg
│   └── dog
│       └── 3.png
└── test
    ├── cat
    │   └── 4.jpg
    └── dog
        └── 5.jpg
"""


def show() -> None:
    """The form, folded away until somebody wants it."""
    folded = st.expander(
        "Import a dataset",
        icon=":material/add_photo_alternate:",
        key=under_way.FORM,
        on_change="rerun",
    )
    if not folded.open:
        return
    with folded:
        _form()


def _form() -> None:
    where = st.segmented_control(
        "From",
        [UPLOAD, PATH],
        default=UPLOAD,
        required=True,
        key="import_from",
        label_visibility="collapsed",
    )
    files, path = (_ask_files(), "") if where == UPLOAD else ([], _ask_path())
    _explain()
    first = files[0].name if files else path
    asked = _ask_settings(path, first)
    problem = problem_of(asked.name) if asked.name else ""
    ready = bool(first and asked.name and not problem) and not _going_on(asked.name)
    if problem:
        st.error(problem, icon=icons.ERROR)
    st.button(
        "Import",
        type="primary",
        icon=":material/download_done:",
        key="import_begin",
        disabled=not ready,
        on_click=_begin,
        args=(asked, files),
    )
    if not problem and (said := st.session_state.get(_PROBLEM)):
        st.error(lab.sentence(said), icon=icons.ERROR)


def _ask_files() -> list[UploadedFile]:
    return st.file_uploader(
        "A ZIP, a table, an npz or idx files",
        accept_multiple_files=True,
        max_upload_size=MOST_MEGABYTES,
        key=under_way.uploader_key(),
        help=f"Up to {MOST_MEGABYTES} MB a file; larger ones, and folders, by their path on the "
        "server's machine. Several belong together: train.csv and test.csv, or the idx files of "
        "images and labels.",
    )


def _ask_path() -> str:
    path: str = st.text_input(
        "File or folder",
        key=under_way.PATH,
        placeholder="/home/me/pictures",
        help="On the machine that runs this server. It is read once, and stays as it is: the "
        f"dataset is kept in the workspace. Up to {limits.MOST_FILES:,} files and "
        f"{limits.MOST_BYTES // 2**30} GiB.",
    )
    return os.path.abspath(os.path.expanduser(path.strip())) if path.strip() else ""


def _explain() -> None:
    with st.popover("What can be imported?", icon=":material/help:", type="tertiary"):
        st.markdown(_FORMATS)
        with st.container(horizontal=True):
            for layout in (_WHOLE, _SPLIT):
                st.code(layout.strip(), language=None, width=LAYOUT_WIDTH)


def _ask_settings(path: str, first: str) -> ImportRequest:
    """What to call it, what to hold out, and what it shows."""
    _suggest(first)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name",
            key=under_way.NAME,
            max_chars=LONGEST_NAME,
            width=260,
            help="Small letters, digits, - and _. It is what runs call the dataset.",
        )
        percent = st.number_input(
            "Held out for testing, %",
            0,
            50,
            20,
            key="import_held_out",
            width=190,
            help="Of each class, this share becomes the test part: it is stratified. Only where "
            "what is imported has no test part of its own.",
        )
        seed = st.number_input(
            "Seed",
            0,
            2**32 - 1,
            0,
            key="import_seed",
            width=130,
            help="Decides which images are held out.",
        )
        digits = st.segmented_control(
            "Handwritten digits",
            list(DIGITS),
            default="Detect",
            required=True,
            key="import_digits",
            help="Whether its images are single digits in MNIST's frame, light on dark. Then "
            "drawings and photographs can be framed in the same way on Predict.",
        )
    return ImportRequest(
        name=name.strip(),
        path=path,
        held_out=percent / 100,
        seed=seed,
        digits=DIGITS[digits],
    )


def _suggest(first: str) -> None:
    """Fill in a name made from that of the first file, unless a person wrote one."""
    suggested = suggestion(first, Library(lab.workspace()).names()) if first else ""
    if st.session_state.get(under_way.NAME, "") in ("", st.session_state.get(_SUGGESTED, "")):
        st.session_state[under_way.NAME] = suggested
    st.session_state[_SUGGESTED] = suggested


def suggestion(path: str, taken: Sequence[str]) -> str:
    """A name for a dataset from that of a file or folder, other than those that are taken.

    >>> suggestion("C:/Pictures/Cats & Dogs (2).tar.gz", [])
    'cats-dogs-2'
    >>> suggestion("cats.zip", ["cats"])
    'cats-2'
    """
    stem = PurePath(path.replace("\\", "/")).name.lower().lstrip(".").split(".")[0]
    name = re.sub(r"[^a-z0-9_]+", "-", stem).strip("-_")[:LONGEST_NAME] or "dataset"
    number, free = 1, name
    while free in taken or not IMPORTED_NAME.fullmatch(free):
        number += 1
        free = f"{name[: LONGEST_NAME - len(str(number)) - 1]}-{number}"
    return free


def problem_of(name: str) -> str:
    """Why a dataset cannot be called so, empty where it can."""
    try:
        Library(lab.workspace()).check_free(name)
    except TransferLabError as error:
        return lab.sentence(error)
    return ""


def _going_on(name: str) -> bool:
    return Importing(lab.workspace(), name).at_work()


def _begin(asked: ImportRequest, files: Sequence[Any]) -> None:
    st.session_state.pop(_PROBLEM, None)
    try:
        uploaded = [(file.name, file) for file in files]
        Importing(lab.workspace(), asked.name).begin(asked, uploaded)
    except TransferLabError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    under_way.mine(asked.name)
