"""A comparison as one HTML file that needs no network: to keep, to send and to print."""

import platform
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from numpy.typing import NDArray

from core.analysis import svg
from core.analysis.calibration import calibrate
from core.analysis.comparison import Comparison, Outcome, Side, verdict
from core.analysis.confusion import ClassOrder, Confusions, class_scores, ranked_classes
from core.analysis.images import Images
from core.analysis.telling import LARGEST_SIDE, telling_pictures
from core.registry.config import RunConfig
from core.registry.history import History
from core.registry.settings import setting_keys, setting_of
from core.validation import shown
from core.version import VERSION

COLORS = "#2f7de1", "#e0700f"
GOOD, BAD = "#5f9e6e", "#cc3311"
MOST_CLASSES = 20
"""Classes of which a matrix is drawn, those confused most."""
MOST_ROWS = 40
"""Classes of which the scores are told, those that differ most."""
MOST_PAIRS = 10
CURVE_POINTS = 240
LONGEST_NAME = 40
"""Letters of a class's name within a sentence."""
FEW = 12
"""Classes up to which three matrices stand beside each other."""
OUTCOMES: dict[Outcome, str] = {
    "both_right": "Both right",
    "only_a_right": "Only A right",
    "only_b_right": "Only B right",
    "both_wrong": "Both wrong",
}
BOTH_RIGHT, BOTH_WRONG = "#8a94a6", "#b0468f"
_POWER = re.compile(r"\^(\d+)")
PACKAGES = ("numpy", "keras", "tensorflow")


@dataclass(frozen=True)
class Setting:
    """One setting as both networks have it."""

    key: str
    a: str
    b: str

    @property
    def differs(self) -> bool:
        return self.a != self.b


def report(
    images: Images,
    pictures: NDArray[np.uint8],
    *,
    colors: tuple[str, str] = COLORS,
    tested_on: str = "",
    made: datetime | None = None,
) -> str:
    """The report; `pictures` are the test images, (count, height, width[, 3]).

    colors: of A and of B, as #rrggbb. tested_on: what the images are called, their dataset's name
    unless told. made: when; now unless told.
    """
    comparison = images.comparison
    confusions = Confusions.of(comparison)
    settings = list(settings_of_both(comparison))
    data = comparison.a.run.config.data
    told: str = _template().render(
        c=comparison,
        dataset=tested_on or data.facts.label,
        verdict=Markup(_POWER.sub(r"<sup>\1</sup>", str(escape(verdict(comparison))))),
        outcomes=[
            (title, color, comparison.counts[outcome])
            for (outcome, title), color in zip(
                OUTCOMES.items(), (BOTH_RIGHT, *colors, BOTH_WRONG), strict=True
            )
        ],
        sides=[
            ("A", colors[0], comparison.a, images.a),
            ("B", colors[1], comparison.b, images.b),
        ],
        charts=charts(comparison, colors),
        matrices=matrices(confusions, comparison.class_names, colors),
        most_classes=MOST_CLASSES,
        few=len(comparison.class_names) <= FEW,
        pairs=confusions.pairs("total", MOST_PAIRS),
        scores=scores(confusions),
        calibrations=[calibrate(images.a), calibrate(images.b)],
        lists=telling_pictures(images, pictures),
        picture_width=LARGEST_SIDE,
        sharp=max(pictures.shape[1:3]) < LARGEST_SIDE,
        differing=[setting for setting in settings if setting.differs],
        alike=[setting for setting in settings if not setting.differs],
        made=(made or datetime.now().astimezone()).strftime("%Y-%m-%d %H:%M"),
        versions=", ".join(_versions()),
    )
    return told


def charts(comparison: Comparison, colors: tuple[str, str]) -> list[tuple[str, Markup]]:
    """Loss and accuracy of both while they trained, each with its title; none that is empty."""
    histories = [_history(side) for side in comparison.sides]
    measures = (("loss", "Loss", False), ("accuracy", "Accuracy", True))
    drawn = [
        (
            title,
            svg.chart(
                [
                    curve
                    for letter, color, history in zip("AB", colors, histories, strict=True)
                    for curve in _curves(letter, color, history, value)
                ],
                title=title,
                x_title="epoch",
                per_cent=per_cent,
            ),
        )
        for value, title, per_cent in measures
    ]
    return [(title, picture) for title, picture in drawn if picture]


def matrices(
    confusions: Confusions, names: Sequence[str], colors: tuple[str, str]
) -> list[tuple[str, Markup]]:
    """The confusion matrices of A, of B and of A minus B; of many classes those confused most."""
    kept = confusions.confused_classes(MOST_CLASSES)
    chosen = np.ix_(kept, kept)
    of_kept = [names[number] for number in kept]
    of_one = [
        (
            letter,
            svg.matrix(
                counts[chosen],
                of_kept,
                title=f"Confusion matrix of {letter}",
                colors=(GOOD, BAD),
            ),
        )
        for letter, counts in (("A", confusions.a), ("B", confusions.b))
    ]
    return [
        *of_one,
        (
            "A minus B",
            svg.matrix(
                confusions.difference[chosen],
                of_kept,
                title="Confusion matrix of A minus that of B",
                colors=colors,
                diverging=True,
            ),
        ),
    ]


def scores(confusions: Confusions) -> dict[str, Any]:
    """Precision, recall and F1 of both for each class; of many classes those that differ most."""
    a, b = class_scores(confusions.a), class_scores(confusions.b)
    order: ClassOrder = "difference" if len(a.f1) > MOST_ROWS else "class"
    kept = ranked_classes(a.f1, b.f1, order)[:MOST_ROWS].tolist()
    return {"a": a, "b": b, "classes": kept, "all": len(kept) == len(a.f1)}


def settings_of_both(comparison: Comparison) -> Iterator[Setting]:
    """Every setting, as either configuration has it."""
    a, b = (side.run.config for side in comparison.sides)
    for key in setting_keys(a.model_dump(mode="json")):
        yield Setting(key, _written(a, key), _written(b, key))


def _written(config: RunConfig, key: str) -> str:
    value = setting_of(config, key)[1]
    return value if isinstance(value, str) else shown(value)


def _history(side: Side) -> History:
    history = History()
    history.read_on(side.run.folder.metrics)
    return history


def _curves(letter: str, color: str, history: History, value: str) -> Iterator[svg.Curve]:
    """A run's batches, and after each epoch what it was watched on."""
    yield svg.Curve(
        f"{letter}, by batch", color, *history.batch_line(value, most=CURVE_POINTS), style="faint"
    )
    yield svg.Curve(
        f"{letter}, validation", color, *history.epoch_line(f"val_{value}", most=CURVE_POINTS)
    )


def _per_cent(share: float, digits: int = 2) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.{digits}f} %"


def _points(difference: float) -> str:
    return f"{100 * difference:+.2f} pp".replace("-", "−")


def _p_value(p: float) -> str:
    return "less than 1e-300" if p == 0 else f"{p:.2g}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def _clipped(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _versions() -> Iterator[str]:
    yield f"Transfer Lab {VERSION}"
    yield f"Python {platform.python_version()}"
    yield from (f"{package} {version(package)}" for package in PACKAGES)


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "per_cent": _per_cent,
        "points": _points,
        "p_value": _p_value,
        "duration": _duration,
        "zip": zip,
        "clipped": _clipped,
        "count": lambda number: f"{number:,}",
    }
    environment.filters |= filters
    return environment.get_template("report.html")
