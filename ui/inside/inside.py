"""What networks make of a picture inside: the layers of each, their channels, and one of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.activations.excitement import Excitement
from core.activations.feature_maps import FeatureMaps
from core.activations.seen_layers import POOLINGS, seen_layers
from core.registry.run import Run
from ui import units
from ui.asked_network import failures_of_one, heading
from ui.frame import icons
from ui.inside import one_channel, searching
from ui.inside.channel_sheet import LARGEST, Tile, channel_sheet
from ui.inside.layer_row import Shown, layer_row
from ui.inside.look import Look
from ui.inside.one_channel import OneChannel, answer
from ui.plots.headings import Heading

PER_PAGE, PER_PAGE_BESIDE = 64, 32
"""Channels that are shown at once of a network alone, and of one beside another."""
LEAST, LEAST_BESIDE = 74, 56
"""Pixels that each takes at least."""
SIDE_BY_SIDE = 2
ACROSS, BY_ITSELF = "Across the layer", "Each by itself"
STRONGEST, BY_NUMBER = "Strongest first", "By number"


@dataclass(frozen=True)
class Choice:
    """How channels are shown: what is brightest, and in which order they stand.

    alone: whether one network has the whole width.
    """

    across_layer: bool
    strongest_first: bool
    alone: bool

    @property
    def per_page(self) -> int:
        """Channels that are shown at once."""
        return PER_PAGE if self.alone else PER_PAGE_BESIDE


def show(looks: Sequence[Look]) -> None:
    """Networks side by side, each with the layer and the channel that somebody chose."""
    choice = _choose(alone=len(looks) == 1)
    for start in range(0, len(looks), SIDE_BY_SIDE):
        row = looks[start : start + SIDE_BY_SIDE]
        for column, look in zip(st.columns(len(row), gap="large"), row, strict=True):
            with column, failures_of_one():
                _one(look, choice)


def chosen(look: Look) -> str:
    """The layer and the channel that are looked at, as a link says it: `block4_conv1.342`."""
    place = _chosen_place(look)
    channel = st.session_state.get(_channel_key(look.run, look.layers[place]))
    return look.layer(place).name + ("" if channel is None else f".{channel}")


def choose(run: Run, text: str) -> bool:
    """Look at what a link says; False where the network has no such layer or channel."""
    name, _, channel = text.partition(".")
    layers = run.config.network.graph.layers
    places = {
        layers[at].name: (place, at)
        for place, at in enumerate(seen_layers(run.config.network.graph))
    }
    if name not in places:
        return False
    place, position = places[name]
    if channel and not (channel.isdecimal() and int(channel) < layers[position].shape[-1]):
        return False
    st.session_state[_layer_key(run)] = place
    if channel:
        st.session_state[_channel_key(run, position)] = int(channel)
    return True


def _choose(*, alone: bool) -> Choice:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        brightness = _either(
            "Brightness",
            (ACROSS, BY_ITSELF),
            "inside_brightness",
            "Across the layer, the strongest answer of all channels is brightest, so that they can "
            "be compared. Each by itself, a faint channel shows its pattern too.",
        )
        order = _either("Order", (STRONGEST, BY_NUMBER), "inside_order", None)
    return Choice(brightness == ACROSS, order == STRONGEST, alone)


def _either(title: str, options: tuple[str, str], key: str, meaning: str | None) -> str:
    return st.segmented_control(
        title,
        options,
        default=options[0],
        required=True,
        key=key,
        persist_state="session",
        help=meaning,
    )


def _one(look: Look, choice: Choice) -> None:
    """A network: its layers, the sheet of the chosen layer's channels, and one of them."""
    place = _chosen_place(look)
    maps, optics = look.maps(place), look.optics()
    if maps is None or optics is None:
        return
    places = _places(alone=choice.alone)
    found = None
    with places.elsewhere, failures_of_one():
        found = searching.found(look)
    with places.top:
        _show_layers(look, place, maps, found)
    of_layer = None if found is None else found[look.layers[place]]
    with places.sheet:
        channel = _sheet(look, place, maps, of_layer, choice)
        if of_layer is not None:
            _tell_dead(of_layer)
    one = OneChannel(look, place, channel, maps, optics, of_layer)
    with places.about:
        one_channel.tell(one)
    with places.here:
        one_channel.show_map(one)
    if of_layer is not None:
        with places.elsewhere:
            one_channel.show_exciting(one, of_layer, searching.tested(look))


class Places(NamedTuple):
    """Where the parts of one network stand.

    top: its layers. sheet: the channels of one. about, here, elsewhere: of one channel what it is,
    what it makes of the picture, and which test images excite it.
    """

    top: DeltaGenerator
    sheet: DeltaGenerator
    about: DeltaGenerator
    here: DeltaGenerator
    elsewhere: DeltaGenerator


def _places(*, alone: bool) -> Places:
    """A network that has the whole width shows the channel beside the sheet, others below."""
    top = st.container()
    sheet, one = st.columns(2, gap="large") if alone else (st.container(), st.container())
    about = one.container()
    here, elsewhere = one.columns([2, 3], gap="medium")
    return Places(top, sheet, about, here, elsewhere)


def _show_layers(
    look: Look, place: int, maps: FeatureMaps, found: dict[int, Excitement] | None
) -> None:
    answering = int((~maps.silent).sum())
    name = look.layer(place).name
    heading(look.name, look.color, f"{name}: {answering} of {len(maps.peaks)} channels answer")
    layer_row(
        _layers(look, found),
        label=f"Layers of {look.name}",
        color=look.color,
        selected=place,
        on_select=partial(_choose_layer, look.run),
        key=f"inside_layers_{look.run.id}",
    )


def _layers(look: Look, found: dict[int, Excitement] | None) -> list[Shown]:
    shown = []
    for position in look.layers:
        layer = look.graph.layers[position]
        dead = None if found is None else int(found[position].dead.sum())
        pools = layer.kind in POOLINGS
        shown.append(Shown(layer.name, layer.block, pools, layer.shape, dead))
    return shown


def _sheet(
    look: Look, place: int, maps: FeatureMaps, found: Excitement | None, choice: Choice
) -> int:
    """Show the channels of a layer, a page of them at a time; the one that is chosen."""
    order = np.argsort(-maps.peaks, kind="stable") if choice.strongest_first else None
    ordered = np.arange(len(maps.peaks)) if order is None else order
    key = _channel_key(look.run, look.layers[place])
    known = st.session_state.get(key)
    channel = int(ordered[0]) if known is None else int(known)
    sheet = st.container()
    start = choice.per_page * _page(-(-len(ordered) // choice.per_page), key)
    on_page = ordered[start : start + choice.per_page].tolist()
    name = look.layer(place).name
    strongest = f"{answer(maps.strongest)}, the strongest of the layer"
    with sheet:
        channel_sheet(
            maps.tiles(on_page, across_layer=choice.across_layer, largest=LARGEST),
            [_tile(each, maps, found) for each in on_page],
            heading=Heading(
                f"What the {len(ordered)} channels of {name} make of {look.about}",
                "Feature maps: bright is where a channel answers. Below each stand its number "
                "and its strongest answer.",
                "Choose one to see more.",
            ),
            legend=("0", strongest if choice.across_layer else "the channel's own strongest"),
            selected=channel,
            least=LEAST if choice.alone else LEAST_BESIDE,
            on_select=partial(_choose_channel, key),
            key=f"inside_sheet_{look.run.id}",
        )
    return channel


def _page(pages: int, key: str) -> int:
    """Which page of channels is looked at, from 0."""
    if pages == 1:
        return 0
    return int(st.pagination(pages, key=f"page_of_{key}_{pages}")) - 1


def _tile(channel: int, maps: FeatureMaps, found: Excitement | None) -> Tile:
    peak = float(maps.peaks[channel])
    dead = found is not None and bool(found.dead[channel])
    said = f"Channel {channel}: "
    said += f"strongest answer {answer(peak)}" if peak > 0 else "silent here"
    if dead:
        said += ", dead"
    elif found is not None:
        said += f", answers to {units.percent(float(found.active[channel]), 0)} of test images"
    return Tile(channel, answer(peak), said, "dead" if dead else "")


def _tell_dead(found: Excitement) -> None:
    """How many channels of a layer never answer."""
    dead, count = int(found.dead.sum()), units.count(found.count)
    if not dead:
        st.caption(f"No dead channel: each answers to some of {count} test images.")
        return
    told = "channel is dead" if dead == 1 else "channels are dead"
    st.caption(
        f"{icons.WARNING} {dead} of {len(found.dead)} {told}: none of {count} test images makes "
        "them answer."
    )


def _chosen_place(look: Look) -> int:
    place: int = st.session_state.get(_layer_key(look.run), 0)
    return place


def _layer_key(run: Run) -> str:
    return f"inside_layer_{run.id}"


def _channel_key(run: Run, layer: int) -> str:
    return f"inside_channel_{run.id}_{layer}"


def _choose_layer(run: Run, place: int) -> None:
    st.session_state[_layer_key(run)] = place


def _choose_channel(key: str, channel: int) -> None:
    st.session_state[key] = channel
