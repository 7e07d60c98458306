"""One image in depth: large, and what both networks make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.analysis.selection import Positions
from ui import lab, units
from ui.compare import explanations, fed, image_epochs, link, neighbours, said, tagging
from ui.compare.view import LETTERS, View
from ui.frame.keys import keyboard
from ui.frame.shortcuts import STEPS
from ui.pictures.picture import picture
from ui.plots.bars import probability_bars

SIDE = 196
"""Pixels that the picture is shown in."""
LISTENING, _SEEN = "keys_listen", "compare_seen"


def show(view: View, position: int) -> None:
    """The picture, its truth, the way to its neighbours, its tags, and one aspect of it."""
    index = int(view.indices[position])
    true_class = view.class_names[int(view.images.truth[position])]
    called = view.images.test_set.called(index)
    st.markdown(f"**{called}** · true class **{lab.plain(true_class)}**")
    _neighbours(view, position)
    picture(view.pictures[position], side=SIDE, alt=called)
    tagging.show(view, position)
    by_epoch = view.images.test_set.by_epoch
    aspects = [name for name in ASPECTS if by_epoch or name not in BY_EPOCH]
    aspect = st.segmented_control(
        "Aspect",
        aspects,
        default=aspects[0],
        required=True,
        key="aspect" if by_epoch else "aspect_of_sample",
        wrap=True,
        label_visibility="collapsed",
    )
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


def _neighbours(view: View, position: int) -> None:
    """To the image before and after, and where this one stands among those that are left."""
    way = _way(view)
    place, count = way.place(position), len(way.positions)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for title, icon, by in (("Previous", "chevron_left", -1), ("Next", "chevron_right", 1)):
            ahead = 0 if place is None else place + by
            st.button(
                f":material/{icon}:",
                key=f"image_{title.lower()}",
                help=f"{title} image",
                disabled=not 0 <= ahead < count,
                on_click=_step,
                args=(view, position, by),
            )
        if place is None:
            st.caption("not among those in the gallery")
        else:
            st.caption(f"{units.count(place + 1)} of {units.count(count)}")
        with st.popover("Keys", icon=":material/keyboard:"):
            _legend(view)
        _listen(view, position)


def _legend(view: View) -> None:
    st.toggle("Listen to these keys", value=True, key=LISTENING)
    st.markdown("`j` or `→` next image  \n`k` or `←` previous image")
    tags = tagging.keys(view.said)
    st.markdown("  \n".join(f"`{key}` {lab.plain(tag)}" for key, tag in tags.items()))
    st.caption(
        "A number puts a tag on the image, or takes it off. Arrows stay with the gallery, a slider "
        "or a row of choices while one of them has the focus."
    )


def _listen(view: View, position: int) -> None:
    """Keys for neighbours and tags; what they change is at hand, for nothing may interrupt them."""
    if not st.session_state.get(LISTENING, True):
        return
    tags, kept, way = tagging.keys(view.said), link.kept(), _way(view)

    def pressed(key: str) -> None:
        now = view.at(kept.get("image", ""))
        now = position if now is None else now
        if key in STEPS:
            kept["image"] = str(view.indices[way.further(now, STEPS[key])])
        else:
            said.turn_tag(view.images, now, tags[key])

    keyboard([*STEPS, *tags], pressed, key="image_keys", held=tuple(STEPS))


@dataclass(frozen=True, eq=False)
class Way:
    """The images of the gallery in their order, and where one was seen last."""

    positions: Positions
    seen: dict[str, int]

    def place(self, position: int) -> int | None:
        """Where an image stands, which is remembered for when it leaves; None if it has left."""
        found = np.flatnonzero(self.positions == position)
        if not len(found):
            return None
        self.seen["place"] = int(found[0])
        return self.seen["place"]

    def further(self, position: int, by: int) -> int:
        """The position of the image so many places further on, at most at the ends.

        From an image that has left the gallery, as one that was tagged leaves those without a tag,
        to those that stood beside it.
        """
        if not len(self.positions):
            return position
        place = self.place(position)
        if place is None:
            place = self.seen.get("place", 0) - (1 if by > 0 else 0)
        return int(self.positions[min(max(place + by, 0), len(self.positions) - 1)])


def _way(view: View) -> Way:
    return Way(view.positions, st.session_state.setdefault(_SEEN, {}))


def place_before() -> int:
    """Where the image that is looked at stood in the gallery before it left it."""
    seen: dict[str, int] = st.session_state.get(_SEEN, {})
    return seen.get("place", 0)


def _step(view: View, position: int, by: int) -> None:
    """Look at another image, so many places further on."""
    link.look_at(int(view.indices[_way(view).further(position, by)]))


ASPECTS: dict[str, Callable[[View, int], None]] = {
    "Answers": _answers,
    "Why": explanations.show,
    "As fed": fed.show,
    "Similar": neighbours.show,
    "Epochs": image_epochs.show,
}
"""What can be looked at of one image, by what each is called."""
BY_EPOCH = ("Similar", "Epochs")
"""Those that need what only the images have that both networks were tested on."""
