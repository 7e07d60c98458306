"""Curves and matrices as pictures that stand in a page by themselves, without any script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

WIDTH, HEIGHT = 460, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 34
"""Margins of a chart, where its figures stand."""
CELL = 26
LONGEST_LABEL = 14
"""Letters of a class's name beside a matrix."""
MOST_FIGURES = 20
"""Classes up to which the cells of a matrix hold their figures."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of a chart. style: a class that the page's style sheet knows."""

    name: str
    color: str
    x: ArrayLike
    y: ArrayLike
    style: str = ""


def chart(curves: Sequence[Curve], *, title: str, x_title: str, per_cent: bool = False) -> Markup:
    """Lines over each other, with axes; empty where none has a point."""
    drawn = [(curve, points) for curve in curves if len(points := _finite(curve.x, curve.y))]
    if not drawn:
        return Markup("")
    together = np.concatenate([points for _, points in drawn])
    x_ticks = _whole(_ticks(together[:, 0].min(), together[:, 0].max()))
    y_ticks = _ticks(together[:, 1].min(), together[:, 1].max())
    scale = _Scale(
        (min(x_ticks[0], together[:, 0].min()), max(x_ticks[-1], together[:, 0].max())),
        (min(y_ticks[0], together[:, 1].min()), max(y_ticks[-1], together[:, 1].max())),
    )
    parts = [
        Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}" class="chart">').format(
            WIDTH, HEIGHT, f"{title}: {', '.join(curve.name for curve, _ in drawn)}"
        ),
        *(_y_tick(scale, tick, per_cent) for tick in y_ticks),
        *(_x_tick(scale, tick) for tick in x_ticks),
        Markup('<text x="{}" y="{}" class="axis" text-anchor="middle">{}</text>').format(
            (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, x_title
        ),
        *(_line(scale, curve, points) for curve, points in drawn),
        Markup("</svg>"),
    ]
    return Markup("").join(parts)


def matrix(
    values: NDArray[np.int64],
    names: Sequence[str],
    *,
    title: str,
    colors: tuple[str, str],
    diverging: bool = False,
) -> Markup:
    """Counts, (classes, classes), true classes down and what they were taken for across.

    colors: of the diagonal and of the rest; of a diverging matrix those of positive and of negative
    counts. A cell is the stronger coloured the larger it is, beside the largest mistake.
    """
    count = len(names)
    letters = max((min(len(name), LONGEST_LABEL) for name in names), default=1)
    margin = 14 + round(6.2 * letters)
    side = count * CELL
    width, height = margin + side + 2, margin + side + 2
    opacities = _opacities(values, diverging)
    parts = [
        Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}" class="matrix" '
               'style="max-width:{}px">').format(width, height, title, round(1.5 * width))
    ]  # fmt: skip
    for place, name in enumerate(names):
        parts.append(_labels(name, margin, margin + (place + 0.5) * CELL))
    for row in range(count):
        for column in range(count):
            first = values[row, column] > 0 if diverging else row == column
            parts.append(
                _cell(
                    int(values[row, column]),
                    (margin + column * CELL, margin + row * CELL),
                    color=colors[0] if first else colors[1],
                    opacity=float(opacities[row, column]),
                    text=f"{names[row]} taken for {names[column]}",
                    signed=diverging,
                    figures=count <= MOST_FIGURES,
                )
            )
    return Markup("").join([*parts, Markup("</svg>")])


@dataclass(frozen=True)
class _Scale:
    """Where values of both axes stand in a chart."""

    x_span: tuple[float, float]
    y_span: tuple[float, float]

    def x(self, values: ArrayLike) -> NDArray[np.float64]:
        low, high = self.x_span
        share = (np.asarray(values, np.float64) - low) / ((high - low) or 1.0)
        return np.round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, values: ArrayLike) -> NDArray[np.float64]:
        low, high = self.y_span
        share = (np.asarray(values, np.float64) - low) / ((high - low) or 1.0)
        return np.round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _finite(x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    points = np.column_stack([np.asarray(x, np.float64), np.asarray(y, np.float64)])
    return points[np.isfinite(points).all(axis=1)]


def _ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from just below `low` to just above `high`, at most about so many.

    >>> _ticks(0.03, 2.3)
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    """
    spread = high - low or abs(high) or 1.0
    power = 10 ** math.floor(math.log10(spread / most))
    step = next(times * power for times in (1, 2, 5, 10, 20) if spread / (times * power) <= most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _whole(ticks: list[float]) -> list[float]:
    """The ticks that are whole numbers, where there are at least two."""
    whole = [tick for tick in ticks if tick == round(tick)]
    return whole if len(whole) > 1 else ticks


def _y_tick(scale: _Scale, value: float, per_cent: bool) -> Markup:
    text = f"{100 * value:.4g} %" if per_cent else f"{value:.4g}"
    y = float(scale.y(value))
    return Markup(
        '<line x1="{}" x2="{}" y1="{}" y2="{}" class="grid"/>'
        '<text x="{}" y="{}" class="tick" text-anchor="end">{}</text>'
    ).format(LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 3.5, text)


def _x_tick(scale: _Scale, value: float) -> Markup:
    return Markup('<text x="{}" y="{}" class="tick" text-anchor="middle">{}</text>').format(
        float(scale.x(value)), HEIGHT - BOTTOM + 14, f"{value:.4g}"
    )


def _line(scale: _Scale, curve: Curve, points: NDArray[np.float64]) -> Markup:
    places = np.column_stack([scale.x(points[:, 0]), scale.y(points[:, 1])])
    if len(places) == 1:
        x, y = places[0].tolist()
        return Markup(
            '<circle cx="{}" cy="{}" r="3.5" fill="{}"><title>{}</title></circle>'
        ).format(x, y, curve.color, curve.name)
    path = " ".join(f"{x:g},{y:g}" for x, y in places.tolist())
    return Markup(
        '<polyline points="{}" stroke="{}" class="{}"><title>{}</title></polyline>'
    ).format(path, curve.color, f"curve {curve.style}".strip(), curve.name)


def _opacities(values: NDArray[np.int64], diverging: bool) -> NDArray[np.float64]:
    """How strongly each cell is coloured, 0 to 1: by the root, so that small counts show too."""
    sizes = np.abs(values).astype(np.float64)
    diagonal = np.eye(len(values), dtype=bool)
    largest = sizes.max() if diverging else sizes[~diagonal].max(initial=0)
    shares: NDArray[np.float64] = np.sqrt(np.minimum(sizes / max(largest, 1.0), 1.0))
    if not diverging:
        in_row = np.maximum(sizes.sum(axis=1, keepdims=True), 1)
        shares = np.where(diagonal, 0.6 * sizes / in_row, shares)
    return np.round(0.85 * shares, 3)


def _labels(name: str, margin: int, place: float) -> Markup:
    """A class's name at its row and, turned, at its column."""
    short = name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 1] + "…"
    turned = len(short) > 2
    above = (
        Markup('<text transform="translate({},{}) rotate(-90)" class="tick">{}</text>').format(
            place + 4, margin - 6, short
        )
        if turned
        else Markup('<text x="{}" y="{}" class="tick" text-anchor="middle">{}</text>').format(
            place, margin - 6, short
        )
    )
    return above + Markup(
        '<text x="{}" y="{}" class="tick" text-anchor="end">{}<title>{}</title></text>'
    ).format(margin - 6, place + 4, short, name)


def _cell(
    value: int,
    corner: tuple[int, int],
    *,
    color: str,
    opacity: float,
    text: str,
    signed: bool,
    figures: bool,
) -> Markup:
    x, y = corner
    figure = (f"{value:+,}" if signed else f"{value:,}").replace("-", "−")
    written = (
        Markup('<text x="{}" y="{}" class="figure" text-anchor="middle">{}</text>').format(
            x + CELL / 2, y + CELL / 2 + 3.5, figure
        )
        if figures and value
        else Markup("")
    )
    return Markup(
        '<g><rect x="{}" y="{}" width="{}" height="{}" fill="{}" fill-opacity="{}" class="cell"/>'
        "<title>{}</title>{}</g>"
    ).format(x, y, CELL, CELL, color, opacity, f"{text}: {figure}", written)
