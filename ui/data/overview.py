"""What a dataset holds: how many images of each class in each part, how large, from where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.balance import Balance, balance
from core.data.catalogue import DATASETS
from core.imported.dataset import ImportedDataset, Part
from ui import lab, units
from ui.data import counts, parts
from ui.data.counts import Counts
from ui.data.shown import PART_NAMES, Shown
from ui.names import shortened
from ui.plots.charts import Chart, Scale, Series, line_chart
from ui.plots.facts import facts_table
from ui.plots.figures import Figure, figures

MOST_BARS = 40
"""Classes that have a bar and a name each; more are drawn as lines, the largest class first."""
MOST_NAMED = 5
STEEP = 20.0
"""From here on, times as many images in the largest class as in the smallest, a scale in tenfolds
tells more."""
HEIGHT = 340
COUNTS, SHARES = "Images", "Share of the part"
FORMATS = {COUNTS: ",~r", SHARES: ".2~%"}
HINT = "How many images of each class there are. Networks prefer classes they see often."


def show(shown: Shown) -> None:
    """How many images, how even, how large, and where they came from."""
    figures(
        Figure("Images", units.count(sum(shown.images.values()))),
        *(Figure(PART_NAMES[part], units.count(shown.images[part])) for part in shown.parts),
        Figure("Classes", units.count(len(shown.class_names))),
    )
    counted = counts.by_class(shown)
    if counted:
        if len(shown.class_names) > 1:
            _chart(shown, counted)
        tell_balance(shown, counted)
    else:
        st.info(
            "None of these images has a label, so no network can learn from them alone. To have "
            "one predict them, bring their files to Predict.",
            icon=":material/label_off:",
        )
    facts_table(_facts(shown))


def _chart(shown: Shown, counted: Counts) -> None:
    kind = COUNTS
    if len(counted) > 1:
        kind = st.segmented_control(
            "Show",
            [COUNTS, SHARES],
            default=COUNTS,
            required=True,
            key="data_balance",
            label_visibility="collapsed",
            help="Parts of different sizes can be compared by shares.",
        )
    draw = _lines if len(shown.class_names) > MOST_BARS else _bars
    draw(shown, counted, kind)


def _bars(shown: Shown, counted: Counts, kind: str) -> None:
    """A bar with its name for each class and part."""
    classes, heights = np.arange(len(shown.class_names)), _heights(counted, kind)
    line_chart(
        Chart(
            [
                Series(
                    PART_NAMES[part],
                    classes,
                    height,
                    parts.COLORS[part],
                    mode="bars",
                    hover=_hover(shown, part, counted[part], kind),
                )
                for part, height in heights.items()
            ],
            title=_spread(shown, counted),
            hint=HINT,
            x=Scale(
                "class",
                span=(-0.5, len(classes) - 0.5),
                ticks=[(place, shortened(name)) for place, name in enumerate(shown.class_names)],
            ),
            y=Scale(kind, FORMATS[kind], (0.0, 1.05 * _highest(heights))),
            hover="closest",
            height=HEIGHT,
        ),
        key="data_classes",
        view=f"{shown.name} {kind}",
    )


def _lines(shown: Shown, counted: Counts, kind: str) -> None:
    """A line for each part through the classes, the largest first, with gaps where one is empty."""
    heights = _heights(counted, kind)
    order = np.lexsort([-height for height in list(heights.values())[::-1]])
    lowest = min(float(height[height > 0].min()) for height in heights.values())
    steep = _highest(heights) > STEEP * lowest
    series = []
    for part, height in heights.items():
        hover = _hover(shown, part, counted[part], kind)
        gapped = np.where(height > 0, height, np.nan)
        series.append(
            Series(
                PART_NAMES[part],
                1 + np.arange(len(order)),
                gapped[order],
                parts.COLORS[part],
                hover=[hover[label] for label in order],
            )
        )
    line_chart(
        Chart(
            series,
            title=_spread(shown, counted),
            hint=f"{HINT}{' Each line of the grid is ten times the one below.' if steep else ''}",
            x=Scale("classes, the largest first", span=(0.5, len(order) + 0.5)),
            y=Scale(
                kind,
                FORMATS[kind],
                (0.7 * lowest if steep else 0.0, 1.05 * _highest(heights)),
                log=steep,
            ),
            hover="closest",
            height=HEIGHT,
        ),
        key="data_classes_ranked",
        view=f"{shown.name} {kind}",
    )


def _spread(shown: Shown, counted: Counts) -> str:
    """How far apart the sizes of the classes lie, in the first part."""
    part, counts = next(iter(counted.items()))
    found = balance(counts)
    low, high = int(counts[found.smallest]), int(counts[found.largest])
    of_part = f"{PART_NAMES[part].lower()} images"
    if found.missing:
        without = len(found.missing)
        return f"{units.count(without)} of {units.count(len(counts))} classes have no {of_part}"
    if low == high:
        return f"Every class has {units.count(low)} {of_part}"
    if found.uneven:
        names = (
            shortened(shown.class_names[label], 40) for label in (found.largest, found.smallest)
        )
        largest, smallest = names
        return f"{largest} has {_times(found.ratio)} times as many {of_part} as {smallest}"
    return f"Every class has {units.count(low)} to {units.count(high)} {of_part}"


def _hover(shown: Shown, part: Part, counts: NDArray[np.int64], kind: str) -> list[str]:
    """What each class is called, and whichever of its count and its share the bar does not show."""
    total, name = int(counts.sum()), PART_NAMES[part].lower()
    names = [shortened(class_name, 60) for class_name in shown.class_names]
    if kind == SHARES:
        return [
            f"{called} · {units.count(count)} of {units.count(total)} {name} images"
            for called, count in zip(names, counts.tolist(), strict=True)
        ]
    return [
        f"{called} · {units.percent(count / total)} of the {name} images"
        for called, count in zip(names, counts.tolist(), strict=True)
    ]


def _heights(counted: Counts, kind: str) -> dict[Part, NDArray[Any]]:
    return {
        part: counts / counts.sum() if kind == SHARES else counts
        for part, counts in counted.items()
    }


def _highest(heights: Mapping[Part, NDArray[Any]]) -> float:
    return max(float(height.max()) for height in heights.values())


def tell_balance(shown: Shown, counted: Counts) -> None:
    """How even the parts are, and which classes they lack."""
    if len(shown.class_names) == 1:
        return
    found = {part: balance(count) for part, count in counted.items()}
    even = [part for part, one in found.items() if not one.uneven and not one.missing]
    if even:
        st.caption(f"{' · '.join(_evenness(part, counted[part]) for part in even)}")
    told = [_unevenness(shown, part, counted[part], one) for part, one in found.items()]
    if any(told):
        st.warning("  \n".join(filter(None, told)), icon=":material/balance:")
    if any(one.uneven for one in found.values()):
        st.caption(
            "With such imbalance, a network comes to prefer classes that it sees often: look at "
            "the recall of each class on Compare, not only at the accuracy."
        )


def _evenness(part: Part, counts: NDArray[np.int64]) -> str:
    low, high = units.count(int(counts.min())), units.count(int(counts.max()))
    number = low if low == high else f"{low} to {high}"
    return f"{PART_NAMES[part]}: even, with {number} images of each class"


def _unevenness(shown: Shown, part: Part, counts: NDArray[np.int64], found: Balance) -> str:
    """What is uneven about a part, empty where nothing is."""
    said = []
    if found.uneven:
        said.append(
            f"**{_name(shown, found.largest)}** has {_times(found.ratio)} times as many images as "
            f"**{_name(shown, found.smallest)}** ({units.count(int(counts[found.largest]))} "
            f"against {units.count(int(counts[found.smallest]))})"
        )
    if found.missing:
        named = ", ".join(f"**{_name(shown, label)}**" for label in found.missing[:MOST_NAMED])
        more = len(found.missing) - MOST_NAMED
        said.append(f"no image of {named}{f' and {units.count(more)} more' if more > 0 else ''}")
    return f"{PART_NAMES[part]}: {'; '.join(said)}." if said else ""


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"


def _name(shown: Shown, label: int) -> str:
    return lab.plain(shortened(shown.class_names[label], 60))


def _facts(shown: Shown) -> dict[str, str]:
    """What else is known, by what each is called."""
    facts = {"Size": _size(shown), "Colours": _colors(shown)}
    if shown.imported is None:
        return facts | {"Source": DATASETS[shown.name].source}
    about = shown.imported.about
    return facts | {
        "Source": f"{about.kind}, {about.source}",
        "Imported": f"{about.created:%Y-%m-%d %H:%M}",
        "Kept as": "pixels" if about.alike else "files as they were, with thumbnails",
        "On disk": units.size(_bytes(shown.imported)),
        "Fingerprint": about.fingerprint[:12],
    }


def _size(shown: Shown) -> str:
    sizes = np.concatenate([shown.sizes(part) for part in shown.parts])
    low, usual, high = sizes.min(axis=0), np.median(sizes, axis=0), sizes.max(axis=0)
    if (low[:2] == high[:2]).all():
        return f"{low[1]} × {low[0]} pixels, all alike"
    spans = (
        f"{low[axis]:,} to {high[axis]:,} pixels {way}, usually {usual[axis]:,.0f}"
        for axis, way in ((1, "wide"), (0, "high"))
    )
    return "; ".join(spans)


def _colors(shown: Shown) -> str:
    channels = np.concatenate([shown.sizes(part)[:, 2] for part in shown.parts])
    grey = int(np.sum(channels == 1))
    if grey in (0, len(channels)):
        return "all grey, 1 channel" if grey else "all in colour, 3 channels"
    return f"{units.count(len(channels) - grey)} in colour, {units.count(grey)} grey"


def _bytes(dataset: ImportedDataset) -> int:
    return sum(file.stat().st_size for file in dataset.folder.iterdir())
