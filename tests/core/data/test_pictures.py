import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.augmentation import Variations
from core.data.data_config import AugmentationConfig
from core.data.datasets import Split
from core.data.pictures import AT_ONCE_BYTES, Pictures, ahead
from core.data.preprocessing import Pixels, for_network
from core.network.network_config import NetworkConfig

COUNT = 7
GREY = np.random.default_rng(0).integers(0, 256, (COUNT, 28, 28), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (COUNT, 20, 20, 3), dtype=np.uint8)
VARIED = AugmentationConfig(rotation=30, shift=0.2)
VARIATIONS = Variations(VARIED, 3, COUNT)
ORDERS = st.lists(st.integers(0, COUNT - 1), min_size=1)


def split_of(images: Any) -> Split:
    return Split(images, np.arange(len(images)) % 10, np.arange(len(images)))


def network(side: int = 12, channels: int = 1) -> NetworkConfig:
    grown: dict[str, Any] = {"architecture": "cnn", "mode": "scratch", "weights": "random"}
    return NetworkConfig(side=side, channels=channels, **grown)


@pytest.fixture(params=[AT_ONCE_BYTES, 0], ids=["resized up front", "resized as it goes"])
def may_hold(request: pytest.FixtureRequest) -> int:
    return int(request.param)


# --- the images of a network ------------------------------------------------------------------


@pytest.mark.parametrize("images", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [12, 28, 40])
def test_pictures_are_what_a_network_takes(
    images: Pixels, channels: int, side: int, may_hold: int
) -> None:
    pictures = Pictures(split_of(images), network(side, channels), may_hold=may_hold)
    positions = np.array([5, 0, 5, 2])
    expected = for_network(images[positions], side, channels)
    assert len(pictures) == COUNT
    np.testing.assert_array_equal(pictures.at(positions), expected)


@given(ORDERS, st.sampled_from([0, AT_ONCE_BYTES]))
def test_pictures_may_be_had_in_any_order(order: list[int], may_hold: int) -> None:
    pictures = Pictures(split_of(GREY), network(), may_hold=may_hold)
    whole = pictures.at(np.arange(COUNT))
    np.testing.assert_array_equal(pictures.at(np.array(order)), whole[order])


def test_without_variations_all_passes_are_alike(may_hold: int) -> None:
    pictures = Pictures(split_of(GREY), network(), may_hold=may_hold)
    positions = np.arange(COUNT)
    np.testing.assert_array_equal(pictures.at(positions, 1), pictures.at(positions, 9))
    assert pictures.varied_as(9) is None


def test_pictures_stay_on_disk_until_they_are_asked_for(tmp_path: Path, may_hold: int) -> None:
    np.save(tmp_path / "images.npy", COLOUR)
    split = split_of(np.load(tmp_path / "images.npy", mmap_mode="r")).take(np.array([6, 1, 3]))
    pictures = Pictures(split, network(channels=3), may_hold=may_hold)
    found = pictures.at(np.array([2, 0]))
    np.testing.assert_array_equal(found, for_network(COLOUR[[3, 6]], 12, 3))


def test_what_would_fill_the_memory_is_not_resized_up_front() -> None:
    many = np.broadcast_to(GREY[0], (10_000, 28, 28))  # 7.9 GB at 512x512 in colour
    tracemalloc.start()
    pictures = Pictures(split_of(many), network(512, 3))
    found = pictures.at(np.array([9_999]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(found, for_network(GREY[:1], 512, 3))
    assert peak < 50 * 2**20


# --- variations -------------------------------------------------------------------------------


@given(ORDERS, st.integers(1, 4), st.sampled_from([0, AT_ONCE_BYTES]))
def test_an_image_is_varied_by_its_position_and_the_pass(
    order: list[int], number: int, may_hold: int
) -> None:
    pictures = Pictures(split_of(GREY), network(), VARIATIONS, may_hold)
    prepared = for_network(GREY, 12, 1)
    expected = Variations(VARIED, 3, COUNT).apply(prepared, np.arange(COUNT), number)
    np.testing.assert_array_equal(pictures.at(np.array(order), number), expected[order])
    assert pictures.varied_as(number) == VARIATIONS.key(number)


def test_each_pass_varies_images_anew(may_hold: int) -> None:
    pictures = Pictures(split_of(GREY), network(), VARIATIONS, may_hold)
    one, two = (pictures.at(np.arange(COUNT), number) for number in (1, 2))
    assert (one != two).any(axis=(1, 2, 3)).all()
    assert pictures.varied_as(1) != pictures.varied_as(2)


def test_batches_come_in_their_order_and_with_their_variations(may_hold: int) -> None:
    pictures = Pictures(split_of(GREY), network(), VARIATIONS, may_hold)
    chosen = [np.array([4, 2]), np.array([0]), np.array([6, 6, 1])]
    for positions, batch in zip(chosen, pictures.batches(chosen, 2), strict=True):
        np.testing.assert_array_equal(batch, pictures.at(positions, 2))


# --- working ahead ----------------------------------------------------------------------------


@given(st.lists(st.integers()))
def test_results_come_in_order(items: list[int]) -> None:
    assert list(ahead(lambda item: item * 2, items)) == [item * 2 for item in items]


def test_the_next_result_is_made_while_one_is_in_use() -> None:
    made = [threading.Event() for _ in range(4)]
    results = ahead(lambda item: made[item].set(), range(4))
    next(results)
    assert made[1].wait(timeout=200)
    assert not made[2].is_set()  # no further ahead than that
    next(results)
    assert made[2].wait(timeout=200)


def test_work_goes_on_in_one_other_thread() -> None:
    threads = set(ahead(lambda item: threading.current_thread(), range(5)))
    assert len(threads) == 1
    assert threading.current_thread() not in threads


def test_an_error_comes_when_its_result_is_due() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise ValueError("broke")
        return item

    results = ahead(work, range(4))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="broke"):
        next(results)


def test_an_error_in_the_items_comes_through() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broke")

    with pytest.raises(ValueError, match="broke"):
        list(ahead(lambda item: item, items()))


def test_who_stops_asking_leaves_the_rest_undone() -> None:
    done: list[int] = []
    results = ahead(done.append, range(100))
    next(results)
    results.close()
    assert len(done) <= 2
