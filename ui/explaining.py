"""Why networks say what they say of one picture: the places that their answers hang on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.explaining.heat import Heat, Map
from core.explaining.layers import explained_layer
from core.explaining.occlusion import Occlusion
from core.glossary import meaning_of
from core.registry.run import Run
from ui import lab, questions, units
from ui.asked_network import failures_of_one, heading
from ui.pictures.heatmap import enlarged, legend, overlay
from ui.pictures.picture import picture

Answer = TypeVar("Answer")

SIDE = 240
"""Pixels that a map is shown in."""
BY, LAYER = "explained_by", "explained_layer"
"""Keys of what is chosen: the method, and the layer."""
LAYERS = {"Last": 0, "Finer": 1, "Finer still": 2}
"""Layers to explain by, as how many sizes smaller their fields are."""
SLIGHT = 0.01
"""A probability that, lost, is hardly seen: the colours are never stretched to less."""


@dataclass(frozen=True, eq=False)
class Explained:
    """One network's answer to a picture, and the class that it is explained for.

    name, color: what the network is announced with. called: what it is called in the text of the
    map for who cannot see it, and about: what the picture is. image: tells what the network is
    asked about; may raise what reading a dataset raises. seen: the picture that maps are laid
    over. gave: the probability of the class. askable: whether the network can be asked; says why
    not.
    """

    run: Run
    epoch: int
    name: str
    color: str
    called: str
    about: str
    image: Callable[[], NDArray[np.uint8]]
    seen: NDArray[np.uint8]
    of_class: int
    gave: float
    askable: Callable[[], bool] = lambda: True

    @property
    def class_name(self) -> str:
        """What the class is called."""
        return self.run.config.class_names[self.of_class]

    def heat(self, finer: int) -> Heat | None:
        """Grad-CAM of the class, as fields; None, with a word why, while it is not there."""
        return questions.grad_cam(self.run, self.image(), self.of_class, self.epoch, finer)

    def occlusion(self) -> Occlusion | None:
        """What covering places takes from the classes; None, with a word why, as well."""
        return questions.occlude(self.run, self.image(), self.epoch)

    def show_over_image(self, of_method: str, strengths: Map) -> None:
        """Show a map, (height, width) as `enlarged` makes the picture and from -1 to 1, over it."""
        alt = f"{of_method} of {self.called} for {self.class_name}, {self.about}"
        picture(overlay(self.large, strengths), side=SIDE, alt=alt)

    @property
    def large(self) -> NDArray[np.uint8]:
        """The picture in the size that maps are shown in."""
        return enlarged(self.seen)


def ask_method() -> Method:
    """Ask by which method to explain."""
    st.session_state.setdefault(BY, next(iter(METHODS)))  # a link may have said it
    chosen = st.segmented_control(
        "Method",
        list(METHODS),
        required=True,
        key=BY,
        persist_state="session",
        label_visibility="collapsed",
    )
    return METHODS[str(chosen)]


def _ask(
    column: DeltaGenerator, one: Explained, question: Callable[[Explained], Answer]
) -> Answer | None:
    """Announce a network in its column and ask it; None, with the reason, where it cannot be."""
    with column:
        heading(one.name, one.color, f"{units.percent(one.gave, digits=1)} for {one.class_name}")
        if one.askable():
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
            f"Grad-CAM: {meaning_of('Grad-CAM')} Where it is warm it found most; each map reaches "
            "to its own strongest place: compare where, not how strongly."
        )


def _choose_layer() -> int:
    """By which layer to explain, as how much finer its fields are than the last one's."""
    st.session_state.setdefault(LAYER, next(iter(LAYERS)))
    chosen = st.segmented_control(
        "Layer",
        list(LAYERS),
        required=True,
        key=LAYER,
        persist_state="session",
        help="The last layer that still tells places apart knows most about classes, but its "
        "fields may be coarse. Layers before it have finer fields and know less.",
    )
    return LAYERS[str(chosen)]


def _show_heat(one: Explained, heat: Heat, finer: int) -> None:
    one.show_over_image("Grad-CAM", heat.over(*one.large.shape[:2]))
    graph = one.run.config.network.graph
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
        f"Occlusion: {meaning_of('occlusion')} Warm places are needed for the answer, cold ones "
        "stand in its way. The colours of all maps mean the same."
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


Method = Callable[[Sequence[Explained]], None]
METHODS: dict[str, Method] = {
    "Grad-CAM": _grad_cam,
    "Occlusion": _occlusion,
}
"""Ways to explain an answer, by what each is called."""
