"""The two networks of the question side by side: what each reached and what it cost."""

from __future__ import annotations

import html
from collections.abc import Sequence

from core.analysis.comparison import Side
from core.analysis.story import Story, accuracy
from core.network.architectures import ARCHITECTURES
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import Run
from ui import units
from ui.overview.linked import dot, link_to
from ui.runs import run_view
from ui.theme import Look

BUILT, CARRIED = "Built for the task", "Carried over"
CNN, VGG16 = "cnn-digits", "vgg16-digits"
"""The recipes whose comparison answers the question on digits."""


def on_digits(story: Story) -> bool:
    """Whether those recipes learn from the images that the story is about."""
    return story.dataset in ("", RECIPES[CNN].config.data.name)


def sides(story: Story, known: Sequence[Run], compared: tuple[Side, Side] | None = None) -> str:
    """Both networks side by side: what each reached and what it cost."""
    under_way = {run.config.recipe for run in known if run_view.is_active(run)}
    axes = _axes(compared) if compared else ("", "")
    runs = ((BUILT, CNN, story.built), (CARRIED, VGG16, story.carried))
    looks = looks_in(story)
    shown = [
        _trained(title, run, looks[run.id], axis)
        if run
        else _missing(title, recipe if on_digits(story) else "", recipe in under_way)
        for (title, recipe, run), axis in zip(runs, axes, strict=True)
    ]
    return f'<div class="sides">{"".join(shown)}</div>'


def looks_in(story: Story) -> dict[str, Look]:
    """How the networks that the story tells of are drawn, by their ids."""
    told = [run for run in (story.built, story.carried, story.best) if run]
    return {run.id: Look(color) for run, color in zip(told, run_view.colors_of(told), strict=True)}


def _trained(title: str, run: Run, look: Look, axis: str) -> str:
    share = units.percent(accuracy(run))
    network = ARCHITECTURES[run.config.network.architecture].label
    content = (
        f'<p class="eyebrow">{title}</p><p class="who">{named(run, look)}</p>'
        f'<p class="share">{share}</p>{axis}'
        f'<p class="quiet">{network}, trained in {units.duration(run.state.seconds)}</p>'
        f'<p class="quiet">{_parameters(run.config)}</p>'
    )
    told = f"{title}: {run.name}, {share} of the test images right"
    looks = f'class="side" style="--of:{look.color}"'
    return link_to("Runs", {"run": run.id}, content, about=told, looks=looks)


def _missing(title: str, recipe: str, under_way: bool) -> str:
    """A side that nothing stands for yet, and the recipe that would, if one does."""
    told = ""
    if recipe:
        config = RECIPES[recipe].config
        network = ARCHITECTURES[config.network.architecture].label
        told = f'<p class="quiet">{network}: {_parameters(config)}</p>'
    return (
        f'<div class="side none"><p class="eyebrow">{title}</p>'
        f'<p class="who">{recipe or "…"}</p><p class="share">?</p>{told}'
        f'<p class="quiet">{"Under way" if under_way else "Not trained yet"}</p></div>'
    )


def named(run: Run, look: Look) -> str:
    """A run's name beside its look, and whether it is a sample."""
    untold = run.is_sample and run_view.SAMPLE not in run.name
    sample = f' <span class="sample">{run_view.SAMPLE}</span>' if untold else ""
    return f'{dot(look)}<span class="name">{html.escape(run.name)}</span>{sample}'


def _parameters(config: RunConfig) -> str:
    """How many numbers of the network training changes."""
    parameters = config.parameters
    trained, total = units.count(parameters.trainable), units.count(parameters.total)
    if parameters.trainable == parameters.total:
        return f"all of its {total} parameters trained"
    return f"{trained} of its {total} parameters trained"


def _axes(compared: tuple[Side, Side]) -> tuple[str, str]:
    """Both accuracies with their intervals, on one scale."""
    scale = _scale([side.interval for side in compared])
    a, b = (_axis(side.accuracy, side.interval, scale) for side in compared)
    return a, b


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
        f'<u></u><i style="left:{start:.2f}%;width:{end - start:.2f}%"></i>'
        f'<b style="left:{at:.2f}%"></b>'
        f"<span>{100 * low:.0f} %</span><span>{100 * high:.0f} %</span></div>"
    )
