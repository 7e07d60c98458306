import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.predicting.turns import Turns


def test_one_has_it_at_a_time() -> None:
    turns, inside, most = Turns(), 0, []

    def work(_: int) -> None:
        nonlocal inside
        with turns:
            inside += 1
            most.append(inside)
            time.sleep(0.001)
            inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert most == [1] * 40


def test_it_is_had_in_the_order_in_which_it_was_asked_for() -> None:
    turns, order = Turns(), []

    def take(number: int) -> None:
        with turns:
            order.append(number)

    with turns:
        threads = [threading.Thread(target=take, args=(number,)) for number in range(5)]
        for number, thread in enumerate(threads):
            thread.start()
            while turns.waiting < number + 1:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_comes_late_waits_for_one_turn_of_who_goes_on_and_on() -> None:
    turns, parts, late = Turns(), [], []

    def come_late() -> None:
        with turns:
            late.append(len(parts))

    comer = threading.Thread(target=come_late)
    for part in range(10):
        with turns:
            parts.append(part)
            if part == 4:
                comer.start()
                while not turns.waiting:
                    time.sleep(0.001)
    comer.join()
    assert late == [5]


def test_a_turn_that_fails_is_over() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="failed"), turns:
        raise ValueError("failed")
    with turns:
        pass
