import numpy as np
import pytest
from numpy.typing import NDArray

from core.explaining.occlusion import cover_of, occlude

DARK = np.zeros((28, 28), np.uint8)


def corner_of(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Two classes: how light the upper right 4x4 pixels are, and how dark."""
    light = images[:, :4, 24:28].reshape(len(images), -1).mean(axis=1) / 255
    return np.stack([light, 1 - light], axis=1)


def lit_corner() -> NDArray[np.uint8]:
    image = DARK.copy()
    image[:4, 24:28] = 200
    return image


def test_only_where_the_answer_hangs_on_does_it_lose() -> None:
    lost = occlude(lit_corner(), corner_of).of(0)
    assert lost[0, 13] == pytest.approx(200 / 255, abs=1e-6)
    far = lost.copy()
    far[:4, -4:] = 0
    assert not far.any()


def test_what_a_class_wins_has_the_other_sign() -> None:
    occlusion = occlude(lit_corner(), corner_of)
    np.testing.assert_allclose(occlusion.of(1), -occlusion.of(0), atol=1e-6)


def test_the_map_is_as_by_covering_one_place_after_the_other() -> None:
    image = np.random.default_rng(1).integers(0, 256, (15, 20, 3)).astype(np.uint8)

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        return images[..., :2].mean(axis=(1, 2)) / 255

    occlusion = occlude(image, predict)
    assert occlusion.lost.shape == (15, 20, 2)  # patches of 3 pixels, one further each time
    expected = np.empty_like(occlusion.lost)
    for row in range(15):
        for column in range(20):
            covered = image.copy()
            top, left = max(row - 1, 0), max(column - 1, 0)
            covered[top : row + 2, left : column + 2] = occlusion.cover.fill
            expected[row, column] = predict(image[None])[0] - predict(covered[None])[0]
    np.testing.assert_allclose(occlusion.lost, expected, atol=1e-6)


@pytest.mark.parametrize("height", [3, 28, 29, 200, 224])
@pytest.mark.parametrize("width", [4, 28, 33, 300])
def test_every_pixel_is_covered_at_least_once_and_at_most_one_patch_at_a_time(
    height: int, width: int
) -> None:
    image = np.zeros((height, width), np.uint8)
    image[1:-1, 1:-1] = 255
    cover = cover_of(np.full_like(image, 9))
    rows = [cover.row(image, row) for row in range(cover.rows)]
    assert {len(row) for row in rows} == {cover.columns}
    covered = np.concatenate(rows) == 9
    assert covered.any(axis=0).all()
    assert covered.sum(axis=(1, 2)).max() <= cover.patch**2
    assert covered.any(axis=(1, 2)).all()


def test_a_digit_is_covered_by_its_background() -> None:
    cover = cover_of(lit_corner())
    assert cover.of_background and cover.fill == 0


def test_a_photograph_is_covered_by_its_mean_colour() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    cover = cover_of(image)
    assert not cover.of_background
    np.testing.assert_array_equal(cover.fill, np.rint(image.mean(axis=(0, 1))))


def test_progress_goes_to_the_end() -> None:
    seen: list[float] = []
    occlude(DARK, corner_of, seen.append)
    assert seen == sorted(seen) and len(seen) == 14 and seen[-1] == 1
