"""How a drawn or photographed digit becomes an MNIST digit, made the way MNIST was."""

from dataclasses import dataclass

import cv2
import numpy as np

from core.data.preprocessing import Pixels, for_network, to_grey
from core.predicting.ink import FAINTEST_INK, Ink, Mask, Polarity, is_dark_ink, lift

DIGIT_SIDE = 28
DIGIT_BOX = 20
SOFT_EDGE = 0.5
"""Width of an edge in pixels of the 20-pixel box from which strokes count as soft."""
EDGE_OF_SOFT_INK = 100
"""Strength, of 255, at which a soft stroke ends; where it begins to fade lies outside of it."""


@dataclass(frozen=True)
class DigitSteps:
    """How a picture became an MNIST digit; each (height, width) uint8, light ink on black.

    `digit` is the result, 28x28. `already_mnist` tells that the picture was in MNIST's frame
    and was left as it was, so that the steps before are the picture itself. `uneven`: light was
    divided out of a photograph; `ruled`: lines of the paper were taken away.
    """

    ink: Pixels
    cropped: Pixels
    boxed: Pixels
    digit: Pixels
    inverted: bool
    already_mnist: bool
    uneven: bool = False
    ruled: bool = False


def to_digit(picture: Pixels, polarity: Polarity = "auto") -> DigitSteps:
    """Make an MNIST digit of a picture, the way MNIST's own were made.

    Light ink on black, cropped to the ink, the longest side brought to 20 pixels with
    anti-aliasing, the centre of mass moved to the middle of 28x28 (LeCun, Cortes and Burges,
    http://yann.lecun.com/exdb/mnist/). Raises UnreadableImage where there is no ink.
    """
    return as_it_is(picture, polarity) or framed(lift(picture, polarity))


def as_it_is(picture: Pixels, polarity: Polarity) -> DigitSteps | None:
    """The steps of a picture that is in MNIST's frame already, which are none; else None."""
    grey = to_grey(picture)
    if grey.shape != (DIGIT_SIDE, DIGIT_SIDE):
        return None
    light, inverted = _light(grey, polarity)
    if not is_in_mnist_frame(light):
        return None
    return DigitSteps(light, light, light, light, inverted, already_mnist=True)


def framed(ink: Ink) -> DigitSteps:
    """The digit that strokes make, brought into MNIST's frame."""
    cropped, boxed = _fit_box(ink.strokes)
    digit = _centre_by_mass(boxed)
    return DigitSteps(
        ink.strokes,
        cropped,
        boxed,
        digit,
        ink.inverted,
        already_mnist=False,
        uneven=ink.uneven,
        ruled=ink.ruled,
    )


def naive_digit(picture: Pixels, polarity: Polarity = "auto") -> Pixels:
    """The whole picture squeezed into 28x28, light ink on dark: what fails without framing."""
    light, _ = _light(to_grey(picture), polarity)
    (resized,) = for_network(light[np.newaxis], DIGIT_SIDE, channels=1)
    squeezed: Pixels = resized[..., 0]
    return squeezed


def _light(grey: Pixels, polarity: Polarity) -> tuple[Pixels, bool]:
    inverted = is_dark_ink(grey) if polarity == "auto" else polarity == "dark ink"
    return (255 - grey if inverted else grey), inverted


def is_in_mnist_frame(light: Pixels) -> bool:
    """Whether a picture of light ink is framed as MNIST's are.

    In all 10,000 test images of MNIST the ink's longer side is 19 or 20 pixels and its centre
    of mass lies within half a pixel of (14, 14).
    """
    if light.shape != (DIGIT_SIDE, DIGIT_SIDE) or not light.any():
        return False
    rows, columns = extent(light > 0)
    longest = max(rows.stop - rows.start, columns.stop - columns.start)
    off_centre = max(abs(centre - DIGIT_SIDE / 2) for centre in _centre_of_mass(light))
    return DIGIT_BOX - 1 <= longest <= DIGIT_BOX and off_centre <= 0.5 + 1e-3


def extent(mask: Mask) -> tuple[slice, slice]:
    """Rows and columns from the first to the last that hold something."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _fit_box(strokes: Pixels) -> tuple[Pixels, Pixels]:
    """The strokes cropped, and brought to 20 pixels.

    A picture that is soft, as it was enlarged or is out of focus, is cropped at the middle of
    its edges and sampled without the averaging that keeps sharp strokes from looking jagged:
    both would blur it once more, and make it smaller than it is.
    """
    cropped = strokes[extent(strokes >= FAINTEST_INK)]
    scale = DIGIT_BOX / max(cropped.shape)
    if scale >= 1:
        return cropped, _resized(cropped, scale, cv2.INTER_LINEAR)
    if _edge_width(cropped) * scale < SOFT_EDGE:
        return cropped, _resized(cropped, scale, cv2.INTER_AREA)
    tight = strokes[extent(strokes >= EDGE_OF_SOFT_INK)]
    return tight, _resized(tight, DIGIT_BOX / max(tight.shape), cv2.INTER_CUBIC)


def _resized(cropped: Pixels, scale: float, how: int) -> Pixels:
    height, width = (max(1, round(side * scale)) for side in cropped.shape)
    return np.asarray(cv2.resize(cropped, (width, height), interpolation=how), dtype=np.uint8)


def _edge_width(strokes: Pixels) -> float:
    """Pixels from no ink to full ink at the sharper edges."""
    padded = np.pad(strokes, 1).astype(np.float32)
    across = cv2.Sobel(padded, cv2.CV_32F, 1, 0, ksize=1) / 2
    down = cv2.Sobel(padded, cv2.CV_32F, 0, 1, ksize=1) / 2
    slope = cv2.magnitude(across, down)
    steep = slope[slope > 32]
    return 255 / float(np.percentile(steep, 90)) if steep.size else 0.0


def _centre_by_mass(boxed: Pixels) -> Pixels:
    height, width = boxed.shape
    row, column = _centre_of_mass(boxed)
    # A very lopsided digit may not leave the frame.
    top = int(np.clip(round(DIGIT_SIDE / 2 - row), 0, DIGIT_SIDE - height))
    left = int(np.clip(round(DIGIT_SIDE / 2 - column), 0, DIGIT_SIDE - width))
    digit = np.zeros((DIGIT_SIDE, DIGIT_SIDE), np.uint8)
    digit[top : top + height, left : left + width] = boxed
    return digit


def _centre_of_mass(ink: Pixels) -> tuple[float, float]:
    mass = ink.astype(np.float64)
    rows, columns = np.arange(ink.shape[0]), np.arange(ink.shape[1])
    total = mass.sum()
    return float(mass.sum(axis=1) @ rows / total), float(mass.sum(axis=0) @ columns / total)
