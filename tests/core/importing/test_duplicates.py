import hashlib
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.importing.decoding import digests_of
from core.importing.duplicates import Duplicates, find_duplicates
from core.importing.looks import joined, looks_of


def found_in(pictures: Sequence[Pixels]) -> Duplicates:
    return find_duplicates(digests_of(pictures), looks_of(list(pictures)))


def groups(found: Sequence[NDArray[np.int64]]) -> list[list[int]]:
    return [group.tolist() for group in found]


def photographs(count: int, side: int = 96, seed: int = 0) -> list[Pixels]:
    """Soft patches of colour with discs on them."""
    random, made = np.random.default_rng(seed), []
    for _ in range(count):
        patches = random.integers(20, 236, (6, 6, 3), np.uint8)
        picture = cv2.resize(patches, (side, side), interpolation=cv2.INTER_CUBIC)
        for _ in range(3):
            place, colour = random.integers(0, side, 2), random.integers(0, 256, 3)
            cv2.circle(picture, place.tolist(), side // 8, colour.tolist(), -1, cv2.LINE_AA)
        made.append(np.asarray(picture, np.uint8))
    return made


def as_jpeg(picture: Pixels) -> Pixels:
    encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def halved(picture: Pixels) -> Pixels:
    return np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def lightened(picture: Pixels) -> Pixels:
    return np.clip(picture * 1.08 + 5, 0, 255).astype(np.uint8)


# --- the same ---------------------------------------------------------------------------------


def test_images_that_are_the_same_are_grouped_as_their_bytes_are() -> None:
    dice = np.random.default_rng(0)
    pictures = [np.full((4, 4), shade, np.uint8) for shade in dice.integers(0, 40, 100)]
    by_bytes: dict[bytes, list[int]] = {}
    for position, picture in enumerate(pictures):
        by_bytes.setdefault(picture.tobytes(), []).append(position)
    expected = [group for group in by_bytes.values() if len(group) > 1]
    assert sorted(groups(found_in(pictures).exact)) == sorted(expected)


def test_the_digest_is_of_shape_and_pixels() -> None:
    flat, tall = np.zeros((4, 8), np.uint8), np.zeros((8, 4), np.uint8)
    first, second = digests_of([flat, tall])
    assert first.tobytes() == hashlib.sha256(b"(4, 8)" + flat.tobytes()).digest()
    assert first.tobytes() != second.tobytes()


# --- looking the same -------------------------------------------------------------------------


@pytest.mark.parametrize("change", [as_jpeg, halved, lightened])
def test_a_photograph_that_was_saved_anew_smaller_or_lighter_is_found(change) -> None:  # type: ignore[no-untyped-def]
    pictures = photographs(200)
    duplicates = found_in([*pictures, *map(change, pictures)])
    pairs = {tuple(group) for group in groups(duplicates.near)}
    right = {(number, 200 + number) for number in range(200)}
    assert len(pairs & right) >= 196
    assert pairs <= right


def test_of_images_that_are_the_same_the_first_stands_for_all() -> None:
    (one,) = photographs(1)
    duplicates = found_in([one, one, as_jpeg(one), *photographs(5, seed=1)])
    assert groups(duplicates.exact) == [[0, 1]]
    assert groups(duplicates.near) == [[0, 2]]
    assert duplicates.together.tolist() == [0, 0, 0, 3, 4, 5, 6, 7]


def test_the_same_shape_in_other_colours_is_something_else() -> None:
    shape = np.zeros((32, 32), np.uint8)
    cv2.circle(shape, (16, 16), 9, 120, -1)
    red, blue = (np.full((32, 32, 3), 90, np.uint8) for _ in range(2))
    red[shape > 0], blue[shape > 0] = (200, 40, 40), (40, 102, 220)  # as bright as each other
    assert not found_in([red, blue, *photographs(3, 32)]).near


def test_empty_pictures_look_the_same_only_in_the_same_shade() -> None:
    dice = np.random.default_rng(0)
    shades = [(shade + dice.integers(-2, 3, (40, 40))).astype(np.uint8) for shade in (20, 22, 230)]
    assert groups(found_in(shades).near) == [[0, 1]]


def test_of_digits_which_are_much_alike_only_a_few_ones_look_the_same(
    mnist: dict[str, NDArray[np.uint8]],
) -> None:
    images, labels = mnist["x_train"][:30_000], mnist["y_train"][:30_000]
    looks = joined([looks_of(images[start : start + 1000]) for start in range(0, 30_000, 1000)])
    duplicates = find_duplicates(digests_of(images), looks)
    assert not duplicates.exact
    assert len(duplicates.near) <= 3
    assert {labels[position] for group in duplicates.near for position in group} <= {1}


def test_a_thousand_pictures_of_one_scene_are_one_group() -> None:
    (scene,) = photographs(1, 32)
    dice = np.random.default_rng(0)
    frames = [
        np.clip(scene + dice.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)
        for _ in range(1000)
    ]
    (group,) = found_in(frames).near
    assert len(group) >= 990


def test_alike_images_look_together_as_each_by_itself() -> None:
    pictures = np.stack(photographs(5, 28))
    together, each = looks_of(pictures), looks_of(list(pictures))
    np.testing.assert_array_equal(together.brightness, each.brightness)
    np.testing.assert_array_equal(together.colours, each.colours)


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_few_images_can_be_looked_through_too(count: int) -> None:
    assert not found_in(photographs(count)).near
