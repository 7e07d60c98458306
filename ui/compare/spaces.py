"""The features of the networks compared: what is kept of them, and having them computed."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import Side
from core.analysis.selection import Selection
from core.feature_space.background import Task
from core.feature_space.outline import within
from core.feature_space.space import FeatureSpace, Kind
from ui import feature_spaces, lab

KINDS: dict[Kind, str] = {"pca": "PCA", "tsne": "t-SNE"}


def space_of(side: Side) -> FeatureSpace:
    """The features of one network."""
    return FeatureSpace(lab.workspace(), side.run, side.epoch)


def map_named(kind: Kind, letter: str) -> str:
    """What a selection and a link call a map.

    >>> map_named("tsne", "B")
    'tsne_b'
    """
    return f"{kind}_{letter.lower()}"


def outlined(selection: Selection, sides: tuple[Side, Side]) -> NDArray[np.bool_] | None:
    """Whether each test image lies within the outline of a selection.

    None where nothing is outlined, or the map that it was drawn on is not there.
    """
    if len(selection.outline) < 3 or (side := _outlined_side(selection, sides)) is None:
        return None
    made = space_of(side).map(_kind(selection))
    return None if made is None else within(made.points, selection.outline)


def tell_of_outline(selection: Selection, sides: tuple[Side, Side]) -> None:
    """Say so where the images are narrowed to an outline on a map that is not there."""
    if not selection.outline or outlined(selection, sides) is not None:
        return
    if (side := _outlined_side(selection, sides)) is None:
        st.warning("The link names a map that is not known; its outline is left out.")
        return
    kind, letter = KINDS[_kind(selection)], selection.outlined[-1].upper()
    st.warning(
        f"An outline was drawn on the {kind} map of {letter}, {lab.plain(side.name)}, which is not "
        "computed here: all images are shown, inside it and outside. Compute that map in the view "
        "“Map”.",
        icon=":material/lasso_select:",
    )


def _outlined_side(selection: Selection, sides: tuple[Side, Side]) -> Side | None:
    named = {
        map_named(kind, letter): side
        for kind in KINDS
        for letter, side in zip("AB", sides, strict=True)
    }
    return named.get(selection.outlined)


def _kind(selection: Selection) -> Kind:
    return "tsne" if selection.outlined.startswith("tsne") else "pca"


def offer(side: Side, letter: str, task: Task) -> None:
    """Offer to compute what is not there, or show how far that is.

    The page is shown anew as soon as it is there, which must not be so yet.
    """
    feature_spaces.offer(space_of(side), letter, task)
