import numpy as np

from core.activations.feature_maps import feature_maps_of

NUMBERS = np.zeros((2, 3, 3), np.float32)
NUMBERS[..., 0] = [[0, 1, 2], [3, 4, -5]]
NUMBERS[..., 1] = [[0, 0, 0], [0, 8, 0]]
NUMBERS[..., 2] = -1


def test_the_strongest_answer_is_all_of_itself_and_below_nothing_is_nothing() -> None:
    maps = feature_maps_of(NUMBERS)
    assert maps.peaks.tolist() == [4, 8, 0]
    assert maps.strongest == 8
    assert maps.shares[0].tolist() == [[0, 64, 128], [191, 255, 0]]
    assert maps.silent.tolist() == [False, False, True]
    assert not maps.shares[2].any()


def test_the_place_of_the_strongest_answer_is_counted_row_by_row() -> None:
    assert feature_maps_of(NUMBERS).place(1) == 4


def test_tiles_are_as_bright_as_their_share_of_the_layers_or_of_their_own_strongest() -> None:
    maps = feature_maps_of(NUMBERS)
    across = maps.tiles([1, 0], across_layer=True, largest=64)
    assert across.max(axis=(1, 2)).tolist() == [255, 128]
    by_itself = maps.tiles([1, 0], across_layer=False, largest=64)
    assert by_itself.max(axis=(1, 2)).tolist() == [255, 255]


def test_a_layer_that_is_silent_is_black() -> None:
    maps = feature_maps_of(np.zeros((4, 4, 2), np.float32))
    assert not maps.tiles([0, 1], across_layer=True, largest=64).any()


def test_large_maps_are_shrunk_and_keep_their_shape() -> None:
    maps = feature_maps_of(np.ones((128, 64, 2), np.float32))
    assert maps.tiles([0], across_layer=True, largest=64).shape == (1, 64, 32)
