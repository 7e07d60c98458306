"""Why both networks say what they say of one image: the places that their answers hang on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.explaining.heat import Heat, Map
from core.explaining.layers import explained_layer
from core.explaining.occlusion import Occlusion
from ui import lab, theme
from ui.compare.asked import Asked, both, failures_of_one, has_weights, heading
from ui.compare.view import LETTERS, View
from ui.heatmap import enlarged, legend, overlay
from ui.picture import picture

Answer = TypeVar("Answer")

SIDE = 240
"""Pixels that a map is shown in."""
OWN = -1
"""Stands for explaining the class that each network itself said."""
LAYERS = {"Last": 0, "Finer": 1, "Finer still": 2}
"""Layers to explain by, as how many sizes smaller their fields are."""
SLIGHT = 0.01
"""A probability that, lost, is hardly seen: the colours are never stretched to less."""


@st.fragment
def show(view: View, position: int) -> None:
    """Maps of both networks side by side, of the class and by the method that are chosen."""
    of_class = _choose_class(view, position)
    method = st.segmented_control(
        "Method",
        list(METHODS),
        default=next(iter(METHODS)),
        required=True,
        key="explained_by",
        persist_state="session",
        label_visibility="collapsed",
    )
    explained = [
        Explained(asked, int(said) if of_class == OWN else of_class, view)
        for asked, said in zip(both(view, position), _said(view, position), strict=True)
    ]
    METHODS[method](explained)


def _said(view: View, position: int) -> tuple[int, int]:
    """The classes that A and B took an image for."""
    return int(view.images.a.said[position]), int(view.images.b.said[position])


def _choose_class(view: View, position: int) -> int:
    """The class to explain, those that this image is about first; OWN for each one's own."""
    truth, said = int(view.images.truth[position]), _said(view, position)
    about = list(dict.fromkeys((truth, *said)))
    others = [number for number in range(len(view.class_names)) if number not in about]
    if st.session_state.get("explained_class", OWN) >= len(view.class_names):
        del st.session_state["explained_class"]  # it was a class of another dataset

    def text(number: int) -> str:
        if number == OWN:
            return "What each network said"
        marks = ["the truth"] if number == truth else []
        answers = zip(LETTERS, said, strict=True)
        marks += [f"{letter}'s answer" for letter, answer in answers if answer == number]
        return " · ".join((view.class_names[number], *marks))

    return st.selectbox(
        "Class to explain",
        [OWN, *about, *others],
        format_func=text,
        key="explained_class",
        persist_state="session",
    )


@dataclass
class Known:
    """What was explained of a network's answer to one image, so far as somebody asked.

    heats: Grad-CAM by class and by how much finer its layer is.
    """

    heats: dict[tuple[int, int], Heat] = field(default_factory=dict)
    occlusion: Occlusion | None = None


@dataclass(frozen=True, eq=False)
class Explained:
    """One network's answer to an image, and the class that it is explained for."""

    asked: Asked
    of_class: int
    view: View

    @property
    def class_name(self) -> str:
        """What the class is called."""
        return self.view.class_names[self.of_class]

    @property
    def known(self) -> Known:
        """What was explained of it before."""
        return _known(self.asked.side.version, self.asked.index)

    def heat(self, finer: int) -> Heat:
        """Grad-CAM of the class, as fields."""
        heats, side, key = self.known.heats, self.asked.side, (self.of_class, finer)
        if key not in heats:
            heats[key] = lab.grad_cam(side.run, self.asked.image, self.of_class, side.epoch, finer)
        return heats[key]

    def occlusion(self) -> Occlusion:
        """What covering places takes from the classes."""
        known, side = self.known, self.asked.side
        if known.occlusion is None:
            known.occlusion = lab.occlude(side.run, self.asked.image, side.epoch)
        return known.occlusion

    def show_over_image(self, of_method: str, strengths: Map) -> None:
        """Show a map, (height, width) as `enlarged` makes the image and from -1 to 1, over it."""
        asked = self.asked
        alt = f"{of_method} of {asked.letter} for {self.class_name}, test image {asked.index}"
        picture(overlay(self.large, strengths), side=SIDE, alt=alt)

    @property
    def large(self) -> NDArray[np.uint8]:
        """The image in the size that maps are shown in."""
        return enlarged(self.view.pictures[self.asked.position])


@st.cache_resource(max_entries=64, show_spinner=False)
def _known(version: tuple[object, ...], index: int) -> Known:
    return Known()


def _ask(
    column: DeltaGenerator, one: Explained, question: Callable[[Explained], Answer]
) -> Answer | None:
    """Announce a network in its column and ask it; None, with the reason, where it cannot be."""
    with column:
        gave = theme.percent(one.asked.probability(one.of_class), digits=1)
        heading(one.asked, f"{gave} for {one.class_name}")
        if has_weights(one.asked):
            with failures_of_one():
                return question(one)
    return None


def _grad_cam(explained: Sequence[Explained]) -> None:
    finer, shown = _choose_layer(), False
    for column, one in zip(st.columns(len(explained)), explained, strict=True):
        if (heat := _ask(column, one, lambda one: one.heat(finer))) is not None:
            with column:
                _show_heat(one, heat, finer)
            shown = True
    if shown:
        legend("nothing", "strongest place")
        st.caption(
            "Where it is warm, what the layer found speaks for the class (Grad-CAM). Each map "
            "reaches to its own strongest place: compare where, not how strongly."
        )


def _choose_layer() -> int:
    """By which layer to explain, as how much finer its fields are than the last one's."""
    chosen = st.segmented_control(
        "Layer",
        list(LAYERS),
        default=next(iter(LAYERS)),
        required=True,
        key="explained_layer",
        persist_state="session",
        help="The last layer that still tells places apart knows most about classes, but its "
        "fields may be coarse. Layers before it have finer fields and know less.",
    )
    return LAYERS[chosen]


def _show_heat(one: Explained, heat: Heat, finer: int) -> None:
    one.show_over_image("Grad-CAM", heat.over(*one.large.shape[:2]))
    graph = one.asked.side.run.config.network.graph
    layer, (rows, columns) = graph.layers[explained_layer(graph, finer)].name, heat.fields.shape
    st.caption(f"{lab.plain(layer)}, {rows} × {columns} fields")
    if heat.empty:
        st.caption(f"No place speaks for {lab.plain(one.class_name)}.")


def _occlusion(explained: Sequence[Explained]) -> None:
    found = []
    for column, one in zip(st.columns(len(explained)), explained, strict=True):
        if (occlusion := _ask(column, one, Explained.occlusion)) is not None:
            found.append((column, one, occlusion))
    if not found:
        return
    reach = max(SLIGHT, *(_most(one, occlusion) for _, one, occlusion in found))
    for column, one, occlusion in found:
        with column:
            _show_occlusion(one, occlusion, reach)
    points = f"{100 * reach:.0f} pp"
    legend(f"rises by {points}", f"falls by {points}", both_ways=True)
    st.caption(
        "What the probability of the class loses where a patch covers the image: warm places are "
        "needed for the answer, cold ones stand in its way. The colours of both maps mean the same."
    )


def _most(one: Explained, occlusion: Occlusion) -> float:
    """The most that the class loses or wins anywhere."""
    return float(np.abs(occlusion.of(one.of_class)).max())


def _show_occlusion(one: Explained, occlusion: Occlusion, reach: float) -> None:
    lost = occlusion.over(one.of_class, *one.large.shape[:2])
    one.show_over_image("Occlusion", lost / reach)
    cover = occlusion.cover
    filled = "its background" if cover.of_background else "its mean colour"
    st.caption(
        f"covered with {cover.patch} × {cover.patch} pixels of {filled}, in "
        f"{cover.rows} × {cover.columns} places"
    )
    if _most(one, occlusion) < SLIGHT:
        st.caption("No patch changes it by even 1 pp: no single place decides.")


METHODS: dict[str, Callable[[Sequence[Explained]], None]] = {
    "Grad-CAM": _grad_cam,
    "Occlusion": _occlusion,
}
"""Ways to explain an answer, by what each is called."""
