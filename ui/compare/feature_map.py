"""The test set in two dimensions, as one of the networks sees it: colours, outlines, one image."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import OUTCOMES
from core.analysis.images import Judgement
from core.analysis.selection import Selection
from core.feature_space.maps import BEFORE_TSNE
from core.feature_space.outline import rounded
from core.feature_space.space import Features, Kind, Map
from core.glossary import meaning_of
from ui import theme, units
from ui.compare import asked, link, spaces
from ui.compare.view import LETTERS, OUTCOME_NAMES, View
from ui.frame import icons
from ui.plots.headings import Heading
from ui.plots.scatter import Click, Fact, Group, Outline, Points, scatter

Coloring = Literal["outcome", "class", "confidence"]
COLORINGS: dict[Coloring, str] = {
    "outcome": "Outcome",
    "class": "True class",
    "confidence": "Confidence",
}
SURE = (0.5, 0.8, 0.95, 0.99)
"""Where one colour of confidence ends and the next begins."""
SURE_COLORS = ("#c6250f", "#e0700f", "#8d996e", "#089ced", "#6f7683")
"""From unsure to sure: what a network hesitates over stands out."""
_GALLERY = "map_gallery"


class Chosen(NamedTuple):
    """Which map is looked at, and in which colours."""

    letter: str
    kind: Kind
    coloring: Coloring


def show(view: View) -> None:
    """The map that is chosen, or the offer to compute it."""
    chosen = _choose(view)
    place = LETTERS.index(chosen.letter)
    side, network = view.sides[place], asked.both(view, 0)[place]
    asked.heading(network, f"The {units.count(len(view.images))} test images as it sees them")
    if not asked.has_weights(network):
        return
    space = spaces.space_of(side)
    made, features = space.map(chosen.kind), space.test()
    if made is None or features is None:
        spaces.offer(side, chosen.letter, chosen.kind)
        return
    _map(view, chosen, made, features)


# --- What is chosen -----------------------------------------------------------------------------


def _choose(view: View) -> Chosen:
    """Which network, which map, which colours: those of the link, of the outline, or the first."""
    chosen = _kept(view.selection)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        _control(
            "Features of", dict(zip(LETTERS, LETTERS, strict=True)), chosen, "letter", _FEATURES
        )
        _control("Map", spaces.KINDS, chosen, "kind", _KINDS)
        _control("Coloured by", COLORINGS, chosen, "coloring", None)
    return chosen


def _kept(selection: Selection) -> Chosen:
    kind, letter, coloring = [*link.kept_value("features").split("_"), "", "", ""][:3]
    if not kind and selection.outline:
        kind, letter = [*selection.outlined.split("_"), ""][:2]
    return Chosen(
        letter.upper() if letter.upper() in LETTERS else LETTERS[0],
        "tsne" if kind == "tsne" else "pca",
        next((known for known in COLORINGS if known == coloring), "outcome"),
    )


def _control(
    title: str, options: Mapping[Any, str], chosen: Chosen, part: str, meaning: str | None
) -> None:
    key = f"map_{part}"
    st.session_state[key] = getattr(chosen, part)
    st.segmented_control(
        title,
        list(options),
        format_func=options.__getitem__,
        key=key,
        required=True,
        help=meaning,
        on_change=_take,
        args=(chosen, part, key),
    )


def _take(chosen: Chosen, part: str, key: str) -> None:
    now = chosen._replace(**{part: st.session_state[key]})
    link.keep(features=f"{spaces.map_named(now.kind, now.letter)}_{now.coloring}")


_FEATURES = f"Feature: {meaning_of('feature')}"
_KINDS = f"PCA: {meaning_of('PCA')} t-SNE: {meaning_of('t-SNE')}"


# --- The map ------------------------------------------------------------------------------------


def _map(view: View, chosen: Chosen, made: Map, features: Features) -> None:
    name = spaces.map_named(chosen.kind, chosen.letter)
    outline = view.selection.outline if view.selection.outlined == name else ()
    strong = spaces.outlined(view.selection, view.sides)
    if st.session_state.get(_GALLERY):
        strong = np.zeros(len(view.images), bool)
        strong[view.positions] = True
    done = scatter(
        _points(view, chosen, made, strong),
        key=f"feature_map_{name}",
        heading=Heading(
            _HEADLINES[chosen.coloring](view, chosen),
            "Each point is a test image; those that the network finds alike lie together. "
            f"{_in_words(chosen, made, features)}",
        ),
        axes=_axes(chosen, made),
        number="Test image",
        outline=outline,
        marked=view.position,
    )
    if isinstance(done, Outline):
        _narrow(view.selection, name, done)
    if isinstance(done, Click) and done.point != view.position:
        link.look_at(int(view.indices[done.point]))
        st.rerun()
    _told(view)


def _narrow(selection: Selection, name: str, drawn: Outline) -> None:
    """Have the gallery show what lies within an outline on a map, and nothing else."""
    chosen = Selection(
        group="all",
        outlined=name,
        outline=rounded(drawn.corners),
        order=selection.order,
        turned=selection.turned,
    )
    if chosen != selection:
        link.show(chosen)
        st.rerun()


def _told(view: View) -> None:
    """What can be done on the map, and with the outline once there is one."""
    st.caption(
        "Drag round some points to have their images in the gallery below; click one to look at "
        "it. The wheel enlarges, and so do two fingers; dragging with Shift moves. On a touch "
        "screen, choose Outline or Move first. With keys: arrows from point to point, Enter looks "
        "at one."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.toggle("Only the gallery's images stand out", key=_GALLERY)
        if not view.selection.outline:
            return
        st.button(
            "Clear the outline",
            icon=icons.CANCEL,
            key="map_clear",
            on_click=link.change,
            kwargs={"outlined": "", "outline": ()},
        )


def _points(view: View, chosen: Chosen, made: Map, strong: NDArray[np.bool_] | None) -> Points:
    images = view.images
    judgement = images.a if chosen.letter == "A" else images.b
    groups, group = _COLORS[chosen.coloring](view, judgement)
    return Points(
        made.points,
        view.indices,
        [
            Fact("True class", images.truth),
            Fact("A", images.a.said),
            Fact("B", images.b.said),
        ],
        view.class_names,
        group,
        groups,
        ranked=chosen.coloring != "class",
        strong=strong,
    )


def _axes(chosen: Chosen, made: Map) -> tuple[str, str]:
    """What the places of a map are along; those of t-SNE have no meaning of their own."""
    if chosen.kind == "tsne":
        return "", ""
    first, second = made.shares or (0.0, 0.0)
    return (
        f"1st direction: {units.percent(first, 1)} of what varies",
        f"2nd direction: {units.percent(second, 1)}",
    )


def _outcome_headline(view: View, chosen: Chosen) -> str:
    counts = view.comparison.counts
    wrong = len(view.images) - counts["both_right"]
    return (
        f"Where the {units.count(wrong)} images lie that A or B gets wrong, "
        f"{units.count(counts['both_wrong'])} of them both"
    )


def _class_headline(view: View, chosen: Chosen) -> str:
    return f"How {chosen.letter} sets the {units.count(len(view.class_names))} classes apart"


def _confidence_headline(view: View, chosen: Chosen) -> str:
    judged = view.images.a if chosen.letter == "A" else view.images.b
    unsure = int(np.count_nonzero(judged.confidence < SURE[-1]))
    return (
        f"Where {chosen.letter} hesitates: {units.count(unsure)} of {units.count(len(view.images))}"
        f" images at less than {units.percent(SURE[-1], 0)}"
    )


_HEADLINES: dict[Coloring, Callable[[View, Chosen], str]] = {
    "outcome": _outcome_headline,
    "class": _class_headline,
    "confidence": _confidence_headline,
}


Colors = tuple[list[Group], NDArray[np.integer]]


def _by_outcome(view: View, judgement: Judgement) -> Colors:
    """What is right on both sides lies below, what is not on top."""
    group = np.zeros(len(view.images), np.int64)
    for place, outcome in enumerate(OUTCOMES):
        group[view.comparison.mask(outcome)] = place
    return [Group(OUTCOME_NAMES[name], view.outcome_color(name)) for name in OUTCOMES], group


def _by_class(view: View, judgement: Judgement) -> Colors:
    names = view.class_names
    groups = [Group(name, class_color(place, len(names))) for place, name in enumerate(names)]
    return groups, view.images.truth


def _by_confidence(view: View, judgement: Judgement) -> Colors:
    """That of the network whose map it is; what it is least sure of lies on top."""
    ends = (0.0, *SURE, 1.0)
    named = [f"{units.percent(low, 0)} to {units.percent(high, 0)}" for low, high in pairwise(ends)]
    group = np.searchsorted(SURE, judgement.confidence, side="right")
    groups = [Group(name, color) for name, color in zip(named, SURE_COLORS, strict=True)]
    return groups[::-1], len(SURE) - group


_COLORS: dict[Coloring, Callable[[View, Judgement], Colors]] = {
    "outcome": _by_outcome,
    "class": _by_class,
    "confidence": _by_confidence,
}


def class_color(place: int, classes: int) -> str:
    """The colour of a class among so many; up to ten have those that stay apart in any eyes.

    >>> class_color(1, 10), class_color(0, 100)
    ('#e0700f', '#d14747')
    """
    if classes <= len(theme.RUN_COLORS):
        return theme.RUN_COLORS[place]
    # Neighbours among the classes are far apart on the circle: by the golden ratio.
    hue, lightness = (place * 0.618034) % 1.0, (0.55, 0.42, 0.66)[place % 3]
    parts = colorsys.hls_to_rgb(hue, lightness, 0.6)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _in_words(chosen: Chosen, made: Map, features: Features) -> str:
    """What the map leaves out."""
    count, width = features.rows.shape
    reduced = (
        f" Those are {features.layer_width:,} numbers for each image; the {width} directions in "
        f"which they vary most were kept of them."
        if features.reduced
        else ""
    )
    if chosen.kind == "pca":
        shares = made.shares or (0.0, 0.0)
        return (
            f"The two directions in which the features of {chosen.letter} vary most; they hold "
            f"{units.percent(sum(shares), 0)} of what varies.{reduced}"
        )
    placed = int(np.isfinite(made.points[:, 0]).sum())
    some = (
        f" Of {units.count(count)} images it places {units.count(placed)}, of every class its "
        "share; no outline holds the others."
        if placed < count
        else ""
    )
    first = f", from the first {BEFORE_TSNE} principal components" if width > BEFORE_TSNE else ""
    return f"t-SNE of the features of {chosen.letter}{first}.{some}{reduced}"
