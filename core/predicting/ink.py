"""Strokes lifted off what they stand on: a screen, a board, or a photograph of paper.

An evenly lit picture with little noise is only stretched. Any other is taken for a photograph:
the light that falls on the paper is estimated and divided out, and noise is smoothed. Ruled lines
and specks go from both.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels, to_grey
from core.errors import UnreadableImage

Polarity = Literal["auto", "light ink", "dark ink"]
Mask = NDArray[np.bool_]
Strength = NDArray[np.float32]

LONGEST_SIDE = 1600
"""Pixels that a picture is reduced to before strokes are looked for."""
FAINTEST_INK = 40
"""Difference from the background, of 255, below which nothing counts as ink."""
SPREAD_TO_SEE_INK = 32
"""Difference between lightest and darkest pixel below which a picture is empty."""
FIRM_INK = 128
"""What every piece of a stroke reaches somewhere, of 255; what does not is a shade."""

EVEN_SPREAD = 0.08
"""How far the paper of an evenly lit picture varies, as a share of the contrast of its ink."""
LITTLE_NOISE = 0.03
"""Standard deviation of the noise of a clean picture, as a share of the contrast."""
NO_NOISE = 0.3
"""Standard deviation below which a picture was not taken by a camera."""
PAPER_SIDE = 512
"""Longest side of the copy on which the light is estimated."""
FAINTEST_STROKE = 0.12
"""Share of the paper's light that strokes of a photograph must swallow."""

EMPTY = (
    "the picture is empty: no stroke stands out from its background; "
    "draw a digit, or use a picture with more contrast"
)


@dataclass(frozen=True)
class Ink:
    """Strokes on black, (height, width) uint8, 255 where a stroke is full.

    scale: pixels of the picture to each of these. uneven: light was divided out. ruled: lines of
    the paper were taken away.
    """

    strokes: Pixels
    inverted: bool
    scale: float
    uneven: bool
    ruled: bool


def lift(picture: Pixels, polarity: Polarity = "auto") -> Ink:
    """The strokes of a picture. Raises UnreadableImage where there are none."""
    grey, scale = _bounded(to_grey(picture))
    inverted = is_dark_ink(grey) if polarity == "auto" else polarity == "dark ink"
    light = 255 - grey if inverted else grey
    even = _is_even(light)
    strokes = _stretched(light) if even else _off_paper(light)
    strokes, ruled = without_lines(strokes)
    strokes = _without_specks(strokes, RULED_SPECK if ruled else SPECK, at_edge=even and not ruled)
    if not strokes.any():
        raise UnreadableImage(EMPTY)
    return Ink(strokes, inverted, scale, uneven=not even, ruled=ruled)


def _bounded(grey: Pixels) -> tuple[Pixels, float]:
    scale = max(1.0, max(grey.shape) / LONGEST_SIDE)
    return (grey, 1.0) if scale == 1 else (_shrunk(grey, LONGEST_SIDE), scale)


def _shrunk(grey: Pixels, longest: int) -> Pixels:
    """The picture with its longer side brought down to some pixels, if it is longer."""
    scale = longest / max(grey.shape)
    if scale >= 1:
        return grey
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


# --- polarity ---------------------------------------------------------------------------------


def is_dark_ink(grey: Pixels) -> bool:
    """Whether strokes are darker than what they stand on.

    What lies along the edge is paper. Under uneven light, where one edge may be darker than ink
    at another, what stands out most from its own surroundings is ink.
    """
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    dark = float(np.median(edge)) > (float(grey.min()) + float(grey.max())) / 2
    if _is_even(255 - grey if dark else grey):
        return dark
    return _leans_dark(_shrunk(grey, 256))


def _leans_dark(grey: Pixels) -> bool:
    """Whether what stands out most from its own surroundings is darker than they are."""
    lean = 0.0
    for window in (0.15, 0.3):
        around = cv2.medianBlur(grey, _odd(window * max(grey.shape)))
        lean += float(((grey.astype(np.float32) - around) ** 3).sum())
    return lean < 0


# --- evenly lit -------------------------------------------------------------------------------


def _levels(light: Pixels) -> tuple[float, float]:
    """Brightness of paper and of ink. Raises UnreadableImage where they are the same."""
    # Not the median: the ink of a tightly cropped digit may cover more than half.
    paper, ink = percentile(light, 25), float(light.max())
    if ink - paper < SPREAD_TO_SEE_INK:
        raise UnreadableImage(EMPTY)
    return paper, ink


def percentile(pixels: Pixels, share: float) -> float:
    """That of brightnesses, as numpy's; counting 256 of them is quicker than sorting all pixels.

    >>> percentile(np.array([[10, 20], [30, 50]], np.uint8), 25)
    17.5
    """
    counted = cv2.calcHist([pixels], [0], None, [256], [0, 256]).ravel().astype(np.int64).cumsum()
    place = share / 100 * (pixels.size - 1)
    below = int(place)
    low, high = np.searchsorted(counted, [below, min(below + 1, pixels.size - 1)], side="right")
    return float(low + (place - below) * (high - low))


def _is_even(light: Pixels) -> bool:
    """Whether one level of brightness tells ink from paper everywhere."""
    level, brightest = percentile(light, 25), float(light.max())
    contrast, noise = brightest - level, _noise(light)
    if noise > LITTLE_NOISE * contrast:
        return False
    small = _shrunk(light, 256)
    opened = _opened(small, 0.3 * max(small.shape))
    lowest, highest = percentile(opened, 2), percentile(opened, 98)
    if highest - lowest <= EVEN_SPREAD * contrast:
        return True
    # A blot is wider than what can be told from light. A drawing on a screen has no noise, and all
    # of it is either paper or ink.
    apart = np.minimum(abs(small - level), abs(small - brightest))
    return noise < NO_NOISE and bool((apart <= 0.1 * contrast).mean() >= 0.9)


def _stretched(light: Pixels) -> Pixels:
    """Ink stretched to 255; paper, with its noise, set to 0."""
    paper, brightest = _levels(light)
    ink = np.clip((light.astype(np.float32) - paper) * 255 / (brightest - paper), 0, 255)
    ink[ink < FAINTEST_INK] = 0
    whole: Pixels = ink.astype(np.uint8)
    return whole


# --- photographs ------------------------------------------------------------------------------


def _off_paper(light: Pixels) -> Pixels:
    """Strokes under uneven light or noise: what they swallow of the light beside them."""
    _levels(light)
    smooth = _smoothed(light)
    paper = _paper(smooth).astype(np.float32)
    swallowed = ((smooth - paper) / np.maximum(255 - paper, 16)).astype(np.float32)
    swallowed -= np.median(swallowed)
    noise = 1.4826 * float(np.median(np.abs(swallowed)))
    full = _full_strength(swallowed, noise)
    faintest = max(4 * noise, 0.3 * full)
    if full < FAINTEST_STROKE or faintest > 0.8 * full:
        return np.zeros_like(light)
    floor = faintest / 2
    ink = np.clip((swallowed - floor) * 255 / (full - floor), 0, 255)
    ink[swallowed < faintest] = 0
    whole: Pixels = ink.astype(np.uint8)
    return whole


def _noise(light: Pixels) -> float:
    """Standard deviation of the noise from pixel to pixel, from how it bends what is straight.

    The mask is Immerkær's (1996), the median in place of his mean leaves strokes out.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    bent = np.abs(cv2.filter2D(light.astype(np.float32), -1, mask))
    return float(np.median(bent)) / 0.6745 / 6


def _smoothed(light: Pixels) -> Pixels:
    """Single hot pixels gone, and noise averaged out as far as there is some."""
    calm = cv2.medianBlur(light, 3)
    sigma = float(np.clip(_noise(light) / 6, 0.5, 2))
    return np.asarray(cv2.GaussianBlur(calm, (0, 0), sigma), np.uint8)


def _paper(light: Pixels) -> Pixels:
    """What the picture would be without strokes, of the same size.

    A window wider than any stroke sees paper everywhere. How wide strokes are is measured on a
    first try with a very wide window, as a narrower one follows shadows better.
    """
    small = _shrunk(light, PAPER_SIDE)
    widest = max(small.shape) / 4
    first = cv2.subtract(small, _opened(small, widest))
    _, mask = cv2.threshold(first, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    strokes = _off_edge(mask > 0)
    window = float(np.clip(5 * stroke_width(strokes), 15, widest)) if strokes.any() else widest
    paper = cv2.GaussianBlur(_opened(small, window), (0, 0), 2)
    size = light.shape[1], light.shape[0]
    return np.asarray(cv2.resize(paper, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _off_edge(mask: Mask) -> Mask:
    """A mask without pieces that touch the edge, where the light falls off."""
    labels, stats = pieces(mask)
    inside = ~_touches_edge(stats, mask.shape)
    whole: Mask = inside[labels]
    return whole


def _opened(light: Pixels, window: float) -> Pixels:
    """The picture without what is lighter than its surroundings and narrower than a window."""
    kernel = np.ones((_odd(window),) * 2, np.uint8)
    calm = cv2.medianBlur(light, 3)
    return np.asarray(cv2.morphologyEx(calm, cv2.MORPH_OPEN, kernel), np.uint8)


def _odd(length: float) -> int:
    """A length for a window that has a middle; OpenCV shifts what it opens by any other."""
    return max(3, int(length) // 2 * 2 + 1)


def _full_strength(swallowed: Strength, noise: float) -> float:
    """What the middle of a stroke swallows of the light; 0 where nothing stands out."""
    seen = swallowed[swallowed > max(3 * noise, FAINTEST_STROKE / 2)]
    if seen.size == 0:
        return 0.0
    values = np.clip(seen * 255, 0, 255).astype(np.uint8)
    level, _ = cv2.threshold(values, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return float(np.percentile(values[values >= level], 75)) / 255


def stroke_width(mask: Mask) -> float:
    """Width of the strokes of a mask in pixels, that of the wider ones; 0 without any."""
    depth = _depth(mask)
    ridge = depth[(depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & (depth > 0)]
    return 2 * float(np.percentile(ridge, 75)) if ridge.size else 0.0


def _depth(mask: Mask) -> Strength:
    padded = np.pad(mask, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(depth[1:-1, 1:-1], np.float32)


# --- what is no stroke ------------------------------------------------------------------------

LINE_SPAN = 0.75
"""Share of the picture that a ruled line crosses at least."""
CUT_LINE_SPAN = 0.15
"""The same of other lines in the same direction, once there is one."""
LINE_PIECE = 0.08
"""Share of the picture's width along which a piece of a ruled line is straight at least."""
WIDEST_LINE = 0.01
"""Share of the picture's longer side that a ruled line is wide at most."""


def without_lines(strokes: Pixels) -> tuple[Pixels, bool]:
    """The strokes without the lines of ruled or squared paper, and whether there were any.

    A line is thin, straight and crosses most of the picture. Where a stroke crosses it or lies on
    it, the ink is higher than the line, and stays.
    """
    mask = strokes > 0
    left = _without_ruling(mask)
    left = _without_ruling(left.T).T
    taken = mask & ~left
    if not taken.any():
        return strokes, False
    left = _without_crumbs(left, stroke_width(taken))
    if not left.any():  # a lone line is a stroke
        return strokes, False
    return np.where(left, strokes, 0).astype(np.uint8), True


def _without_crumbs(mask: Mask, line_width: float) -> Mask:
    """A mask without ends of lines, where its strokes are wide enough to tell them apart."""
    if stroke_width(mask) < 2 * line_width:
        return mask
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_odd(line_width + 1),) * 2)
    left: Mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    return left


def _without_ruling(mask: Mask) -> Mask:
    """A mask without its lines from left to right."""
    lines = _ruling(mask)
    if not lines.any():
        return mask
    higher = _odd(1.5 * stroke_width(lines & ~_ruling(mask.T).T) + 3)
    seen = mask.astype(np.uint8)
    crossing = cv2.morphologyEx(seen, cv2.MORPH_OPEN, np.ones((higher, 1), np.uint8))
    left: Mask = mask & ~(lines & (crossing == 0))
    return left


def _ruling(mask: Mask) -> Mask:
    """Pixels of lines from left to right."""
    height, width = mask.shape
    widest, piece = _odd(WIDEST_LINE * max(height, width)), _odd(max(8, LINE_PIECE * width))
    seen = mask.astype(np.uint8)
    low = seen - cv2.morphologyEx(seen, cv2.MORPH_OPEN, np.ones((widest + 2, 1), np.uint8))
    uncut = cv2.morphologyEx(low, cv2.MORPH_CLOSE, np.ones((1, 3 * widest), np.uint8))
    straight = cv2.morphologyEx(uncut, cv2.MORPH_OPEN, np.ones((1, piece), np.uint8))
    if not straight.any():
        return np.zeros_like(mask)
    linked = cv2.morphologyEx(straight, cv2.MORPH_CLOSE, np.ones((3, piece), np.uint8))
    labels, stats = pieces(linked > 0)
    lengths = stats[1:, cv2.CC_STAT_WIDTH]
    if lengths.max(initial=0) < LINE_SPAN * width:
        return np.zeros_like(mask)
    # Where there is ruling, a digit may cut a line in two.
    lines = np.append(False, lengths >= CUT_LINE_SPAN * width)
    found = cv2.dilate(lines[labels].astype(np.uint8), np.ones((5, 1), np.uint8))
    whole: Mask = (found > 0) & mask
    return whole


def pieces(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Which piece each pixel belongs to, 0 for none, and OpenCV's statistics of each."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return np.asarray(labels, np.int32), np.asarray(stats, np.int32)


SPECK = 0.05
"""Of the longest piece's length: a piece with less area than the square of that is a speck."""
RULED_SPECK = 0.15
"""The same where lines were taken away, which leave more behind than dust does."""


def _without_specks(strokes: Pixels, speck: float, at_edge: bool) -> Pixels:
    """The strokes without pieces that are tiny or nowhere firm.

    at_edge: whether pieces that touch the edge stay; on a photograph they are what lies around
    the paper, unless there is nothing else.
    """
    labels, stats = pieces(strokes > 0)
    count = len(stats)
    if count == 1:
        return strokes
    peaks = np.zeros(count, np.uint8)
    np.maximum.at(peaks, labels.ravel(), strokes.ravel())
    sides = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    area = stats[:, cv2.CC_STAT_AREA]
    keep = peaks >= FIRM_INK
    keep[0] = False
    if not at_edge:
        inside = keep & ~_touches_edge(stats, strokes.shape)
        if area[inside].sum() > 0.1 * area[keep].sum():
            keep = inside
    if keep.any():
        keep &= area >= (speck * sides[keep].max()) ** 2
    return np.where(keep[labels], strokes, 0).astype(np.uint8)


def _touches_edge(stats: NDArray[np.int32], shape: tuple[int, ...]) -> Mask:
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right = left + stats[:, cv2.CC_STAT_WIDTH]
    bottom = top + stats[:, cv2.CC_STAT_HEIGHT]
    edge: Mask = (left == 0) | (top == 0) | (right == shape[1]) | (bottom == shape[0])
    return edge
