import json
import math
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import DamagedFile, InvalidRequest, UnknownRun
from core.processes import ProcessIdentity, this_process
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import DamagedRun, Run
from core.registry.run_files import WORKING, read_json
from core.registry.runs import COLORS, Runs
from core.registry.settings import change

MakeRun = Callable[..., Run]
Other = tuple[subprocess.Popen[str], ProcessIdentity]


def rename(run: Run, run_id: str) -> Run:
    """Give a run an id that a test can choose."""
    content = json.loads(run.folder.request.read_text())
    run.folder.request.write_text(json.dumps(content | {"id": run_id}))
    return Run.read(run.folder.path.rename(run.folder.path.with_name(run_id)))


# --- creating and listing ---------------------------------------------------------------------


def test_a_workspace_without_runs_has_none(runs: Runs) -> None:
    assert not [*runs.all(), *runs.damaged(), *runs.queue()]
    assert not runs.workspace.root.exists()


def test_a_new_run_waits_and_is_read_as_it_was_made(runs: Runs, config: RunConfig) -> None:
    made = runs.create(config, "first")
    found = runs.find(made.id)
    assert (found.name, found.status, found.config) == ("first", "queued", config)
    assert (found.request, found.state) == (made.request, made.state)
    assert not found.has_results


def test_a_run_is_a_folder_of_json_that_any_tool_can_read(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config, "first")
    assert {path.name for path in run.folder.path.iterdir()} == {"config.json", "state.json"}
    request = json.loads(run.folder.request.read_text())
    assert request["name"] == "first"
    assert request["config"] == config.model_dump(mode="json")
    assert json.loads(run.folder.state.read_text())["status"] == "queued"


def test_runs_are_listed_newest_first(runs: Runs, config: RunConfig) -> None:
    ids = ["20250101-000000-aaaa", "20260101-000000-aaaa", "20251231-000000-aaaa"]
    for run_id in ids:
        rename(runs.create(config), run_id)
    assert [run.id for run in runs.all()] == sorted(ids, reverse=True)


def test_hidden_folders_are_no_runs(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config)
    for name in (".new-20260101-000000-aaaa", ".deleted-20260101-000000-aaaa"):
        run.folder.path.with_name(name).mkdir()
    assert [found.id for found in runs.all()] == [run.id]
    assert runs.damaged() == []


def test_a_stray_file_is_no_run(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config)
    run.folder.path.with_name("notes.txt").write_text("mine")
    assert [found.id for found in runs.all()] == [run.id]
    assert runs.damaged() == []


# --- names and colours ------------------------------------------------------------------------


def test_without_a_wish_a_run_is_named_after_its_recipe_and_numbered(
    runs: Runs, config: RunConfig
) -> None:
    names = [runs.create(config).name for _ in range(3)]
    assert names == ["cnn-digits", "cnn-digits 2", "cnn-digits 3"]


def test_a_name_that_is_taken_is_refused(runs: Runs, config: RunConfig) -> None:
    runs.create(config, "mine")
    with pytest.raises(InvalidRequest, match="there is a run named 'mine' already"):
        runs.create(config, " mine ")
    assert len(runs.all()) == 1


def test_a_name_can_be_given_again_after_its_run_was_deleted(runs: Runs, config: RunConfig) -> None:
    runs.delete(runs.create(config, "mine"))
    assert runs.create(config, "mine").name == "mine"


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x07b", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(runs: Runs, config: RunConfig, name: str) -> None:
    with pytest.raises(InvalidRequest, match="name must have 1 to 80 printable characters, got"):
        runs.create(config, name)


@pytest.mark.parametrize("name", ["x" * 80, "Grüße 你好", "../../etc", "a/b", "<b>", "-x"])
def test_a_name_may_hold_what_can_be_shown_and_never_becomes_a_path(
    runs: Runs, config: RunConfig, name: str
) -> None:
    run = runs.create(config, name)
    assert run.folder.path.parent == runs.workspace.runs
    assert runs.find(name).id == run.id


def test_spaces_in_a_name_are_tidied(runs: Runs, config: RunConfig) -> None:
    assert runs.create(config, "  two\t words\n").name == "two words"


def test_the_first_ten_runs_have_ten_colours(runs: Runs, config: RunConfig) -> None:
    assert {runs.create(config).request.color for _ in range(COLORS)} == set(range(10))


def test_the_colour_of_a_deleted_run_is_used_again(runs: Runs, config: RunConfig) -> None:
    three = [runs.create(config) for _ in range(3)]
    runs.delete(three[1])
    assert runs.create(config).request.color == three[1].request.color


def test_a_run_keeps_its_colour_when_others_go(runs: Runs, config: RunConfig) -> None:
    first, second = runs.create(config), runs.create(config)
    runs.delete(first)
    assert runs.find(second.id).request.color == second.request.color


# --- finding ----------------------------------------------------------------------------------


@pytest.fixture
def two(runs: Runs, config: RunConfig) -> tuple[Run, Run]:
    return (
        rename(runs.create(config, "first"), "20260101-000000-aaaa"),
        rename(runs.create(config, "second"), "20260102-000000-bbbb"),
    )


@pytest.mark.parametrize("reference", ["20260102-000000-bbbb", "20260102", "second"])
def test_a_run_is_found_by_id_unique_prefix_and_name(
    runs: Runs, two: tuple[Run, Run], reference: str
) -> None:
    assert runs.find(reference).id == two[1].id


def test_a_prefix_of_several_ids_is_refused_with_all_of_them(
    runs: Runs, two: tuple[Run, Run]
) -> None:
    expected = f"'2026' could be any of {two[1].id}, {two[0].id}; give more of the id"
    with pytest.raises(UnknownRun, match=expected):
        runs.find("2026")


def test_a_name_goes_before_a_prefix(runs: Runs, two: tuple[Run, Run], config: RunConfig) -> None:
    named = runs.create(config, "20260101")
    assert runs.find("20260101").id == named.id


def test_an_id_goes_before_a_name(runs: Runs, two: tuple[Run, Run], config: RunConfig) -> None:
    runs.create(config, two[0].id)
    assert runs.find(two[0].id).name == "first"


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "third",
        "firs",
        ".",
        "..",
        "../runs/20260101-000000-aaaa",
        "20260101-000000-aaaa/",
        "20260101-000000-aaaa/../20260102-000000-bbbb",
        "./20260101-000000-aaaa",
        "20260101-000000-aaaa\0",
        "*",
        ".deleted-20260103-000000-cccc",
    ],
)
def test_whatever_is_no_reference_to_a_run_is_not_found(
    runs: Runs, two: tuple[Run, Run], reference: str
) -> None:
    two[0].folder.path.with_name(".deleted-20260103-000000-cccc").mkdir()
    with pytest.raises(UnknownRun, match=re.escape(f"there is no run {reference!r}")):
        runs.find(reference)


def test_a_run_outside_the_workspace_is_not_found(runs: Runs, two: tuple[Run, Run]) -> None:
    outside = two[0].folder.path.rename(runs.workspace.root / two[0].id)
    for reference in (f"../{two[0].id}", str(outside)):
        with pytest.raises(UnknownRun):
            runs.find(reference)


# --- damage -----------------------------------------------------------------------------------


DAMAGES: list[tuple[str, Any, str]] = [
    ("state.json", "", "state.json cannot be read: Invalid JSON"),
    ("state.json", '{"status": "run', "state.json cannot be read: Invalid JSON"),
    ("state.json", '{"status": "sleeping"}', "state.json cannot be read: status: Input should be"),
    ("state.json", "[]", "state.json cannot be read: "),
    ("state.json", b"\xff\xfe\0", "state.json cannot be read: "),
    ("state.json", None, "state.json is missing"),
    ("config.json", "{}", "config.json cannot be read: id: Field required"),
    ("config.json", b"\0" * 100, "config.json cannot be read: Invalid JSON"),
    ("config.json", None, "config.json is missing"),
]


@pytest.mark.parametrize(("name", "content", "reason"), DAMAGES)
def test_a_damaged_run_says_why_and_hides_no_other(
    runs: Runs, two: tuple[Run, Run], name: str, content: str | bytes | None, reason: str
) -> None:
    path = two[0].folder.path / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert [run.id for run in runs.all()] == [two[1].id]
    (damaged,) = runs.damaged()
    assert damaged.id == two[0].id
    assert damaged.reason.startswith(reason)
    with pytest.raises(DamagedFile, match=f"the run {two[0].id} is damaged: {name}"):
        runs.find(two[0].id)


def test_a_folder_that_was_renamed_by_hand_is_damaged(runs: Runs, two: tuple[Run, Run]) -> None:
    two[0].folder.path.rename(two[0].folder.path.with_name("copy"))
    (damaged,) = runs.damaged()
    assert damaged.reason == f"config.json belongs to another run, {two[0].id}"


def test_an_empty_folder_is_damaged(runs: Runs, two: tuple[Run, Run]) -> None:
    two[0].folder.path.with_name("empty").mkdir()
    assert [damaged.id for damaged in runs.damaged()] == ["empty"]
    assert len(runs.all()) == 2


def test_a_file_where_a_folder_should_be_hides_no_other(runs: Runs, two: tuple[Run, Run]) -> None:
    two[0].folder.state.unlink()
    two[0].folder.state.mkdir()
    assert [run.id for run in runs.all()] == [two[1].id]
    assert [run.id for run in runs.damaged()] == [two[0].id]


def test_a_damaged_run_can_be_deleted(runs: Runs, two: tuple[Run, Run]) -> None:
    two[0].folder.state.write_text("")
    damaged = runs.find_any(two[0].id)
    assert isinstance(damaged, DamagedRun)
    runs.delete(damaged)
    assert runs.damaged() == []
    assert not two[0].folder.path.exists()


def test_a_request_that_was_mended_is_read_again(runs: Runs, two: tuple[Run, Run]) -> None:
    path = two[0].folder.request
    whole, before = path.read_text(), path.stat()
    path.write_text("{")
    assert len(runs.damaged()) == 1
    path.write_text(whole)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert runs.damaged() == []


def test_json_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "backbone.json").write_text("{")
    with pytest.raises(DamagedFile, match=r"backbone\.json cannot be read"):
        read_json(tmp_path / "backbone.json")


# --- state ------------------------------------------------------------------------------------


def test_a_state_that_was_written_is_read(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config)
    written = run.write_state(status="finished", epoch=1, metrics={"test_accuracy": 0.9895})
    assert written.status == "finished"
    again = runs.again(run)
    assert again.state == written.state
    assert again.state.metrics == {"test_accuracy": 0.9895}
    assert again.request == run.request


def test_what_is_not_changed_in_the_state_stays(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config).write_state(epoch=3)
    assert run.write_state(phase="training").state.epoch == 3


def test_a_run_that_diverged_is_readable_by_any_tool_and_not_damaged(
    runs: Runs, config: RunConfig
) -> None:
    run = runs.create(config).write_state(status="finished", metrics={"test_loss": math.nan})
    assert math.isnan(runs.again(run).state.metrics["test_loss"])
    assert runs.damaged() == []

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    json.loads(run.folder.state.read_text(), parse_constant=refuse)


def test_a_run_has_results_once_it_ended_with_an_epoch(make_run: MakeRun) -> None:
    run = make_run()
    assert run.has_results
    assert run.write_state(status="stopped").has_results
    assert not run.write_state(status="running").has_results
    assert not run.write_state(status="failed", best_epoch=0).has_results


@pytest.mark.parametrize("status", WORKING)
def test_a_run_at_work_whose_process_lives_is_what_it_says(
    runs: Runs, config: RunConfig, other_process: Other, status: str
) -> None:
    run = runs.create(config).write_state(status=status, process=other_process[1])
    assert runs.again(run).status == status


@pytest.mark.parametrize("status", WORKING)
def test_a_run_whose_process_was_killed_is_interrupted(
    runs: Runs, config: RunConfig, other_process: Other, status: str
) -> None:
    process, identity = other_process
    run = runs.create(config).write_state(status=status, process=identity)
    process.kill()
    process.wait()
    assert runs.again(run).status == "interrupted"


def test_a_run_whose_pid_another_process_has_now_is_interrupted(
    runs: Runs, config: RunConfig
) -> None:
    earlier = ProcessIdentity(pid=os.getpid(), started="before this one")
    run = runs.create(config).write_state(status="running", process=earlier)
    assert runs.again(run).status == "interrupted"


def test_a_run_at_work_that_names_no_process_is_interrupted(runs: Runs, config: RunConfig) -> None:
    assert runs.again(runs.create(config).write_state(status="running")).status == "interrupted"


@pytest.mark.parametrize("status", ["finished", "stopped", "failed", "interrupted"])
def test_a_run_that_ended_needs_no_process(runs: Runs, config: RunConfig, status: str) -> None:
    earlier = ProcessIdentity(pid=os.getpid(), started="before this one")
    run = runs.create(config).write_state(status=status, process=earlier)
    assert runs.again(run).status == status


# --- queue, stop, delete ----------------------------------------------------------------------


def test_the_queue_holds_what_waits_in_the_order_of_asking(runs: Runs, config: RunConfig) -> None:
    waiting = [runs.create(config) for _ in range(3)]
    runs.create(config).write_state(status="finished")
    for place, run in zip((2, 1, 3), waiting, strict=True):
        run.write_state(queued=float(place))
    assert [run.id for run in runs.queue()] == [waiting[1].id, waiting[0].id, waiting[2].id]


def test_a_run_that_is_stopped_while_it_waits_leaves_the_queue(
    runs: Runs, config: RunConfig
) -> None:
    run = runs.create(config)
    runs.request_stop(run)
    assert runs.again(run).status == "stopped"
    assert runs.queue() == []


@pytest.mark.parametrize("status", ["preparing", "running"])
def test_a_run_at_work_that_is_asked_to_stop_is_stopping(
    runs: Runs, config: RunConfig, status: str
) -> None:
    run = runs.create(config).write_state(status=status, process=this_process())
    runs.request_stop(run)
    assert runs.again(run).status == "stopping"


@pytest.mark.parametrize("status", ["finished", "stopped", "failed", "interrupted"])
def test_a_run_that_ended_cannot_be_stopped(runs: Runs, config: RunConfig, status: str) -> None:
    run = runs.create(config, "mine").write_state(status=status)
    with pytest.raises(InvalidRequest, match=f"the run 'mine' is {status}; only a run that waits"):
        runs.request_stop(run)
    assert not run.folder.stop_request.exists()


def test_a_run_that_ended_since_it_was_read_cannot_be_stopped(
    runs: Runs, config: RunConfig
) -> None:
    as_it_was = runs.create(config)
    as_it_was.write_state(status="finished")
    with pytest.raises(InvalidRequest, match="is finished"):
        runs.request_stop(as_it_was)


def test_a_deleted_run_is_gone(runs: Runs, config: RunConfig) -> None:
    run, other = runs.create(config), runs.create(config)
    runs.delete(run)
    assert [left.id for left in runs.all()] == [other.id]
    assert os.listdir(runs.workspace.runs) == [other.id]
    with pytest.raises(UnknownRun):
        runs.find(run.id)


@pytest.mark.parametrize("status", WORKING)
def test_a_run_at_work_is_not_deleted(
    runs: Runs, config: RunConfig, other_process: Other, status: str
) -> None:
    run = runs.create(config, "mine").write_state(status=status, process=other_process[1])
    with pytest.raises(InvalidRequest, match="'mine' is training; stop it before it is deleted"):
        runs.delete(run)
    assert runs.again(run).status == status


def test_a_run_that_went_to_work_since_it_was_read_is_not_deleted(
    runs: Runs, config: RunConfig
) -> None:
    as_it_was = runs.create(config)
    as_it_was.write_state(status="running", process=this_process())
    with pytest.raises(InvalidRequest, match="is training"):
        runs.delete(as_it_was)


def test_an_interrupted_run_can_be_deleted(runs: Runs, config: RunConfig) -> None:
    runs.delete(runs.create(config).write_state(status="running"))
    assert runs.all() == []


@pytest.mark.parametrize("do", [Runs.again, Runs.request_stop, Runs.delete])
def test_a_run_that_was_deleted_meanwhile_is_unknown(
    runs: Runs, config: RunConfig, do: Callable[[Runs, Run], object]
) -> None:
    run = runs.create(config, "mine")
    runs.delete(run)
    with pytest.raises(UnknownRun, match="the run 'mine' was deleted meanwhile"):
        do(runs, run)


def test_a_configuration_is_kept_as_it_is(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.npz").touch()
    monkeypatch.chdir(tmp_path)
    config = change(RECIPES["vgg16-digits"].config, {"weights": "mine.npz"})
    assert runs.create(config).config == config


@pytest.fixture
def with_checkpoint(runs: Runs, config: RunConfig) -> Run:
    """A finished run with a checkpoint of 1 KiB."""
    run = runs.create(config).write_state(status="finished", best_epoch=1)
    run.folder.checkpoint.mkdir()
    (run.folder.checkpoint / "step-000000698.npz").write_bytes(bytes(1024))
    return run


def test_a_finished_run_without_its_checkpoint_cannot_be_trained_longer(
    runs: Runs, with_checkpoint: Run
) -> None:
    assert runs.remove_checkpoint(with_checkpoint) == 1024
    assert not with_checkpoint.folder.checkpoint.exists()
    with pytest.raises(InvalidRequest, match=r"checkpoint .* was removed"):
        runs.resume(with_checkpoint, more_epochs=1)
    assert runs.again(with_checkpoint).status == "finished"


def test_a_finished_run_with_its_checkpoint_can_be_trained_longer(
    runs: Runs, with_checkpoint: Run
) -> None:
    assert runs.resume(with_checkpoint, more_epochs=2).status == "queued"


@pytest.mark.parametrize("status", ["stopped", "failed", "queued"])
def test_only_a_finished_run_can_do_without_its_checkpoint(
    runs: Runs, with_checkpoint: Run, status: str
) -> None:
    with_checkpoint.write_state(status=status)
    with pytest.raises(InvalidRequest):
        runs.remove_checkpoint(with_checkpoint)
    assert with_checkpoint.folder.has_checkpoint
