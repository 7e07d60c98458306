"""Is it the label? Images whose label may be wrong, and what is left without those that are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.leaving_out import Rest, without
from core.analysis.selection import Positions, Selection
from core.data.image_tags import STANDARD, WRONG_LABEL
from core.glossary import meaning_of
from ui import lab, units
from ui.compare import link, said, tag_files, tagging
from ui.compare.lists import LISTS
from ui.compare.suspected import DOUBTS
from ui.compare.view import LETTERS, View

_ABOUT = (
    "Some mistakes are not a network's but the label's. These lists begin with the images whose "
    "label is most in doubt. Open one, look, and tag what you see: key `1` says “wrong label”, "
    "`j` goes on to the next image."
)
_CONFIDENT = (
    f"Confident learning: {meaning_of('confident learning')} First come the images that reach "
    "another class's threshold, the mean probability of that class on its own images, and are "
    "likeliest of it; then the others that are taken for another class. Both by how far the "
    "label's probability lies below the highest."
)
_EXPLAINED = {
    "suspects": "Both networks take the image for the same class, but not for its label's. Sorted "
    "by the lower confidence of the two, the highest first.",
    "confident_both": f"From the average of both networks' answers. {_CONFIDENT}",
    "confident_a": f"From A's answers alone. {_CONFIDENT}",
    "confident_b": f"From B's answers alone. {_CONFIDENT}",
}


def show(view: View) -> None:
    """Suspects to look at, what was said of images, and accuracies without some of them."""
    st.caption(_ABOUT)
    _suspects(view)
    if view.said.damaged:
        tagging.damaged(view, "labels")
        return
    _tags(view)
    _accuracies(view)


def _suspects(view: View) -> None:
    """A card for each list; a click has the gallery show it."""
    with st.container(horizontal=True, gap="small"):
        for name, explained in _EXPLAINED.items():
            listed = LISTS[name].positions(view.images)
            with st.container(border=True, width="stretch", gap="xsmall"):
                st.markdown(f"**{LISTS[name].title}**", help=explained)
                st.markdown(f"### {units.count(len(listed))}")
                st.caption("  \n".join(_remarks(view, name, listed)))
                st.button(
                    "Show",
                    key=f"show_{name}",
                    help="Show them in the gallery below, the most suspect first.",
                    disabled=len(listed) == 0,
                    width="stretch",
                    on_click=link.show,
                    args=(Selection(group="all", special=name),),
                )


def _remarks(view: View, name: str, listed: Positions) -> tuple[str, str]:
    """How many the method itself counts as wrong, and how many were tagged."""
    tagged = {position for carrying in view.tagged.values() for position in carrying}
    looked_at = f"{units.count(len(tagged.intersection(listed.tolist())))} tagged"
    if name == "suspects":
        return "alike, and not the label", looked_at
    counted = int(np.count_nonzero(DOUBTS[name](view.images).counted))
    return f"{units.count(counted)} past a threshold", looked_at


def _tags(view: View) -> None:
    """How many images carry each tag, a way to them, and the tags to take along or to bring."""
    st.markdown("##### Tags")
    with st.container(horizontal=True, gap="small"):
        for tag in view.said.remarks.tags:
            count = len(view.tagged.get(tag, ()))
            st.button(
                f"{lab.plain(tag)} · {units.count(count)}",
                key=f"show_tag_{tag}",
                help="Show the images that carry this tag.",
                disabled=count == 0,
                on_click=link.show,
                args=(Selection(group="all", tags=(tag,)),),
            )
    with st.container(horizontal=True, gap="small"):
        tag_files.show(view)
        if any(tag not in STANDARD and tag not in view.tagged for tag in view.said.remarks.tags):
            st.button(
                "Forget unused tags",
                icon=":material/label_off:",
                key="forget_tags",
                help="Own tags that no image of this dataset carries are offered no more.",
                on_click=said.forget_unused,
                args=(view.images,),
            )
    tag_files.told()


def _accuracies(view: View) -> None:
    """Accuracies with all images and without some tagged ones, and whether the verdict stays."""
    st.markdown("##### Accuracy without tagged images")
    if not view.tagged:
        st.caption("No image is tagged yet.")
        return
    offered = [tag for tag in view.said.remarks.tags if tag in view.tagged]
    chosen = st.multiselect(
        "Leave out images tagged",
        offered,
        default=[WRONG_LABEL] if WRONG_LABEL in offered else offered,
        key="left_out",
        placeholder="Choose tags",
    )
    rows = {"All images": without(view.comparison, _carrying(view, []))}
    if chosen:
        title = f"Without {', '.join(f'“{tag}”' for tag in chosen)}"
        rows[title] = without(view.comparison, _carrying(view, chosen))
    if set(chosen) != set(offered):
        rows["Without any tagged"] = without(view.comparison, _carrying(view, offered))
    left = {title: rest for title, rest in rows.items() if rest is not None}
    st.dataframe(_table(view, left), hide_index=True, width="stretch")
    st.caption(" ".join(_verdicts(view, left)))
    if len(left) < len(rows):
        st.caption("Without the tagged images none would be left.")


def _carrying(view: View, tags: list[str]) -> Positions:
    carrying = [position for tag in tags for position in view.tagged[tag]]
    return np.unique(np.array(carrying, np.int64))


def _table(view: View, rows: dict[str, Rest]) -> pd.DataFrame:
    """A row for each set of images, the intervals at 95 % beside each figure."""
    columns: dict[str, list[str]] = {"": list(rows)}
    columns["Images"] = [units.count(rest.total) for rest in rows.values()]
    for number, (letter, side) in enumerate(zip(LETTERS, view.sides, strict=True)):
        columns[f"{letter} · {side.name}"] = [
            f"{units.percent(rest.accuracies[number])} "
            f"({units.interval(rest.intervals[number], units.percent)})"
            for rest in rows.values()
        ]
    columns["A minus B"] = [
        f"{units.points(rest.difference)} "
        f"({units.interval(rest.difference_interval, units.points)})"
        for rest in rows.values()
    ]
    columns["McNemar p"] = [units.p_value(rest.mcnemar_p) for rest in rows.values()]
    return pd.DataFrame(columns)


def _verdicts(view: View, rows: dict[str, Rest]) -> list[str]:
    """Whether leaving images out changes the verdict."""
    (_, whole), *others = rows.items()
    told = []
    for title, rest in others:
        same = rest.better == whole.better
        verdict = "the verdict stays" if same else "**the verdict changes**"
        told.append(f"{lab.plain(title)}, {verdict}: {_better(view, rest)}.")
    return told


def _better(view: View, rest: Rest) -> str:
    if rest.better is None:
        return f"no clear winner (p {units.p_value(rest.mcnemar_p)})"
    return f"{lab.plain(view.sides[rest.better].name)} is better"
