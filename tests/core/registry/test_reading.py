import os
import shutil
from pathlib import Path

from core.registry.config import RunConfig
from core.registry.reading import read_run, read_runs, run_ids
from core.registry.run import DamagedRun, Run
from core.registry.runs import Runs


def test_a_folder_that_is_not_there_has_no_runs(tmp_path: Path) -> None:
    assert run_ids(tmp_path / "runs") == set()
    assert read_runs(tmp_path / "runs") == []


def test_a_run_whose_files_stayed_is_not_read_again(runs: Runs, config: RunConfig) -> None:
    runs.create(config)
    [before], [after] = read_runs(runs.workspace.runs), read_runs(runs.workspace.runs)
    assert after is before


def test_what_was_said_of_a_run_since_is_read(runs: Runs, config: RunConfig) -> None:
    made = runs.create(config, "before")
    read_runs(runs.workspace.runs)
    runs.rename(made, "after")
    [run] = read_runs(runs.workspace.runs)
    assert isinstance(run, Run)
    assert run.name == "after"


def test_a_run_that_is_asked_to_stop_is_so_though_its_files_stayed(
    runs: Runs, config: RunConfig
) -> None:
    made = runs.create(config)
    read_runs(runs.workspace.runs)
    runs.request_stop(made)
    [run] = read_runs(runs.workspace.runs)
    assert isinstance(run, Run)
    assert run.status == "stopped"


def test_a_run_that_was_deleted_and_made_anew_under_its_id_is_read(
    runs: Runs, config: RunConfig, tmp_path: Path
) -> None:
    made = runs.create(config, "first")
    copy = shutil.copytree(made.folder.path, tmp_path / "copy")
    text = (copy / "config.json").read_text()
    (copy / "config.json").write_text(text.replace('"first"', '"other"'))
    read_runs(runs.workspace.runs)
    runs.delete(made)
    assert read_runs(runs.workspace.runs) == []
    os.rename(copy, made.folder.path)
    run = read_run(runs.workspace.runs, made.id)
    assert isinstance(run, Run)
    assert run.name == "other"


def test_a_run_that_is_damaged_after_it_was_read_says_so(runs: Runs, config: RunConfig) -> None:
    made = runs.create(config)
    read_runs(runs.workspace.runs)
    made.folder.state.write_text("{")
    [run] = read_runs(runs.workspace.runs)
    assert isinstance(run, DamagedRun)
    assert "state.json" in run.reason
