"""One image in depth: large, and what both networks make of it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ui import lab
from ui.bars import probability_bars
from ui.compare import link
from ui.compare.view import LETTERS, View
from ui.picture import picture

SIDE = 196
"""Pixels that the picture is shown in."""


def show(view: View, position: int) -> None:
    """The picture, its truth, the way to its neighbours, and one aspect of it."""
    index = int(view.indices[position])
    true_class = view.class_names[int(view.images.truth[position])]
    st.markdown(f"**Test image {index}** · true class **{lab.plain(true_class)}**")
    picture(view.pictures[position], side=SIDE, alt=f"Test image {index}")
    if len(ASPECTS) > 1:
        aspect = st.segmented_control(
            "Aspect",
            list(ASPECTS),
            default=next(iter(ASPECTS)),
            required=True,
            key="aspect",
            label_visibility="collapsed",
        )
    else:
        (aspect,) = ASPECTS
    ASPECTS[aspect](view, position)


def _answers(view: View, position: int) -> None:
    """The probabilities that both networks gave."""
    named = {
        f"{letter} · {side.name}": side for letter, side in zip(LETTERS, view.sides, strict=True)
    }
    probability_bars(
        view.class_names,
        {name: side.predictions.probabilities[position] for name, side in named.items()},
        colors={name: view.color(side) for name, side in named.items()},
        key="compared_bars",
    )


def step(view: View, position: int, by: int) -> None:
    """Look at the image so many places further on in the gallery, at most at its ends."""
    positions = view.positions.tolist()
    place = positions.index(position) + by if position in positions else 0
    chosen = positions[min(max(place, 0), len(positions) - 1)]
    link.look_at(int(view.indices[chosen]))


ASPECTS: dict[str, Callable[[View, int], None]] = {
    "Answers": _answers,
}
"""What can be looked at of one image, by what each is called."""
