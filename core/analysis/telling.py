"""The pictures that tell most about two networks, a few of each kind."""

import base64
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.analysis.images import Images, Values
from core.analysis.selection import Positions
from core.analysis.suspects import agreed

MOST = 24
"""Pictures of a kind."""
LARGEST_SIDE = 112
"""Pixels of the longer side of a picture, at most."""
SURE = 0.8
"""Confidence of both from which the same wrong answer makes the label suspect."""


@dataclass(frozen=True)
class Said:
    """What one network took an image for."""

    name: str
    confidence: float
    right: bool


@dataclass(frozen=True)
class Picture:
    """A picture with what is said of it. source: a data URL."""

    source: str
    index: int
    truth: str
    a: Said
    b: Said


@dataclass(frozen=True)
class Pictures:
    """What some pictures have in common, how many there are, and the most telling of them."""

    title: str
    meaning: str
    count: int
    shown: list[Picture]


def telling_pictures(images: Images, pictures: NDArray[np.uint8]) -> list[Pictures]:
    """Sure disagreements, suspects, and what both get wrong, among (count, height, width[, 3])."""
    of = images.comparison.positions
    only_a, only_b, wrong = of("only_a_right"), of("only_b_right"), of("both_wrong")
    suspects = _suspects(images)
    kinds = (
        ("Only A is right", "Those that B was surest of.", _surest(only_a, images.b.confidence)),
        ("Only B is right", "Those that A was surest of.", _surest(only_b, images.a.confidence)),
        (
            "Is it the label?",
            f"Both are at least {100 * SURE:.0f} % sure of the same class, and it is not the true "
            "one.",
            suspects,
        ),
        (
            "Both are wrong",
            "The others that either was surest of.",
            _surest(np.setdiff1d(wrong, suspects), images.confidence),
        ),
    )
    return [
        Pictures(
            title,
            meaning,
            len(positions),
            [_picture(int(position), images, pictures) for position in positions[:MOST]],
        )
        for title, meaning, positions in kinds
    ]


def _suspects(images: Images) -> Positions:
    positions = agreed(images)
    lower = np.minimum(images.a.confidence, images.b.confidence)
    return positions[lower[positions] >= SURE]


def _surest(positions: Positions, confidence: Values) -> Positions:
    return positions[np.argsort(-confidence[positions], kind="stable")]


def _picture(position: int, images: Images, pictures: NDArray[np.uint8]) -> Picture:
    names = images.comparison.class_names
    a, b = (
        Said(
            names[judged.said[position]],
            float(judged.confidence[position]),
            bool(judged.right[position]),
        )
        for judged in (images.a, images.b)
    )
    return Picture(
        source=data_url(pictures[position]),
        index=int(images.comparison.a.predictions.indices[position]),
        truth=names[images.truth[position]],
        a=a,
        b=b,
    )


def data_url(picture: NDArray[np.uint8]) -> str:
    """A picture as text that stands in the page; grey ones stay exact, colours are compressed."""
    height, width = picture.shape[:2]
    scale = LARGEST_SIDE / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    if picture.ndim == 2:
        kind, code = "png", cv2.imencode(".png", picture)[1]
    else:
        in_order = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        kind, code = "webp", cv2.imencode(".webp", in_order, [cv2.IMWRITE_WEBP_QUALITY, 90])[1]
    return f"data:image/{kind};base64,{base64.b64encode(code.tobytes()).decode()}"
