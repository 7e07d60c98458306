"""What measurements of the pages are told as."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from benchmarks.record import Goal, Row, Samples, p95


def median_row(what: str, unit: str, goal: Goal | None, key: str) -> Callable[[Samples], list[Row]]:
    """The median of one value of each sample."""

    def rows(samples: Samples) -> list[Row]:
        values = [sample[key] for sample in samples["ours"]]
        return [Row(what, unit, statistics.median(values) if values else None, goal=goal)]

    return rows


def rerun_rows(title: str, goal: float) -> Callable[[Samples], list[Row]]:
    """The slowest page stands for all; the note has the others."""

    def rows(samples: Samples) -> list[Row]:
        taken: dict[str, list[float]] = {}
        for sample in samples["ours"]:
            for page, timed in sample["pages"].items():
                taken.setdefault(page, []).append(p95(timed["seconds"]))
        each = {page: statistics.median(values) for page, values in taken.items()}
        slowest = max(each, key=each.__getitem__, default="")
        listed = ", ".join(f"{page} {1000 * value:.0f} ms" for page, value in each.items())
        return [
            Row(
                f"Rerun on the server, p95, {title}, slowest page ({slowest or 'none'})",
                "ms",
                each.get(slowest),
                goal=Goal("at most", goal),
                note="on a real server, over its WebSocket, from asking to the script's end: "
                + (listed or "none"),
            )
        ]

    return rows


def live_tick_rows(points: int) -> Callable[[Samples], list[Row]]:
    """How long the server takes to draw the live charts anew."""

    def rows(samples: Samples) -> list[Row]:
        taken = [p95(sample["seconds"]) for sample in samples["ours"]]
        return [
            Row(
                f"Tick of the live charts on the server, p95, {points:,} points",
                "ms",
                statistics.median(taken) if taken else None,
                goal=Goal("at most", 0.050),
                note="on a real server, over its WebSocket, with one second's news in the metrics",
            )
        ]

    return rows


def stroke_rows(samples: Samples) -> list[Row]:
    """How long all networks take to answer a stroke."""
    seconds = [value for sample in samples["ours"] for value in sample["seconds"]]
    return [
        Row(
            "End of a stroke to all probabilities in Chromium, median, 2 networks",
            "ms",
            statistics.median(seconds) if seconds else None,
            goal=Goal("at most", 0.300),
            note="the canvas waits 200 ms by itself before it sends a stroke",
        )
    ]


def predict_rows(samples: Samples) -> list[Row]:
    """How long each network takes to answer one drawing, without a browser."""

    def slowest(network: str) -> float | None:
        seconds = [p95(sample["seconds"][network]) for sample in samples["ours"]]
        return statistics.median(seconds) if seconds else None

    goals = {"cnn": 0.030, "vgg16": 0.060}
    return [
        Row(
            f"Prediction of one drawing on the server, p95, {network.upper()}",
            "ms",
            slowest(network),
            goal=Goal("at most", goal),
            note="from the drawing's pixels to probabilities, the way to the predictor and back "
            "included",
        )
        for network, goal in goals.items()
    ]
