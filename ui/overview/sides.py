"""The two networks of the question side by side: what each reached and what it cost."""

from __future__ import annotations

import html

from core.analysis.comparison import Side
from core.analysis.story import Story, accuracy
from core.network.architectures import ARCHITECTURES
from core.registry.runs import Run
from ui import units
from ui.overview.linked import dot, link_to
from ui.runs import run_view

BUILT, CARRIED = "Built for the task", "Carried over"


def sides(story: Story, compared: tuple[Side, Side] | None = None) -> str:
    """Both networks side by side: what each reached and what it cost."""
    intervals = [side.interval for side in compared or ()]
    scale = _scale(intervals) if intervals else None
    runs = ((BUILT, story.built), (CARRIED, story.carried))
    shown = [
        _side(title, run, interval, scale)
        for (title, run), interval in zip(runs, intervals or (None, None), strict=True)
    ]
    return f'<div class="sides">{"".join(shown)}</div>'


def _side(
    title: str,
    run: Run | None,
    interval: tuple[float, float] | None,
    scale: tuple[float, float] | None,
) -> str:
    if run is None:
        return (
            f'<div class="side none"><p class="eyebrow">{title}</p>'
            '<p class="share quiet">–</p><p class="quiet">Not trained yet</p></div>'
        )
    drawn = _axis(accuracy(run), interval, scale) if interval and scale else ""
    content = (
        f'<p class="eyebrow">{title}</p><p class="who">{named(run)}</p>'
        f'<p class="share">{units.percent(accuracy(run))}</p>{drawn}'
        f'<p class="quiet">{html.escape(_cost(run))}</p>'
    )
    told = f"{title}: {run.name}, {units.percent(accuracy(run))} of the test images right"
    looks = f'class="side" style="--of:{run_view.color_of(run)}"'
    return link_to("Runs", {"run": run.id}, content, about=told, looks=looks)


def named(run: Run) -> str:
    """A run's name beside its colour, and whether it is a sample."""
    sample = f' <span class="sample">{run_view.SAMPLE}</span>' if run.is_sample else ""
    return f'{dot(run_view.color_of(run))}<span class="name">{html.escape(run.name)}</span>{sample}'


def _cost(run: Run) -> str:
    """What training it took, and of what."""
    parameters = run.config.parameters
    network = ARCHITECTURES[run.config.network.architecture].label
    trained = units.count(parameters.trainable)
    if parameters.trainable < parameters.total:
        trained += f" of {units.count(parameters.total)}"
    return f"{network} · {units.duration(run.state.seconds)} · {trained} parameters trained"


def _scale(intervals: list[tuple[float, float]]) -> tuple[float, float]:
    """From where to where both accuracies are drawn: whole per cent, with some room around.

    >>> _scale([(0.989, 0.993), (0.958, 0.965)])
    (0.95, 1.0)
    """
    low, high = min(low for low, _ in intervals), max(high for _, high in intervals)
    return max(0.0, int(100 * low) / 100), min(1.0, -(-100 * high // 1) / 100)


def _axis(share: float, interval: tuple[float, float], scale: tuple[float, float]) -> str:
    """Where an accuracy and its interval lie on a scale that both networks have."""
    low, high = scale
    start, at, end = (100 * (x - low) / (high - low) for x in (interval[0], share, interval[1]))
    told = html.escape(units.interval(interval, units.percent))
    return (
        f'<div class="axis" role="img" title="{told}" aria-label="{told}">'
        f'<i style="left:{start:.2f}%;width:{end - start:.2f}%"></i><b style="left:{at:.2f}%"></b>'
        f"<span>{100 * low:.0f} %</span><span>{100 * high:.0f} %</span></div>"
    )
