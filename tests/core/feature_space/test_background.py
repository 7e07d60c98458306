import os
import subprocess
import time

import pytest

from core.errors import WorkFailed
from core.feature_space.background import Background, Work
from core.feature_space.space import FeatureSpace
from core.processes import ProcessIdentity, this_process

OtherProcess = tuple[subprocess.Popen[str], ProcessIdentity]


@pytest.fixture
def background(space: FeatureSpace) -> Background:
    space.folder.mkdir(parents=True)
    return Background(space)


def test_nothing_is_at_work_before_somebody_asks(space: FeatureSpace) -> None:
    assert Background(space).work() is None
    assert not Background(space).at_work()


def test_how_far_it_is_can_be_read_while_its_process_lives(background: Background) -> None:
    work = Work(process=this_process(), phase="t-SNE", done=50, total=1000, left=12.5)
    background.tell(work)
    assert background.work() == work
    assert background.at_work()


def test_a_process_that_was_killed_is_noticed(
    background: Background, other_process: OtherProcess
) -> None:
    process, identity = other_process
    background.tell(Work(process=identity, phase="t-SNE"))
    assert background.at_work()
    process.kill()
    process.wait()
    work = background.work()
    assert work is not None
    assert work.ended
    assert "Start it again" in work.failure


def test_a_file_that_cannot_be_read_says_nothing(background: Background) -> None:
    (background.space.folder / "work.json").write_text('{"process": ')
    assert background.work() is None


def test_requests_are_taken_one_by_one(background: Background) -> None:
    background.tell(Work(process=this_process()))  # so that asking starts no other
    background.ask("neighbours")
    background.ask("pca")
    assert background.asked("neighbours")
    assert [background.take(), background.take(), background.take()] == ["pca", "neighbours", None]


def test_cancelling_ends_the_process_and_forgets_what_was_asked(
    background: Background, other_process: OtherProcess
) -> None:
    process, identity = other_process
    background.tell(Work(process=identity))
    background.ask("tsne")
    background.cancel()
    assert process.wait(10) != 0
    assert background.work() is None
    assert not background.asked("tsne")


def test_cancelling_what_has_ended_harms_nobody(background: Background) -> None:
    background.tell(Work(process=this_process(), ended=True))
    background.cancel()
    assert background.work() is None


def test_a_process_that_cannot_begin_is_told_with_what_to_do(space: FeatureSpace) -> None:
    space.of_run.parent.mkdir(parents=True)
    space.of_run.write_text("a file where the folder should be")
    with pytest.raises(WorkFailed, match=r"nothing can be computed in .*; make room or permit"):
        Background(space).ask("pca")


def test_a_run_without_weights_ends_in_a_sentence(
    background: Background, space: FeatureSpace
) -> None:
    space.run.folder.weights(1).unlink()
    background.ask("pca")
    deadline = time.monotonic() + 200
    while background.at_work():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    work = background.work()
    assert work is not None
    assert work.process.pid != os.getpid()
    assert work.failure
