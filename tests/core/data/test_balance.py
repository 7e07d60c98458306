"""How evenly images are spread over the classes."""

import numpy as np

from core.data.balance import balance


def test_the_smallest_class_is_one_that_has_images() -> None:
    found = balance(np.array([0, 40, 10, 30]))
    assert (found.largest, found.smallest, found.ratio, found.missing) == (1, 2, 4.0, (0,))


def test_twice_as_many_images_are_uneven() -> None:
    assert balance(np.array([20, 10])).uneven
    assert not balance(np.array([19, 10])).uneven


def test_a_single_class_is_even() -> None:
    assert not balance(np.array([7])).uneven
