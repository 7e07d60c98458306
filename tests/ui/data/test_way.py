"""The order in which images of a dataset are looked at."""

import numpy as np

from ui.data.way import Way, way_through

LABELS = np.array([2, 0, 1, 0, 2, 0])


def test_images_of_one_class_stand_by_index() -> None:
    assert way_through(LABELS, 0, "").indices.tolist() == [1, 3, 5]


def test_by_class_the_images_of_each_stand_together() -> None:
    assert way_through(LABELS, None, "class").indices.tolist() == [1, 3, 5, 2, 0, 4]


def test_shuffled_all_are_there_in_the_same_order_each_time() -> None:
    way = way_through(LABELS, None, "shuffled")
    assert sorted(way.indices.tolist()) == [0, 1, 2, 3, 4, 5]
    assert way.indices.tolist() == way_through(LABELS, None, "shuffled").indices.tolist()


def test_a_step_ends_at_the_last_image() -> None:
    way = Way(np.array([4, 8, 6]))
    assert [way.further(index, 1) for index in (4, 8, 6)] == [8, 6, 6]
    assert way.further(4, -1) == 4


def test_the_nearest_image_is_the_next_by_index() -> None:
    way = Way(np.array([9, 4, 6]))
    assert [way.nearest(index) for index in (0, 4, 5, 7, 100)] == [4, 4, 6, 9, 9]
