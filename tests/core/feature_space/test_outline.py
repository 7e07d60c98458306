import cv2
import numpy as np
import pytest

from core.analysis.selection import Selection, from_address, to_address
from core.feature_space.outline import Corner, rounded, within


def star(corners: int, seed: int) -> list[Corner]:
    """Corners round the origin at random distances."""
    random = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radii = random.uniform(0.2, 1.0, corners)
    return list(zip(radii * np.cos(angles), radii * np.sin(angles), strict=True))


@pytest.mark.parametrize(("corners", "seed"), [(3, 0), (4, 1), (11, 2), (40, 3)])
def test_what_is_within_is_what_opencv_finds_within(corners: int, seed: int) -> None:
    outline = star(corners, seed)
    points = np.random.default_rng(9).uniform(-1.1, 1.1, (500, 2))
    contour = np.array(outline, np.float32)
    expected = [cv2.pointPolygonTest(contour, tuple(point), False) > 0 for point in points.tolist()]
    assert within(points, outline).tolist() == expected


def test_what_an_outline_goes_round_twice_is_outside() -> None:
    five = [(np.sin(k * 4 * np.pi / 5), np.cos(k * 4 * np.pi / 5)) for k in range(5)]
    assert within([[0, 0], [0, 0.8]], five).tolist() == [False, True]


def test_a_point_that_is_on_no_map_is_outside() -> None:
    square = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
    assert within([[np.nan, np.nan], [0, 0]], square).tolist() == [False, True]


@pytest.mark.parametrize("corners", [[], [(0.0, 0.0)], [(0.0, 0.0), (1.0, 1.0)]])
def test_fewer_than_three_corners_surround_nothing(corners: list[Corner]) -> None:
    assert not within([[0.5, 0.5]], corners).any()


def test_a_link_keeps_every_corner_exactly() -> None:
    outline = rounded(np.random.default_rng(4).normal(scale=50, size=(40, 2)).tolist())
    drawn = Selection(outlined="tsne_b", outline=outline)
    assert from_address(to_address(drawn), classes=10) == (drawn, [])
