import cv2
import numpy as np
import pytest

from ui.pictures.heatmap import SIDE, enlarged, overlay

GREY = np.full((2, 3), 90, np.uint8)
COLORED = np.stack([GREY, GREY + 50, GREY + 100], axis=-1)


@pytest.mark.parametrize("shape", [(28, 28), (30, 20, 3), (700, 500, 3)])
def test_a_picture_keeps_its_form(shape: tuple[int, ...]) -> None:
    large = enlarged(np.zeros(shape, np.uint8))
    assert max(large.shape[:2]) == SIDE
    assert large.shape[0] / large.shape[1] == pytest.approx(shape[0] / shape[1], rel=0.01)
    assert large.shape[2:] == shape[2:]


def test_small_pictures_keep_their_pixels() -> None:
    picture = np.arange(16, dtype=np.uint8).reshape(4, 4)
    np.testing.assert_array_equal(np.unique(enlarged(picture)), np.unique(picture))


def test_where_a_map_is_0_the_picture_is_seen_in_grey() -> None:
    seen = overlay(COLORED, np.zeros((2, 3), np.float32))
    expected = cv2.cvtColor(COLORED, cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(seen, np.repeat(expected[..., None], 3, axis=2))


def test_warm_speaks_for_and_cold_against() -> None:
    red, _, blue = overlay(GREY, np.array([[0.7, 0.7, -0.7]] * 2, np.float32))[0, [0, 2]].T
    assert red[0] > blue[0] + 50
    assert blue[1] > red[1] + 50


@pytest.mark.parametrize("sign", [1, -1])
def test_a_stronger_place_is_lighter(sign: int) -> None:
    black = np.zeros((1, 5), np.uint8)
    strengths = sign * np.linspace(0, 1, 5, dtype=np.float32)[None]
    light = cv2.cvtColor(overlay(black, strengths), cv2.COLOR_RGB2GRAY)[0].astype(int)
    assert (np.diff(light) > 0).all()
