"""Narrowing down the images that are looked at, and putting them in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.analysis.selection import Group, Order, Selection
from core.data.image_tags import ANY_TAG, UNTAGGED
from core.glossary import meaning_of
from ui import units
from ui.compare import link, subsets
from ui.compare.lists import LISTS
from ui.compare.view import OUTCOME_NAMES, View
from ui.frame import icons

GROUPS: dict[Group, str] = {
    "disagreements": "They disagree",
    "only_a_right": OUTCOME_NAMES["only_a_right"],
    "only_b_right": OUTCOME_NAMES["only_b_right"],
    "both_wrong": OUTCOME_NAMES["both_wrong"],
    "both_right": OUTCOME_NAMES["both_right"],
    "all": "All",
}
ORDERS: dict[Order, tuple[str, str]] = {
    "confidence": ("Surest first", "Least sure first"),
    "loss": ("Highest loss first", "Lowest loss first"),
    "divergence": ("Least alike first", "Most alike first"),
    "margin": ("Least decided first", "Most decided first"),
    "index": ("In order", "In reverse order"),
}
"""What each order is called, and what it is called turned round."""
_ORDER_HELP = (
    "Surest: by the higher confidence of the two. Loss: that of the network that is further off. "
    "Alike: Jensen-Shannon divergence of the two answers. "
    f"{meaning_of('Jensen-Shannon divergence')} Decided: by how far the first class is ahead of "
    "the second, of the less decided network."
)


def show(view: View) -> None:
    """Group, order and filters, and what narrows the images down now."""
    chosen = view.selection
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _group(chosen)
        _order(chosen)
        with st.popover("Filters", icon=icons.FILTER):
            _filters(view)
        subsets.offer(view, _in_words(view))
    _narrowed(view)


def _group(chosen: Selection) -> None:
    st.session_state["images_group"] = chosen.group
    st.selectbox(
        "Images",
        list(GROUPS),
        format_func=GROUPS.__getitem__,
        key="images_group",
        width=170,
        on_change=_take,
        args=("group", "images_group"),
    )


def _order(chosen: Selection) -> None:
    st.session_state["images_order"] = (chosen.order, chosen.turned)
    st.selectbox(
        "Order",
        [(order, turned) for order in ORDERS for turned in (False, True)],
        format_func=lambda order: _order_name(chosen, *order),
        key="images_order",
        width=190,
        help=_ORDER_HELP,
        on_change=_take_order,
    )


def _order_name(chosen: Selection, order: Order, turned: bool) -> str:
    if order == "confidence" and chosen.special in LISTS:
        return "Its own, turned round" if turned else "The list's own"
    return ORDERS[order][turned]


def _filters(view: View) -> None:
    """All filters; each takes effect at once."""
    for part, title in _CLASS_FILTERS.items():
        _many(view, part, title, range(len(view.class_names)), view.class_names.__getitem__)
    for part, letter in (("confidence_a", "A"), ("confidence_b", "B")):
        _span(view, part, f"Confidence of {letter}, %", 100.0, scale=100.0)
    _span(view, "loss", "Loss of the one that is further off, nats", LARGEST_LOSS, scale=1.0)
    known = dict.fromkeys((ANY_TAG, UNTAGGED, *view.said.remarks.tags, *view.selection.tags))
    _many(view, "tags", "Tagged", list(known), str)
    st.button(
        "Clear all filters",
        icon=icons.NO_FILTER,
        disabled=not view.selection.narrows,
        on_click=_clear,
        width="stretch",
    )


LARGEST_LOSS = 16.2
"""Nats, just above the loss of a true class whose probability is 0."""
_CLASS_FILTERS = {
    "truths": "True class",
    "said_a": "A took it for",
    "said_b": "B took it for",
    "said_either": "Either took it for",
}


def _many(
    view: View, part: str, title: str, options: Sequence[Any], text: Callable[[Any], str]
) -> None:
    key = f"filter_{part}"
    st.session_state[key] = list(getattr(view.selection, part))
    st.multiselect(
        title,
        options,
        format_func=text,
        key=key,
        placeholder="Any",
        disabled=not options,
        on_change=_take_many,
        args=(part, key),
    )


def _span(view: View, part: str, title: str, largest: float, *, scale: float) -> None:
    key = f"filter_{part}"
    low, high = getattr(view.selection, part) or (0.0, largest / scale)
    st.session_state[key] = (max(0.0, low * scale), min(largest, high * scale))
    st.slider(
        title,
        0.0,
        largest,
        key=key,
        step=0.1,
        format="%.1f",
        on_change=_take_span,
        args=(part, key, largest, scale),
    )


def _narrowed(view: View) -> None:
    """What narrows the images down, each part to be taken away by a click."""
    parts = dict(_parts(view))
    if not parts:
        return
    st.session_state["narrowed"] = list(parts)
    st.pills(
        "Narrowed to (click one to take it away)",
        list(parts),
        format_func=parts.__getitem__,
        selection_mode="multi",
        key="narrowed",
        on_change=_keep_only,
        args=(tuple(parts),),
    )


def _parts(view: View) -> list[tuple[str, str]]:
    """The parts of the selection that narrow, each with its words."""
    chosen, names = view.selection, view.class_names
    told = [
        (part, f"{title}: {', '.join(names[number] for number in getattr(chosen, part))}")
        for part, title in _CLASS_FILTERS.items()
        if getattr(chosen, part)
    ]
    for part, letter in (("confidence_a", "A"), ("confidence_b", "B")):
        if (span := getattr(chosen, part)) is not None:
            low, high = (units.percent(end, digits=1) for end in span)
            told.append((part, f"{letter} sure: {low} to {high}"))
    if chosen.loss is not None:
        told.append(("loss", f"Loss: {chosen.loss[0]:.1f} to {chosen.loss[1]:.1f} nats"))
    if chosen.tags:
        told.append(("tags", f"Tagged: {', '.join(chosen.tags)}"))
    if chosen.special:
        title = LISTS[chosen.special].title if chosen.special in LISTS else chosen.special
        told.append(("special", title))
    if chosen.outline:
        told.append(("outline", "Outlined on the map"))
    return told


def _in_words(view: View) -> str:
    """What is selected, as a name for it."""
    group = GROUPS[view.selection.group]
    narrowed = [words for _, words in _parts(view)]
    return ", ".join(narrowed if narrowed and group == GROUPS["all"] else [group, *narrowed])


def _take(part: str, key: str) -> None:
    link.change(**{part: st.session_state[key]})


def _take_many(part: str, key: str) -> None:
    link.change(**{part: tuple(st.session_state[key])})


def _take_order() -> None:
    order, turned = st.session_state["images_order"]
    link.change(order=order, turned=turned)


def _take_span(part: str, key: str, largest: float, scale: float) -> None:
    low, high = st.session_state[key]
    whole = low <= 0 and high >= largest
    link.change(**{part: None if whole else (low / scale, high / scale)})


def _keep_only(parts: tuple[str, ...]) -> None:
    kept = st.session_state["narrowed"]
    empty = Selection()
    link.change(**{part: getattr(empty, part) for part in parts if part not in kept})


def _clear() -> None:
    chosen = link.selection()
    link.show(Selection(group=chosen.group, order=chosen.order, turned=chosen.turned))
