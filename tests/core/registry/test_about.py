"""What people say of a run: its name, its tags, its note."""

import threading
from collections.abc import Callable

import pytest

from core.errors import InvalidRequest, UnknownRun, WorkFailed
from core.registry.config import RunConfig
from core.registry.run import Run
from core.registry.run_files import About
from core.registry.runs import Runs
from core.registry.saying import LONGEST_NOTE


@pytest.fixture
def run(runs: Runs, config: RunConfig) -> Run:
    return runs.create(config, "mine")


def at_once(*actions: Callable[[], object]) -> list[Exception]:
    """Let threads do all of these at the same moment; what they raised."""
    barrier, raised = threading.Barrier(len(actions)), []

    def act(action: Callable[[], object]) -> None:
        barrier.wait()
        try:
            action()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=act, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_of_a_new_run_nothing_is_said(run: Run) -> None:
    assert run.about == About()
    assert not run.folder.about.exists()


def test_a_run_may_be_launched_with_a_note(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config, note=" Why? \n")
    assert runs.find(run.id).about.note == run.about.note == "Why?"


def test_a_run_goes_by_its_new_name_and_the_request_stays(runs: Runs, run: Run) -> None:
    asked = run.folder.request.read_bytes()
    runs.rename(run, " better \t name ")
    assert runs.find("better name").id == run.id
    assert runs.again(run).name == "better name"
    assert run.folder.request.read_bytes() == asked
    with pytest.raises(UnknownRun):
        runs.find("mine")


def test_a_name_that_another_run_has_is_refused(runs: Runs, run: Run, config: RunConfig) -> None:
    other = runs.create(config, "other")
    runs.rename(other, "renamed")
    with pytest.raises(InvalidRequest, match="there is a run named 'renamed' already"):
        runs.rename(run, "renamed")
    runs.rename(run, "other")
    assert {each.name for each in runs.all()} == {"renamed", "other"}


def test_a_run_may_be_given_the_name_it_has(runs: Runs, run: Run) -> None:
    runs.rename(run, "mine")
    assert runs.again(run).name == "mine"


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "a\nb\x07"])
def test_a_name_that_cannot_be_shown_is_refused(runs: Runs, run: Run, name: str) -> None:
    with pytest.raises(InvalidRequest, match="name must have 1 to 80 printable characters"):
        runs.rename(run, name)
    assert runs.again(run).name == "mine"


def test_tags_are_tidied_kept_in_order_and_replaced(runs: Runs, run: Run) -> None:
    runs.tag(run, [" to show ", "best", "to  show"])
    assert runs.again(run).about.tags == ("to show", "best")
    runs.tag(run, [])
    assert runs.again(run).about.tags == ()


@pytest.mark.parametrize("tag", ["", " ", "a,b", "x" * 31, "\x00"])
def test_a_tag_that_could_not_be_told_from_others_is_refused(
    runs: Runs, run: Run, tag: str
) -> None:
    with pytest.raises(InvalidRequest, match="a tag must have 1 to 30 printable characters and no"):
        runs.tag(run, ["fine", tag])
    assert runs.again(run).about.tags == ()


def test_a_run_has_at_most_twenty_tags(runs: Runs, run: Run) -> None:
    runs.tag(run, map(str, range(20)))
    with pytest.raises(InvalidRequest, match="at most 20 tags, got 21"):
        runs.tag(run, map(str, range(21)))


def test_a_note_keeps_its_lines(runs: Runs, run: Run) -> None:
    runs.annotate(run, "\nfirst\n\nsecond ü 你好\n")
    assert runs.again(run).about.note == "first\n\nsecond ü 你好"


def test_a_note_has_an_end(runs: Runs, run: Run, config: RunConfig) -> None:
    too_long = "x" * (LONGEST_NOTE + 1)
    with pytest.raises(InvalidRequest, match="at most 10,000 characters, got 10,001"):
        runs.annotate(run, too_long)
    with pytest.raises(InvalidRequest, match="at most 10,000 characters"):
        runs.create(config, "wordy", too_long)
    assert [each.name for each in runs.all()] == ["mine"]


def test_what_is_said_of_a_run_that_trains_leaves_its_state_alone(runs: Runs, run: Run) -> None:
    written = run.folder.state.stat()
    runs.rename(run, "better")
    runs.annotate(run, "so far so good")
    assert run.folder.state.stat() == written


def test_a_run_whose_about_cannot_be_read_is_no_damaged_run(runs: Runs, run: Run) -> None:
    runs.rename(run, "better")
    run.folder.about.write_text('{"name": ')
    assert runs.again(run).about == About()
    assert runs.damaged() == []
    runs.annotate(run, "again")
    assert runs.again(run).about.note == "again"


def test_people_who_say_different_things_at_once_are_all_heard(runs: Runs, run: Run) -> None:
    said = at_once(
        lambda: [runs.annotate(run, f"note {number}") for number in range(20)],
        lambda: [runs.tag(run, [f"tag {number}"]) for number in range(20)],
        lambda: [runs.rename(run, f"name {number}") for number in range(20)],
    )
    assert said == []
    assert runs.again(run).about == About(name="name 19", note="note 19", tags=("tag 19",))


def test_of_runs_that_are_named_alike_at_once_one_gets_the_name(
    runs: Runs, config: RunConfig
) -> None:
    others = [runs.create(config) for _ in range(5)]
    refused = at_once(*(lambda run=run: runs.rename(run, "wanted") for run in others))
    assert [type(error) for error in refused] == [InvalidRequest] * 4
    assert [run.name for run in runs.all()].count("wanted") == 1


def test_runs_that_are_launched_at_once_do_not_get_in_each_others_way(
    runs: Runs, config: RunConfig
) -> None:
    assert at_once(*[lambda: runs.create(config)] * 8) == []
    made = runs.all()
    for different in (lambda run: run.id, lambda run: run.name, lambda run: run.request.color):
        assert len(set(map(different, made))) == 8
    assert len({run.state.queued for run in made}) == 8


def test_of_runs_that_are_launched_at_once_under_one_name_one_is(
    runs: Runs, config: RunConfig
) -> None:
    refused = at_once(*[lambda: runs.create(config, "wanted")] * 4)
    assert [type(error) for error in refused] == [InvalidRequest] * 3
    assert [run.name for run in runs.all()] == ["wanted"]


@pytest.mark.parametrize(
    "say",
    [
        lambda runs, run: runs.rename(run, "new"),
        lambda runs, run: runs.tag(run, ["new"]),
        lambda runs, run: runs.annotate(run, "new"),
    ],
)
def test_a_run_that_was_deleted_meanwhile_is_told(
    runs: Runs, run: Run, say: Callable[[Runs, Run], None]
) -> None:
    runs.delete(run)
    with pytest.raises(UnknownRun, match="the run 'mine' was deleted meanwhile"):
        say(runs, run)
    assert not list(runs.workspace.locks.glob(f"{run.id}*"))


def test_what_cannot_be_written_is_told(runs: Runs, run: Run) -> None:
    run.folder.about.mkdir()
    with pytest.raises(WorkFailed, match="the run 'mine' cannot be changed: Is a directory; make"):
        runs.annotate(run, "new")


def test_a_run_that_cannot_be_made_is_told(runs: Runs, config: RunConfig) -> None:
    runs.workspace.root.mkdir()
    runs.workspace.runs.write_text("in the way")
    with pytest.raises(WorkFailed, match=r"the run cannot be written to .*; make room or permit"):
        runs.create(config)
