import json
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.augmentation import Fill, Floats, Variations, draw, matrices, warp
from core.data_config import AugmentationConfig
from core.preprocessing import Pixels

COUNT = 24
ALL_ON: dict[str, Any] = {
    "rotation": 20.0,
    "zoom": 0.2,
    "shift": 0.1,
    "shear": 0.15,
    "horizontal_flip": True,
}
CONFIG = AugmentationConfig(**ALL_ON)
NOISE = np.random.default_rng(0).integers(0, 256, size=(COUNT, 20, 30, 3), dtype=np.uint8)
"""The most demanding images to resample: no pixel tells anything of the next."""
WHITE = np.full((1, 20, 30, 1), 255, np.uint8)


def varied(
    positions: Any, number: int = 1, config: AugmentationConfig = CONFIG, seed: int = 1
) -> Pixels:
    """The noise at `positions`, by variations made for this one call."""
    return Variations(config, seed, COUNT).apply(NOISE[positions], np.array(positions), number)


def move(
    rotation: float = 0,
    zoom: float = 1,
    right: float = 0,
    down: float = 0,
    slant: float = 0,
    mirror: int = 1,
) -> Floats:
    """What moves one image: one row of `draw`."""
    return np.array([[rotation, zoom, right, down, slant, mirror]], np.float64)


def moved(images: Pixels, moves: Floats, fill: Fill = "constant") -> Pixels:
    """Images, all moved alike."""
    every = np.repeat(moves, len(images), axis=0)
    return warp(images, matrices(every, *images.shape[1:3]), fill)


EVERY = range(COUNT)
ORIGINAL = varied(EVERY)


# --- what decides the pixels ------------------------------------------------------------------


def test_the_same_pass_gives_the_same_pixels() -> None:
    np.testing.assert_array_equal(varied(EVERY), ORIGINAL)


@given(st.permutations(EVERY), st.integers(1, COUNT))
def test_neither_the_order_of_images_nor_their_batches_matter(order: list[int], size: int) -> None:
    variations = Variations(CONFIG, 1, COUNT)
    for start in range(0, COUNT, size):
        batch = np.array(order[start : start + size])
        found = variations.apply(NOISE[batch], batch, number=1)
        np.testing.assert_array_equal(found, ORIGINAL[batch])


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_passes_may_come_in_any_order(numbers: list[int]) -> None:
    variations = Variations(CONFIG, 1, COUNT)
    for number in numbers:
        found = variations.apply(NOISE[:4], np.arange(4), number)
        np.testing.assert_array_equal(found, varied(range(4), number))


def test_an_image_is_varied_alike_in_a_split_of_any_size() -> None:
    np.testing.assert_array_equal(draw(CONFIG, 1, 1, 10), draw(CONFIG, 1, 1, 1000)[:10])


@pytest.mark.parametrize(("seed", "number"), [(1, 2), (2, 1)])
def test_another_pass_or_seed_gives_every_image_other_pixels(seed: int, number: int) -> None:
    other = varied(EVERY, number, seed=seed)
    assert (other != ORIGINAL).any(axis=(1, 2, 3)).all()


def test_one_image_is_varied_differently_at_each_position() -> None:
    alike = np.repeat(NOISE[:1], COUNT, axis=0)
    found = Variations(CONFIG, 1, COUNT).apply(alike, np.arange(COUNT), number=1)
    assert len(np.unique(found, axis=0)) == COUNT


def test_images_stay_as_they_are_where_nothing_is_on() -> None:
    np.testing.assert_array_equal(varied(EVERY, config=AugmentationConfig()), NOISE)


@pytest.mark.parametrize("name", ALL_ON)
def test_each_setting_alone_changes_pixels(name: str) -> None:
    config = AugmentationConfig(**{name: ALL_ON[name]})
    assert (varied(EVERY, config=config) != NOISE).any()


# --- the key of a pass ------------------------------------------------------------------------


def key(seed: int = 1, number: int = 1, **changed: Any) -> str:
    config = AugmentationConfig(**(ALL_ON | changed))
    return json.dumps(Variations(config, seed, COUNT).key(number))


def test_the_key_of_a_pass_does_not_depend_on_how_many_passes_there_are() -> None:
    assert key(passes=3) == key(passes=5)


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 2},
        {"number": 2},
        {"rotation": 10.0},
        {"zoom": 0.1},
        {"shift": 0.2},
        {"shear": 0.1},
        {"horizontal_flip": False},
        {"fill": "nearest"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_the_key_of_a_pass_tells_all_else_apart(changed: dict[str, Any]) -> None:
    assert key(**changed) != key()


# --- what is drawn ----------------------------------------------------------------------------

DRAWN = draw(CONFIG, 1, 1, 10_000)
RANGES = {
    "rotation": (0, -20, 20),
    "zoom": (1, 0.8, 1.2),
    "right": (2, -0.1, 0.1),
    "down": (3, -0.1, 0.1),
    "slant": (4, -0.15, 0.15),
}


@pytest.mark.parametrize(("column", "low", "high"), RANGES.values(), ids=RANGES)
def test_what_is_drawn_fills_its_range_evenly(column: int, low: float, high: float) -> None:
    found = DRAWN[:, column]
    assert found.min() >= low
    assert found.max() <= high
    in_tenths = np.histogram(found, bins=10, range=(low, high))[0]
    np.testing.assert_allclose(in_tenths, 1000, atol=150)  # 5 standard deviations


def test_half_of_the_images_are_mirrored() -> None:
    assert set(DRAWN[:, 5]) == {-1, 1}
    assert abs(DRAWN[:, 5].mean()) < 0.05


def test_no_image_is_mirrored_where_that_is_off() -> None:
    config = AugmentationConfig(**(ALL_ON | {"horizontal_flip": False}))
    assert set(draw(config, 1, 1, 1000)[:, 5]) == {1}


def test_what_is_drawn_for_an_image_is_independent_of_one_another() -> None:
    correlations = np.corrcoef(DRAWN, rowvar=False)
    np.testing.assert_allclose(correlations, np.eye(6), atol=0.05)


# --- the same as Keras does, but all at once --------------------------------------------------

FILLS = pytest.mark.parametrize("fill", ["constant", "nearest"])
SIGNS = pytest.mark.parametrize("sign", [1, -1])


def assert_same(found: Pixels, by_keras: Any) -> None:
    """Keras leaves fractions; a level of 255 is lost where they are rounded."""
    np.testing.assert_allclose(found, np.asarray(by_keras), rtol=0, atol=1)


@FILLS
@SIGNS
def test_a_rotation_is_that_of_keras(sign: int, fill: Fill) -> None:
    turns = sign * 17 / 360
    layer = keras.layers.RandomRotation((turns, turns), fill_mode=fill)
    assert_same(moved(NOISE, move(rotation=sign * 17), fill), layer(NOISE, training=True))


@FILLS
@SIGNS
def test_a_zoom_is_that_of_keras(sign: int, fill: Fill) -> None:
    """A factor of Keras above 0 shrinks: it says how much more of the image is seen."""
    seen = sign * 0.3
    layer = keras.layers.RandomZoom((seen, seen), fill_mode=fill)
    assert_same(moved(NOISE, move(zoom=1 / (1 + seen)), fill), layer(NOISE, training=True))


@FILLS
@SIGNS
def test_a_shift_is_that_of_keras(sign: int, fill: Fill) -> None:
    right, down = sign * 0.13, -sign * 0.07
    layer = keras.layers.RandomTranslation((down, down), (right, right), fill_mode=fill)
    assert_same(moved(NOISE, move(right=right, down=down), fill), layer(NOISE, training=True))


@FILLS
@SIGNS
def test_a_slant_is_that_of_keras_about_the_centre(sign: int, fill: Fill) -> None:
    """Keras slants about the top left corner, so that the centre moves; shifting puts it back."""
    height, width = NOISE.shape[1:3]
    back = -sign * 0.2 * (height - 1) / 2 / width
    layer = keras.layers.RandomShear(0.2, fill_mode=fill)
    factors = np.full((COUNT, 2), [sign * 0.2, 0])
    by_keras = layer.transform_images(NOISE, {"shear_factor": factors})
    assert_same(moved(NOISE, move(slant=sign * 0.2, right=back), fill), by_keras)


@FILLS
def test_a_mirrored_image_is_mirrored_left_to_right(fill: Fill) -> None:
    np.testing.assert_array_equal(moved(NOISE, move(mirror=-1), fill), NOISE[:, :, ::-1])


@given(
    st.floats(-180, 180),
    st.floats(0.1, 1.9),
    st.floats(-0.9, 0.9),
    st.floats(-0.9, 0.9),
    st.floats(-0.9, 0.9),
    st.sampled_from([-1, 1]),
)
def test_an_image_is_mirrored_then_zoomed_slanted_turned_and_shifted(
    rotation: float, zoom: float, right: float, down: float, slant: float, mirror: int
) -> None:
    def matrix(**moves: Any) -> Floats:
        return np.vstack([matrices(move(**moves), 20, 30)[0], [0, 0, 1]])

    one_by_one = [
        matrix(mirror=mirror),
        matrix(zoom=zoom),
        matrix(slant=slant),
        matrix(rotation=rotation),
        matrix(right=right, down=down),
    ]  # from where a pixel comes: the last is undone first
    together = matrix(
        rotation=rotation, zoom=zoom, right=right, down=down, slant=slant, mirror=mirror
    )
    np.testing.assert_allclose(together, np.linalg.multi_dot(one_by_one), atol=1e-9)


# --- pixels -----------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_type_are_kept(channels: int) -> None:
    found = moved(NOISE[..., :channels], move(rotation=10))
    assert found.shape == (COUNT, 20, 30, channels)
    assert found.dtype == np.uint8


def test_each_channel_is_varied_as_it_would_be_alone() -> None:
    together = moved(NOISE, move(rotation=10))
    for channel in range(3):
        alone = moved(NOISE[..., channel : channel + 1], move(rotation=10))
        np.testing.assert_array_equal(together[..., channel], alone[..., 0])


def test_the_images_themselves_stay_as_they_were() -> None:
    images = NOISE.copy()
    Variations(CONFIG, 1, COUNT).apply(images, np.arange(COUNT), number=1)
    np.testing.assert_array_equal(images, NOISE)


def test_a_place_that_an_image_was_moved_away_from_is_black() -> None:
    found = moved(WHITE, move(right=0.5), "constant")
    assert set(found[:, :, :15].flat) == {0}
    assert set(found[:, :, 15:].flat) == {255}


def test_a_place_that_an_image_was_moved_away_from_repeats_the_edge() -> None:
    found = moved(NOISE, move(right=0.5), "nearest")
    edge = np.repeat(NOISE[:, :, :1], 15, axis=2)
    np.testing.assert_array_equal(found[:, :, :15], edge)
