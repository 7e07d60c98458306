"""How a 28x28 digit compares with MNIST's training digits, in what can be measured of its ink.

`python -m core.predicting.digit_measures` measures the bundled training digits anew and
writes the quantiles that digits are compared with.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache

import cv2
import numpy as np

from core.assets import ASSETS, MANIFEST, verified
from core.data.preprocessing import Pixels
from core.predicting.ink import Mask, pieces, stroke_width

FILE = "digit_measures.json"
ENLARGED = 4
"""Strokes a few pixels wide are measured on a picture so many times larger."""
HALF_INK = 128
LEAST_PIECE = 4
"""Pixels of the smallest piece that counts; MNIST's digits are strewn with single ones."""
OUTER = 0.004
"""Share of the training digits beyond each limit, from which on a digit is called unusual."""
_LOWER = (0.0, 0.0005, 0.001, 0.002, OUTER, 0.01, 0.05, 0.25)
LEVELS = (*_LOWER, 0.5, *(1 - level for level in reversed(_LOWER)))


@dataclass(frozen=True)
class Measures:
    """What is measured of a digit; lengths in its pixels.

    mass: mean strength of all pixels, of 255. stroke: width of the wider strokes. thickest: width
    of the widest place. length: of all strokes together. aspect: width over height. pieces:
    strokes that touch no other. holes: places that ink encloses. crossings: strokes that a
    straight line meets on average, across or down, whichever is more. contrast: mean strength of
    the ink, of 255.
    """

    mass: float
    stroke: float
    thickest: float
    length: float
    aspect: float
    pieces: float
    holes: float
    crossings: float
    contrast: float


@dataclass(frozen=True)
class Finding:
    """A measure in which a digit is unlike the training digits.

    usual: the median of the training digits. share: of the training digits that do not go as far.
    """

    measure: str
    value: float
    usual: float
    share: float
    sentence: str


def measure(digit: Pixels) -> Measures:
    """Measure a 28x28 digit, light ink on black, that has some ink."""
    size = tuple(ENLARGED * side for side in digit.shape[::-1])
    large = cv2.resize(digit, size, interpolation=cv2.INTER_CUBIC)
    ink = large >= min(HALF_INK, int(large.max()))
    depth = cv2.distanceTransform(np.pad(ink, 1).astype(np.uint8), cv2.DIST_L2, 5)
    rows, columns = np.nonzero(ink)
    stroke = stroke_width(ink) / ENLARGED
    return Measures(
        mass=float(digit.mean()),
        stroke=stroke,
        thickest=2 * float(depth.max()) / ENLARGED,
        length=float(ink.sum()) / ENLARGED**2 / stroke,
        aspect=float((np.ptp(columns) + 1) / (np.ptp(rows) + 1)),
        pieces=_count(ink),
        holes=_count(np.pad(~ink, 1, constant_values=True)) - 1,
        crossings=max(_crossings(ink), _crossings(ink.T)),
        contrast=float(digit[digit > 0].mean()),
    )


def _count(mask: Mask) -> float:
    _, stats = pieces(mask)
    return float((stats[1:, cv2.CC_STAT_AREA] >= LEAST_PIECE * ENLARGED**2).sum())


def _crossings(ink: Mask) -> float:
    """Strokes that a line across meets, on average over the lines that meet any."""
    starts = ink & ~np.pad(ink, ((0, 0), (1, 0)))[:, :-1]
    each = starts.sum(axis=1)
    return float(each[each > 0].mean())


# --- what is unusual --------------------------------------------------------------------------

LOW, HIGH = "low", "high"
ADVICE: Mapping[tuple[str, str], tuple[str, str]] = {
    ("stroke", LOW): (
        "The strokes are thinner than in {share} of the training digits",
        "scaled to 28 pixels they nearly vanish; draw with a thicker brush or pen, or smaller",
    ),
    ("stroke", HIGH): (
        "The strokes are {times} times as thick as usual, thicker than in {share} of the training "
        "digits",
        "they close the gaps by which digits are told apart; draw with a thinner brush, or larger",
    ),
    ("thickest", HIGH): (
        "A place is {times} times as thick as strokes usually are, thicker than in {share} of the "
        "training digits",
        "a filled area is no stroke to the networks; draw lines only, and crop the picture to the "
        "digit",
    ),
    ("mass", LOW): (
        "There is less ink than in {share} of the training digits",
        "little is left of it at 28 pixels; draw a whole digit with firm strokes",
    ),
    ("mass", HIGH): (
        "There is {times} times as much ink as usual, more than in {share} of the training digits",
        "what the networks learned of gaps and turns is covered; draw one digit, with a thinner "
        "brush",
    ),
    ("length", LOW): (
        "The strokes are shorter than in {share} of the training digits",
        "a dot or a dash is no digit to the networks; draw a whole digit",
    ),
    ("length", HIGH): (
        "The strokes are {times} times as long as usual, longer than in {share} of the training "
        "digits",
        "a scribble, or several digits taken for one, is answered with some digit all the same; "
        "draw one digit, or look for several",
    ),
    ("aspect", HIGH): (
        "It is wider for its height than {share} of the training digits",
        "it may be several digits taken for one, or lie on its side; look for several digits, or "
        "turn the picture",
    ),
    ("aspect", LOW): (
        "It is narrower for its height than {share} of the training digits",
        "it may be a line and no digit; draw a digit as wide as you write it",
    ),
    ("pieces", HIGH): (
        "It is made of {value} pieces, more than {share} of the training digits",
        "dirt, ruled lines or several digits may have been taken for one; crop the picture to the "
        "digit, or look for several",
    ),
    ("holes", HIGH): (
        "Its strokes enclose {value} places, more than those of {share} of the training digits",
        "no digit has more than two; draw one digit without crossing out",
    ),
    ("crossings", HIGH): (
        "Its strokes lie closer together than in {share} of the training digits",
        "a scribble or a letter is answered with some digit all the same; draw one digit, without "
        "crossing out",
    ),
    ("contrast", LOW): (
        "The ink is fainter than in {share} of the training digits",
        "blurred or very thin strokes fade when they are scaled to 28 pixels; take a sharper "
        "picture, or draw with a thicker pen",
    ),
}
"""Which end of which measure counts, what is said of it, and why that matters and what helps."""


def findings(digit: Pixels) -> list[Finding]:
    """In what a 28x28 digit is unlike MNIST's training digits; most digits are in nothing."""
    measured, known = asdict(measure(digit)), quantiles()
    found = []
    for (name, end), advice in ADVICE.items():
        share = _share_within(measured[name], known[name], end)
        if share >= 1 - OUTER:
            usual = known[name][LEVELS.index(0.5)]
            sentence = _sentence(advice, measured[name], usual, share)
            found.append(Finding(name, measured[name], usual, share, sentence))
    return found


def _share_within(value: float, known: Sequence[float], end: str) -> float:
    """Share of the training digits, at least, that do not go as far towards an end."""
    within = [
        level if end == HIGH else 1 - level
        for level, at in zip(LEVELS, known, strict=True)
        if (at < value if end == HIGH else at > value)
    ]
    return max(within, default=0.0)


def _sentence(advice: tuple[str, str], value: float, usual: float, share: float) -> str:
    what, why = advice
    within = "all" if share == 1 else f"{100 * share:g} %"
    times = f"{value / usual:.1f}" if usual else "many"
    return f"{what.format(share=within, times=times, value=round(value))}: {why}."


@cache
def quantiles() -> dict[str, list[float]]:
    """Of each measure the quantiles of MNIST's training digits at `LEVELS`.

    Raises DamagedFile where the bundled file is missing or changed.
    """
    stored: dict[str, list[float]] = json.loads(verified(FILE).read_text())["quantiles"]
    return stored


# --- making the file --------------------------------------------------------------------------


def measured_quantiles(digits: Pixels) -> dict[str, list[float]]:
    """Of each measure the quantiles at `LEVELS` over digits (count, 28, 28)."""
    measured = [asdict(measure(digit)) for digit in digits]
    return {
        name: np.quantile([each[name] for each in measured], LEVELS).round(4).tolist()
        for name in measured[0]
    }


def write_quantiles() -> None:
    """Measure the bundled training digits, and write the file with its line in the manifest."""
    with np.load(verified("mnist.npz"), allow_pickle=False) as arrays:
        digits = arrays["x_train"]
    stored = {"levels": LEVELS, "quantiles": measured_quantiles(digits)}
    content = json.dumps(stored, indent=1) + "\n"
    (ASSETS / FILE).write_text(content)
    manifest = json.loads((ASSETS / MANIFEST).read_text())
    manifest[FILE] = {
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "content": "Quantiles of ink mass, stroke width and other measures of digits",
        "source": f"The {len(digits):,} training images of mnist.npz, measured by "
        "`python -m core.predicting.digit_measures`",
        "licence": manifest["mnist.npz"]["licence"],
    }
    (ASSETS / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    write_quantiles()
