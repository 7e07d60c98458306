"""One image through the epochs of both networks: when each got it right, and how surely."""

from __future__ import annotations

import streamlit as st

from core.analysis.journey import Journey
from ui import theme, units
from ui.compare import journeys, link, scrubber
from ui.compare.view import LETTERS, View
from ui.plots.charts import Chart, Mark, Scale, Series, line_chart
from ui.plots.headings import Heading
from ui.plots.strip import Cell, strip

HEIGHT = 210


def show(view: View, position: int) -> None:
    """A strip of the epochs of each network, and the probability of the true class over them."""
    found = [journeys.of(side.run) for side in view.sides]
    for letter, side, journey in zip(LETTERS, view.sides, found, strict=True):
        st.html(theme.swatch(view.color(side), f"{letter} · {side.run.name}"))
        clicked = strip(
            _cells(journey, position, view.class_names),
            chosen=side.epoch,
            heading=Heading(
                f"{letter}: {in_words(journey, position)}",
                "What it took the image for after each epoch, and how surely.",
            ),
            key=f"strip_{letter.lower()}",
        )
        if clicked is not None and clicked != side.epoch:
            scrubber.move_one(side.run, letter.lower(), clicked)
            link.look_at(int(view.indices[position]))
            st.rerun()
    if any(len(journey.epochs) > 1 for journey in found):
        _of_truth(view, position, found)


def _cells(journey: Journey, position: int, names: tuple[str, ...]) -> list[Cell]:
    return [
        Cell(epoch, names[said], units.percent(float(sure), digits=0), bool(right))
        for epoch, said, sure, right in zip(
            journey.epochs,
            journey.said[:, position],
            journey.confidence[:, position],
            journey.right[:, position],
            strict=True,
        )
    ]


def _of_truth(view: View, position: int, found: list[Journey]) -> None:
    """How probable each network held the true class after each epoch."""
    a, b = view.sides
    once = a.run.id == b.run.id
    drawn = list(zip(LETTERS, view.sides, found, strict=True))[: 1 if once else 2]
    shown = {side.epoch: letter for letter, side, _ in drawn}
    ends = ", ".join(
        f"{letter} {units.percent(float(journey.of_truth[-1, position]), digits=1)}"
        for letter, _, journey in drawn
    )
    line_chart(
        Chart(
            [
                Series(
                    f"{letter} · {side.run.name}",
                    journey.epochs,
                    journey.of_truth[:, position],
                    view.color(side),
                    mode="lines+markers",
                )
                for letter, side, journey in drawn
            ],
            title=f"Probability of the true class in the end: {ends}",
            hint="How surely each network held the image for what it is, after each epoch.",
            x=Scale("epoch"),
            y=Scale("probability", ".1~%", (-0.03, 1.03)),
            height=HEIGHT,
            marks=[Mark(epoch, label=letter) for epoch, letter in shown.items()],
        ),
        key="truth_by_epoch",
    )


def in_words(journey: Journey, position: int) -> str:
    """When a network got an image right."""
    right = journey.right[:, position]
    epochs, times = len(right), int(right.sum())
    if epochs == 1:
        return f"{'Right' if times else 'Wrong'} after the one epoch that was kept."
    if times in (0, epochs):
        return f"{'Right' if times else 'Wrong'} after each of {epochs} epochs."
    changes = int(journey.changes[position])
    told = f"Right after {times} of {epochs} epochs"
    if changes > 1:
        return f"{told}; went from right to wrong or back {changes} times."
    turned = journey.epochs[int((right != right[0]).argmax())]
    return f"{told}: {'learned' if right[-1] else 'forgotten'} with epoch {turned}."
