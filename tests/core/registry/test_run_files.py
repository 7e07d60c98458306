import os
import shutil
from pathlib import Path

from core.registry.config import RunConfig
from core.registry.run import DamagedRun
from core.registry.run_files import RunFolder
from core.registry.runs import Runs


def test_sizes_count_what_lies_within_each_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.log.write_bytes(bytes(5))
    (tmp_path / "tensorboard" / "train").mkdir(parents=True)
    for name, size in (("a", 10), ("b", 20)):
        (tmp_path / "tensorboard" / "train" / name).write_bytes(bytes(size))
    assert folder.sizes() == {"log.txt": (1, 5), "tensorboard": (2, 30)}


def test_a_folder_that_is_gone_has_no_sizes(tmp_path: Path) -> None:
    assert RunFolder(tmp_path / "gone").sizes() == {}


def test_a_run_that_did_not_change_is_not_read_again(runs: Runs, config: RunConfig) -> None:
    runs.create(config)
    (first,) = runs.all()
    (again,) = runs.all()
    assert again is first


def test_what_is_written_is_read_at_once(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config)
    for epoch in range(1, 200):
        run = run.write_state(epoch=epoch)
        assert runs.all()[0].state.epoch == epoch
    for number in range(50):
        runs.rename(run, f"name {number}")
        assert runs.all()[0].name == f"name {number}"


def test_a_run_that_waits_is_stopped_as_soon_as_somebody_asks(
    runs: Runs, config: RunConfig
) -> None:
    run = runs.create(config)
    assert runs.all()[0].status == "queued"
    runs.request_stop(run)
    assert runs.all()[0].status == "stopped"


def test_a_run_that_is_damaged_after_it_was_read_is_told(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config)
    (whole,) = runs.all()
    kept = run.folder.state.read_text()
    os.unlink(run.folder.state)
    assert runs.damaged() == [DamagedRun(run.id, run.folder.path, "state.json is missing")]
    run.folder.state.write_text(kept)
    assert runs.all()[0].state == whole.state
    shutil.rmtree(run.folder.path)
    assert runs.read() == ([], [])
