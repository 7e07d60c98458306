"""Statistics of pixels, checked against numpy on all images at once."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.pixel_statistics import Images, in_batches, measure, sampled

CLASSES = 4
LABELS = np.array([0, 2, 2, -1, 0, 2, 1, 1, 1, 0, 2])


@pytest.fixture(params=[(6, 5), (6, 5, 3)])
def images(request: pytest.FixtureRequest) -> NDArray[np.uint8]:
    """Eleven small images, grey or in colour."""
    random = np.random.default_rng(0)
    return random.integers(0, 256, (len(LABELS), *request.param), np.uint8)


def batches(images: Images, size: int = 3) -> Iterator[tuple[Images, NDArray[np.int64]]]:
    for indices in in_batches(np.arange(len(images)), size):
        some: Sequence[NDArray[np.uint8]] = [images[index] for index in indices]
        yield np.stack(some) if isinstance(images, np.ndarray) else some, LABELS[indices]


def test_mean_and_deviation_are_those_of_all_pixels(images: NDArray[np.uint8]) -> None:
    measured = measure(batches(images), classes=CLASSES, shape=images.shape[1:])
    channels = images.reshape(-1, 3 if images.ndim == 4 else 1)
    np.testing.assert_allclose(measured.mean, channels.mean(axis=0))
    np.testing.assert_allclose(measured.deviation, channels.std(axis=0))
    assert measured.images == len(images)


def test_every_pixel_is_counted_under_its_value(images: NDArray[np.uint8]) -> None:
    measured = measure(batches(images), classes=CLASSES, shape=images.shape[1:])
    for channel, counted in enumerate(measured.histogram):
        values = images[..., channel] if images.ndim == 4 else images
        np.testing.assert_array_equal(counted, np.bincount(values.ravel(), minlength=256))


def test_the_mean_image_is_that_of_the_images_of_a_class(images: NDArray[np.uint8]) -> None:
    measured = measure(batches(images), classes=CLASSES, shape=images.shape[1:])
    for label in (0, 1, 2):
        mean = np.rint(images[label == LABELS].mean(axis=0))
        np.testing.assert_array_equal(measured.class_means[label], mean)
    assert measured.class_images.tolist() == [3, 3, 4, 0]
    assert not measured.class_means[3].any()


def test_images_of_many_sizes_are_measured_in_their_own() -> None:
    random = np.random.default_rng(1)
    images = [random.integers(0, 256, (4 + n, 9 - n % 3, 3), np.uint8) for n in range(len(LABELS))]
    measured = measure(batches(images), classes=CLASSES, shape=(4, 4, 3))
    pixels = np.concatenate([image.reshape(-1, 3) for image in images])
    np.testing.assert_allclose(measured.mean, pixels.mean(axis=0))
    assert measured.class_means.shape == (CLASSES, 4, 4, 3)


def test_a_sample_is_in_order_and_has_no_image_twice() -> None:
    chosen = sampled(1000, 100)
    assert len(set(chosen.tolist())) == 100
    assert (np.diff(chosen) > 0).all()
    assert chosen.max() < 1000
