import threading
from collections.abc import Callable

from core.errors import UnreadableUpload
from core.jobs import Job, SharedJobs, Steps, Tell


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


def test_a_job_tells_its_phase_and_how_long_that_will_still_take() -> None:
    told, go_on = threading.Event(), threading.Event()

    def compute(tell: Tell) -> None:
        tell(0.0, "reading")
        tell(0.5)
        told.set()
        go_on.wait(60)

    job = Job(compute)
    told.wait(60)
    assert (job.phase, job.share) == ("reading", 0.5)
    assert job.left is not None
    assert 0 < job.left <= job.seconds
    go_on.set()


class Counting:
    """Counts on until it is cancelled; begun: how often it was begun."""

    def __init__(self) -> None:
        self.begun, self.ended = 0, threading.Event()
        self.go_on = threading.Event()

    def __call__(self, tell: Tell) -> int:
        self.begun += 1
        try:
            while not self.go_on.wait(0.01):
                tell(0.5)
        finally:
            self.ended.set()
        return self.begun


def test_what_two_want_is_done_once_for_both() -> None:
    jobs, work = SharedJobs[int](most=4), Counting()
    first, second = jobs.want("a", "Ann", work), jobs.want("a", "Bob", work)
    assert first is second
    work.go_on.set()
    first.wait(60)
    assert jobs.want("a", "Eve", work).result == work.begun == 1


def test_one_who_cancels_does_not_end_what_another_wants() -> None:
    jobs, work = SharedJobs[int](most=4), Counting()
    job = jobs.want("a", "Ann", work)
    jobs.want("a", "Bob", work)
    jobs.leave("a", "Ann")
    assert job.active
    work.go_on.set()
    job.wait(60)
    assert job.result == 1


def test_what_nobody_wants_any_more_ends_and_can_be_begun_anew() -> None:
    jobs, work = SharedJobs[int](most=4), Counting()
    left = jobs.want("a", "Ann", work)
    jobs.leave("a", "Ann")
    assert work.ended.wait(60)
    left.wait(60)
    assert left.cancelled
    assert left.result is None
    work.go_on.set()
    again = jobs.want("a", "Ann", work)
    again.wait(60)
    assert again.result == 2


def test_work_whose_waiters_never_come_back_ends_by_itself() -> None:
    jobs, work = SharedJobs[int](most=4, patience=0.05), Counting()
    jobs.want("a", "Ann", work)
    assert work.ended.wait(60)


def test_what_was_asked_for_least_recently_is_forgotten_but_never_what_goes_on() -> None:
    jobs, slow = SharedJobs[int](most=2), Counting()
    going_on = jobs.want("slow", "Ann", slow)
    for key in "abc":
        jobs.want(key, "Ann", lambda tell: 1).wait(60)
    assert jobs.want("slow", "Ann", slow) is going_on
    kept = jobs.want("c", "Ann", lambda tell: 2)
    kept.wait(60)
    assert kept.result == 1
    made_anew = jobs.want("a", "Ann", lambda tell: 2)
    made_anew.wait(60)
    assert made_anew.result == 2
    slow.go_on.set()


def test_a_failure_that_was_told_is_tried_anew() -> None:
    def refuse(tell: Tell) -> int:
        raise UnreadableUpload("line 3 is too long")

    jobs = SharedJobs[int](most=4)
    failed = jobs.want("a", "Ann", refuse)
    failed.wait(60)
    jobs.forget("a", failed)
    again = jobs.want("a", "Ann", lambda tell: 7)
    again.wait(60)
    assert (str(failed.failure), again.result) == ("line 3 is too long", 7)


def test_a_step_that_asks_others_does_not_change_how_far_the_whole_is() -> None:
    told: list[tuple[float, str]] = []
    steps = Steps(lambda share, phase="": told.append((share, phase)))
    steps.within(0.0, "starting")
    steps(0.5, "counting")
    steps.within(0.1, "starting")
    assert told == [(0.0, "starting"), (0.5, "counting"), (0.5, "")]


def test_a_step_that_asks_others_ends_with_the_job() -> None:
    in_step, ended = threading.Event(), threading.Event()

    def compute(tell: Tell) -> None:
        steps = Steps(tell)
        try:
            while True:
                steps.within(0.0)
                in_step.set()
        finally:
            ended.set()

    job = Job(compute)
    assert in_step.wait(60)
    job.cancel()
    assert ended.wait(60)
