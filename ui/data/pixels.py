"""What the pixels of a dataset are like: how bright, how varied, and each class on average."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.pixel_statistics import Images, PixelStatistics, in_batches, measure, sampled
from core.imported.dataset import Part
from core.jobs import Tell
from ui import lab, theme, units
from ui.data import link, parts
from ui.data.shown import PART_NAMES, Shown
from ui.frame import waiting
from ui.pictures.gallery import Part as Line
from ui.pictures.gallery import gallery
from ui.plots.charts import Chart, Scale, Series, line_chart

SAMPLED_BYTES = 2**26
"""Pixels of all channels that are looked at in each part at most."""
SAMPLED_THUMBNAILS = 2_000
AT_ONCE_BYTES = 2**23
MEAN_SIDE, SMALL_MEAN_SIDE = 64, 32
"""Longer side of a mean image, and where there are many classes."""
FEW_CLASSES = 100
HEIGHT = 560
PEAKED = 0.3
"""Share of the pixels with one value from which on the others show only on a scale in tenfolds."""
CHANNELS = {
    1: {"Brightness": theme.WATCHED_COLOR},
    3: {"Red": theme.RUN_COLORS[4], "Green": theme.RUN_COLORS[3], "Blue": theme.RUN_COLORS[0]},
}
"""By how many there are, what channels are called, and their colours."""
PURPOSE = (
    "What they are for: networks learn best from small numbers, so pixels are divided by 255, or "
    "the mean is taken from them and the rest divided by the deviation (“Pixel scaling” on Train). "
    "Parts whose numbers lie far apart were not made alike."
)


def show(shown: Shown) -> None:
    """Mean and deviation of all parts, then the histogram and the mean images of one."""
    measured = _measured(shown)
    if measured is None:
        return
    _table(measured)
    st.caption(_looked_at(shown, measured))
    st.caption(PURPOSE)
    if len(shown.parts) > 1:
        parts.ask(shown)
    part = parts.chosen(shown)
    _histogram(shown, part, measured[part])
    _class_means(shown, part, measured[part])


def _measured(shown: Shown) -> dict[Part, PixelStatistics] | None:
    """Of each part; None, with a word why, while they are not measured."""
    labels = {part: shown.labels(part) for part in shown.parts}  # has them read here, not there

    def compute(tell: Tell) -> dict[Part, PixelStatistics]:
        measured = {}
        for number, part in enumerate(shown.parts):
            told = partial(_of_part, tell, number / len(labels), len(labels))
            measured[part] = _measure(shown, part, labels[part], told)
        return measured

    key = "pixels", shown.identity
    return waiting.wait_for(
        f"Measuring the pixels of {lab.plain(shown.name)}", key, compute, most=8
    )


def _of_part(tell: Tell, before: float, parts: int, share: float) -> None:
    tell(before + share / parts)


def _measure(
    shown: Shown, part: Part, labels: NDArray[np.int64], progress: Callable[[float], None]
) -> PixelStatistics:
    each, shape = math.prod(shown.shape), shown.shape
    most = SAMPLED_THUMBNAILS if shown.thumbnails else SAMPLED_BYTES // each
    chosen, classes = sampled(len(labels), most), len(shown.class_names)

    def batches() -> Iterator[tuple[Images, NDArray[np.int64]]]:
        done = 0
        for indices in in_batches(chosen, max(1, AT_ONCE_BYTES // each)):
            progress(done / len(chosen))
            yield shown.to_measure(part, indices), labels[indices]
            done += len(indices)

    side = MEAN_SIDE if classes <= FEW_CLASSES else SMALL_MEAN_SIDE
    return measure(batches(), classes=classes, shape=_mean_shape(shape, side))


def _mean_shape(shape: tuple[int, ...], side: int) -> tuple[int, ...]:
    height, width, *channels = shape
    scale = min(1.0, side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale)), *channels


def _looked_at(shown: Shown, measured: Mapping[Part, PixelStatistics]) -> str:
    """How many images the numbers are of."""
    what = "the thumbnails of " if shown.thumbnails else ""
    some = {part: m.images for part, m in measured.items() if m.images < shown.images[part]}
    if not some:
        return f"Measured on {what}all images."
    told = (
        f"{units.count(images)} of {units.count(shown.images[part])} in {PART_NAMES[part].lower()}"
        for part, images in some.items()
    )
    return f"Measured on {what}images chosen at random: {', '.join(told)}."


def _table(measured: Mapping[Part, PixelStatistics]) -> None:
    rows = [
        {
            "Part": PART_NAMES[part],
            "Channel": channel,
            "Mean, 0 to 1": f"{mean / 255:.4f}",
            "Deviation, 0 to 1": f"{deviation / 255:.4f}",
            "Mean, 0 to 255": f"{mean:.1f}",
            "Deviation, 0 to 255": f"{deviation:.1f}",
        }
        for part, one in measured.items()
        for channel, mean, deviation in zip(
            CHANNELS[len(one.histogram)], one.mean, one.deviation, strict=True
        )
    ]
    with st.container(key="data_pixel_table"):
        st.dataframe(rows, hide_index=True, height="content")


def _histogram(shown: Shown, part: Part, measured: PixelStatistics) -> None:
    shares = measured.histogram / measured.histogram.sum(axis=1, keepdims=True)
    peaked = shares.max() > PEAKED
    names = CHANNELS[len(shares)]
    line_chart(
        Chart(
            [
                Series(name, np.arange(len(share)), np.where(share > 0, share, np.nan), color)
                for (name, color), share in zip(names.items(), shares, strict=True)
            ],
            title=_brightness(shares.mean(axis=0)),
            hint="How many pixels have each value, from 0 for black to 255 for white."
            f"{' Each line of the grid is ten times the one below.' if peaked else ''}",
            x=Scale("value of a pixel", span=(0.0, 255.0)),
            y=Scale("share of the pixels", ".2~%", log=bool(peaked)),
            height=260,
            legend=len(names) > 1,
        ),
        key="data_histogram",
        view=f"{shown.name} {part}",
    )


def _brightness(shares: NDArray[np.float64]) -> str:
    """Which value many pixels have, or which splits them into halves; shares of 256 values."""
    usual = int(shares.argmax())
    if shares[usual] > PEAKED:
        called = {0: "black", 255: "white"}.get(usual, f"of the value {usual}")
        return f"{units.percent(float(shares[usual]), digits=0)} of the pixels are {called}"
    middle = int(np.searchsorted(np.cumsum(shares), 0.5))
    return f"Half of the pixels are darker than {middle} of 255"


def _class_means(shown: Shown, part: Part, measured: PixelStatistics) -> None:
    present = np.flatnonzero(measured.class_images)
    if not len(present):
        return
    st.subheader("Mean image of each class", anchor=False)
    st.caption(
        "What images of a class have in common is sharp, the rest blurs. A click shows them."
    )
    captions = [
        (
            Line(shown.class_names[label]),
            Line(f"of {units.count(int(measured.class_images[label]))}", "muted"),
        )
        for label in present.tolist()
    ]
    with st.container(height=HEIGHT if len(present) > FEW_CLASSES else "content", border=False):
        clicked = gallery(
            measured.class_means[present],
            captions,
            key="data_class_means",
            label=f"Mean images of the classes, {PART_NAMES[part].lower()}",
        )
    if clicked is not None:
        link.keep({"view": "pictures", "class": int(present[clicked]), "image": ""})
        st.rerun()
