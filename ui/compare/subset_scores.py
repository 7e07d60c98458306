"""How both networks do on each saved subset of the test images."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.analysis.confusion import Confusions
from core.analysis.leaving_out import Interval, Rest, only
from core.analysis.selection import Selection
from core.analysis.statistics import paired_difference_interval
from core.analysis.subsets import LONGEST_NAME, Subset, delete_subset, rename_subset
from ui import lab, units
from ui.compare import link, subsets
from ui.compare.view import LETTERS, View
from ui.frame import icons
from ui.frame.empty import empty
from ui.plots.dumbbells import Row, dumbbells
from ui.plots.headings import Heading

ALL = "All images"
FEW = 12
AROUND_ROWS, ROW_HEIGHT = 6.5, 1.2
"""Room that a chart takes, in rem, so that nothing moves when it is drawn."""
_CHANGED, _HERE = "subset_to_change", "view"
_ABOUT = (
    "A subset is some of the test images under a name: a class or two, what is tagged “faint”, "
    "what a network is unsure of. It is kept without the networks, so that every pair can be set "
    "side by side on it. “Subsets” beside the filters below saves what is selected there."
)
_STYLE = """
<style>
.tl-subsets { overflow-x: auto; }
.tl-subsets table { border-collapse: collapse; width: 100%; min-width: 34rem; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
.tl-subsets th, .tl-subsets td { padding: .4rem .45rem; text-align: right; white-space: nowrap;
  border: 0; border-bottom: 1px solid rgba(138, 148, 166, .3); vertical-align: top; }
.tl-subsets thead th { font-weight: 600; }
.tl-subsets thead th:first-child { text-align: left; }
.tl-subsets tbody th { font-weight: 400; text-align: left; white-space: normal;
  overflow-wrap: anywhere; min-width: 9rem; }
.tl-subsets small { display: block; font-size: .78rem; font-weight: 400; opacity: .75; }
.tl-subsets .better { font-weight: 650; }
.tl-subsets i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px;
  margin-right: .35rem; }
.tl-subsets tr:last-child > * { border-bottom: 0; }
</style>
"""


@dataclass(frozen=True)
class Scored:
    """A subset on the pair of networks that is compared.

    selection: None where it asks for classes or lists that are not here. rest: None where it
    leaves no image.
    """

    name: str
    selection: Selection | None
    rest: Rest | None

    @property
    def by_answers(self) -> bool:
        """Whether the answers chose the images, so that the accuracies follow from the choice."""
        return self.selection is not None and self.selection.by_answers


def show(view: View) -> None:
    """Accuracies on each subset, to be clicked on, with intervals; renaming and deleting."""
    st.caption(_ABOUT)
    found = subsets.known(view)
    if found.damaged:
        subsets.damaged(found, _HERE)
        return
    if not found.subsets:
        _nothing_saved(view)
        return
    scored = [_all(view), *(_score(view, subset) for subset in found.subsets)]
    shown = [each for each in scored if each.rest is not None]
    _accuracies(view, [each for each in shown if not each.by_answers], _finding(shown), "scores")
    if by_answers := [each for each in shown if each.by_answers]:
        _accuracies(view, by_answers, "Where the answers chose the images", "scores_by_answers")
    _table(view, scored)
    _manage(found.subsets)


def _nothing_saved(view: View) -> None:
    """What would be here, and a subset to begin with: the two classes confused most."""
    ways = empty(
        icons.VIEWS,
        "How both networks do on images that you choose stands here.",
        "Nothing was saved of this dataset yet. Narrow the images below down by class, confidence "
        "or tag, and save them with “Subsets” beside the filters.",
        key="subsets",
    )
    pairs = Confusions.of(view.comparison).pairs("total", 1)
    if not pairs:
        return
    classes = tuple(sorted((pairs[0].truth, pairs[0].said)))
    name = " and ".join(view.class_names[number] for number in classes)[:LONGEST_NAME]
    ways.button(
        f"Begin with {lab.plain(name)}, confused most",
        icon=icons.SAVE,
        key="save_most_confused",
        on_click=subsets.save,
        args=(Selection(group="all", truths=classes), name, subsets.dataset(view), _HERE),
    )
    subsets.told(_HERE)


def _all(view: View) -> Scored:
    return _scored(view, ALL, Selection(group="all"))


def _score(view: View, subset: Subset) -> Scored:
    selection = subset.selection(len(view.class_names))
    if selection is None or not view.can_look_at(selection):
        return Scored(subset.name, None, None)
    return _scored(view, subset.name, selection)


def _scored(view: View, name: str, selection: Selection) -> Scored:
    return Scored(name, selection, only(view.comparison, view.looking_at(selection).positions))


def _accuracies(view: View, scored: Sequence[Scored], title: str, key: str) -> None:
    """A row for each subset; a click has the gallery show its images.

    Those that answers chose have a scale of their own: theirs would leave no room to the others.
    """
    accuracies = [each.rest.accuracies for each in scored if each.rest]
    low = min(0.95, math.floor(20 * min(map(min, accuracies))) / 20)
    selections = [each.selection for each in scored]
    a, b = view.sides
    height = AROUND_ROWS + ROW_HEIGHT * min(len(scored), FEW)
    st.html(f"<style>.st-key-subset_{key} {{ min-height: {height}rem; }}</style>")
    clicked = dumbbells(
        [_row(each.name, each.rest) for each in scored if each.rest],
        scale=(low, 1.0),
        ends=(units.percent(low, digits=0), "100 %"),
        colors=(view.color(a), view.color(b)),
        heading=Heading(
            title,
            "Accuracy of both networks on the images of each subset.",
            "Click a row to see its images.",
        ),
        legend=(f"A · {a.name}", f"B · {b.name}"),
        few=FEW,
        key=f"subset_{key}",
        selected=selections.index(view.selection) if view.selection in selections else None,
    )
    if clicked is not None and (chosen := selections[clicked]) not in (None, link.selection()):
        link.show(chosen)
        st.rerun()


def _row(name: str, rest: Rest) -> Row:
    a, b = rest.accuracies
    images = f"{units.count(rest.total)} image{'s'[: rest.total != 1]}"
    return Row((name, images), a, b, units.percent(a, digits=1), units.percent(b, digits=1))


def _finding(scored: Sequence[Scored]) -> str:
    """Of the subset on which the two differ most, of those that no answer chose."""
    by_images = ((each.name, each.rest) for each in scored if not each.by_answers)
    of_images = [(name, rest) for name, rest in by_images if rest and name != ALL]
    if not of_images:
        return "How both networks do on all images"
    name, rest = max(of_images, key=lambda each: abs(each[1].difference))
    if not rest.difference:
        return "Both networks do equally well on every subset"
    a, b = (units.percent(accuracy, digits=1) for accuracy in rest.accuracies)
    return f"They differ most on “{name}”: {a} against {b}"


def _table(view: View, scored: Sequence[Scored]) -> None:
    """The same in figures, with intervals."""
    heads = "".join(
        f'<th scope="col" title="{html.escape(side.name)}"><i style="background:'
        f'{view.color(side)}"></i>{letter}</th>'
        for letter, side in zip(LETTERS, view.sides, strict=True)
    )
    total = view.comparison.total
    rows = "".join(_html_row(each, total) for each in scored)
    st.html(
        f'{_STYLE}<div class="tl-subsets"><table aria-label="Both networks on each subset">'
        f'<thead><tr><th scope="col">Subset</th><th scope="col">Images</th>{heads}'
        f'<th scope="col">A minus B</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )
    caption = (
        "Below each figure its 95 % interval: Wilson for accuracies, the paired bootstrap for "
        "differences. In bold: better by more than chance explains (McNemar), each subset taken "
        "alone; of twenty, one may look so by chance."
    )
    if any(each.by_answers for each in scored):
        caption += (
            " Where the answers chose the images, the accuracies follow from the choice, and "
            "chance has no part in them: they have no intervals."
        )
    st.caption(caption)


def _html_row(scored: Scored, total: int) -> str:
    name = html.escape(scored.name)
    if scored.by_answers:
        name += "<small>chosen by the answers</small>"
    if (rest := scored.rest) is None:
        why = "no image" if scored.selection else "asks for what these images do not have"
        return f'<tr><th scope="row">{name}</th><td>{why}</td><td></td><td></td><td></td></tr>'
    images = f"{units.count(rest.total)}<small>{units.percent(rest.total / total, 1)}</small>"
    better = None if scored.by_answers else rest.better
    intervals = (None, None) if scored.by_answers else rest.intervals
    cells = "".join(
        _cell(units.percent(accuracy), interval, better=side == better, points=False)
        for side, (accuracy, interval) in enumerate(zip(rest.accuracies, intervals, strict=True))
    )
    difference = None if scored.by_answers else _difference_interval(*rest.only, rest.total)
    cells += _cell(units.points(rest.difference), difference, better=False, points=True)
    return f'<tr><th scope="row">{name}</th><td>{images}</td>{cells}</tr>'


def _cell(figure: str, interval: Interval | None, *, better: bool, points: bool) -> str:
    written = units.points if points else units.percent
    below = "" if interval is None else units.interval(interval, written).removeprefix("95 %: ")
    return f'<td class="{"better" if better else ""}">{figure}<small>{below}</small></td>'


@st.cache_data(max_entries=1000, show_spinner=False)
def _difference_interval(only_a: int, only_b: int, total: int) -> Interval:
    return paired_difference_interval(only_a, only_b, total)


def _manage(saved: Sequence[Subset]) -> None:
    """Rename or delete a subset."""
    by_name = {subset.name: subset for subset in saved}
    with st.popover("Rename or delete", icon=icons.EDIT):
        chosen = by_name[st.selectbox("Subset", list(by_name), key=_CHANGED)]
        key = f"subset_new_name_{chosen.name}"
        st.text_input("Name", chosen.name, key=key, max_chars=LONGEST_NAME)
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Rename", icon=icons.SAVE, key="rename_subset", on_click=_rename, args=(chosen, key)
            )
            st.button(
                "Delete",
                icon=icons.DELETE,
                key="delete_subset",
                on_click=_delete,
                args=(chosen,),
            )
        subsets.told(_HERE)


def _rename(subset: Subset, key: str) -> None:
    name = st.session_state[key]
    if subsets.attempt(lambda: rename_subset(lab.workspace(), subset, name), _HERE):
        st.session_state[_CHANGED] = " ".join(name.split())


def _delete(subset: Subset) -> None:
    subsets.attempt(lambda: delete_subset(lab.workspace(), subset), _HERE)
