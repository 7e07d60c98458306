import cv2
import numpy as np
import pytest

from core.explaining.heat import Heat, heat_of, spread

NOTHING = np.zeros((3, 2), np.float32)


def test_channels_count_as_much_as_their_gradients_are_on_average() -> None:
    activations = np.array([[[1, 0], [2, 1]], [[0, 4], [3, 0]]], np.float32)
    gradients = np.array([[[1, -1], [3, 0]], [[0, 0], [4, -1]]], np.float32)
    # means 2 and -0.5: 2, 3.5, -2 (left out), 6
    np.testing.assert_allclose(
        heat_of(activations, gradients).fields, [[2 / 6, 3.5 / 6], [0, 1]], rtol=1e-6
    )


def test_a_map_on_which_nothing_speaks_for_the_class_is_told_as_empty() -> None:
    activations = np.ones((2, 3, 4), np.float32)
    heat = heat_of(activations, -activations)
    assert heat.empty
    np.testing.assert_array_equal(heat.fields, np.zeros((2, 3)))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(number: float) -> None:
    activations = np.full((2, 2, 1), number, np.float32)
    with pytest.raises(ValueError, match="finite"):
        heat_of(activations, np.ones((2, 2, 1)))


def test_a_map_lies_over_the_picture_as_its_fields_do() -> None:
    fields = np.array([[0, 1], [0, 0]], np.float32)
    over = Heat(fields).over(28, 28)
    assert over.shape == (28, 28)
    shrunk = cv2.resize(over, (2, 2), interpolation=cv2.INTER_AREA)
    assert np.unravel_index(np.argmax(shrunk), (2, 2)) == (0, 1)
    assert over[:7, 21:].min() == 1 and over[21:].max() == 0


def test_a_picture_may_be_wider_than_high() -> None:
    assert spread(NOTHING, 10, 40).shape == (10, 40)
