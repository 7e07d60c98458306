import threading
from collections.abc import Callable

from core.errors import UnreadableUpload
from core.jobs import Job


def test_a_job_tells_how_far_it_is_and_gives_its_result() -> None:
    go_on, told = threading.Event(), threading.Event()

    def compute(progress: Callable[[float], None]) -> int:
        progress(0.5)
        told.set()
        go_on.wait(10)
        return 7

    job = Job(compute)
    told.wait(10)
    assert (job.active, job.share, job.result) == (True, 0.5, None)
    go_on.set()
    job.wait(10)
    assert (job.active, job.result, job.failure) == (False, 7, None)
    assert job.seconds == job.seconds > 0


def test_a_job_that_is_cancelled_ends_at_its_next_word() -> None:
    begun, steps = threading.Event(), []

    def compute(progress: Callable[[float], None]) -> None:
        for step in range(100_000_000):
            steps.append(step)
            begun.set()
            progress(0.1)

    job = Job(compute)
    begun.wait(10)
    job.cancel()
    assert not job.active
    job.wait(10)
    assert job.result is None
    assert job.failure is None
    assert not job.broken
    assert len(steps) < 100_000_000


def test_an_expected_failure_is_kept_and_any_other_is_known() -> None:
    def refuse(progress: Callable[[float], None]) -> None:
        raise UnreadableUpload("line 3 is too long")

    def break_off(progress: Callable[[float], None]) -> None:
        raise ZeroDivisionError

    refused, broken = Job(refuse), Job(break_off)
    refused.wait(10)
    broken.wait(10)
    assert str(refused.failure) == "line 3 is too long"
    assert not refused.broken
    assert broken.broken
    assert broken.failure is None
