import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.assets import ASSETS, MANIFEST
from core.errors import DamagedFile, InvalidRequest, WorkFailed
from core.registry import samples
from core.registry.config import RunConfig
from core.registry.predictions import read_predictions
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.samples import SAMPLED, file_of, id_of

Command = Callable[..., Any]


def bundled_copy(folder: Path) -> Path:
    """The samples and the manifest, to be changed at will."""
    shutil.copytree(ASSETS / "samples", folder / "samples")
    shutil.copy(ASSETS / MANIFEST, folder)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture
def brought(runs: Runs) -> list[Run]:
    samples.bring(runs)
    return runs.all()


# --- what they are ----------------------------------------------------------------------------


def test_the_samples_are_runs_of_the_recipes_as_they_are(brought: list[Run]) -> None:
    assert {run.id for run in brought} == {id_of(recipe) for recipe in SAMPLED}
    for run in brought:
        assert run.status == "finished"
        assert run.config == RECIPES[run.config.recipe].config
        assert run.state.epochs_done == run.config.all_epochs


def test_a_sample_is_told_by_its_id_and_its_name(brought: list[Run], runs: Runs) -> None:
    assert all(run.is_sample and run.name.endswith("(sample)") for run in brought)
    runs.rename(brought[0], "mine")
    assert runs.again(brought[0]).is_sample
    own = runs.create(RECIPES["cnn-digits"].config)
    assert not own.is_sample
    assert own.name == "cnn-digits"


@pytest.mark.parametrize("recipe", SAMPLED)
def test_the_stored_predictions_have_the_accuracy_that_the_state_tells(
    runs: Runs, brought: list[Run], mnist: dict[str, NDArray[np.uint8]], recipe: str
) -> None:
    run = runs.find(id_of(recipe))
    predictions = read_predictions(run)
    np.testing.assert_array_equal(predictions.labels, mnist["y_test"])
    right = predictions.probabilities.argmax(axis=1) == mnist["y_test"]
    assert right.mean() == run.state.metrics["test_accuracy"]


@pytest.mark.parametrize("recipe", SAMPLED)
def test_the_weights_of_the_best_epoch_are_there(
    runs: Runs, brought: list[Run], recipe: str
) -> None:
    run = runs.find(id_of(recipe))
    assert run.folder.kept_epochs() == [run.state.best_epoch]
    with np.load(run.folder.weights(run.state.best_epoch), allow_pickle=False) as arrays:
        assert sum(arrays[name].size for name in arrays.files) == run.config.parameters.trainable


def test_a_sample_cannot_be_trained_longer(runs: Runs, brought: list[Run]) -> None:
    with pytest.raises(
        InvalidRequest, match="did not come with it, so it cannot be trained longer"
    ):
        runs.resume(brought[0], more_epochs=1)
    assert runs.again(brought[0]).status == "finished"


def test_samples_take_less_than_twelve_megabytes() -> None:
    assert sum((ASSETS / file_of(recipe)).stat().st_size for recipe in SAMPLED) < 12e6


# --- bringing and removing --------------------------------------------------------------------


def test_samples_come_once(runs: Runs) -> None:
    assert samples.missing(runs) == list(SAMPLED)
    assert samples.bring(runs) == list(SAMPLED)
    assert samples.missing(runs) == []
    assert samples.bring(runs) == []


def test_removed_samples_leave_nothing_and_can_come_back(runs: Runs, brought: list[Run]) -> None:
    before = {run.id: files_of(run.folder.path) for run in brought}
    samples.remove(runs)
    assert list(runs.workspace.runs.iterdir()) == []
    samples.bring(runs)
    assert {run.id: files_of(run.folder.path) for run in runs.all()} == before


def test_only_a_sample_that_was_deleted_comes_back(runs: Runs, brought: list[Run]) -> None:
    runs.tag(runs.find(id_of("vgg16-digits")), ["kept"])
    runs.delete(runs.find(id_of("cnn-digits")))
    assert samples.bring(runs) == ["cnn-digits"]
    assert runs.find(id_of("vgg16-digits")).about.tags == ("kept",)


def test_runs_of_ones_own_stay_and_come_first(
    runs: Runs, config: RunConfig, brought: list[Run]
) -> None:
    own = runs.create(config)
    assert [run.id for run in runs.all()] == [own.id, *sorted(map(id_of, SAMPLED))]
    samples.remove(runs)
    assert [run.id for run in runs.all()] == [own.id]


def test_a_sample_takes_no_name_and_no_colour_that_is_another_runs(
    runs: Runs, config: RunConfig
) -> None:
    own = runs.create(config, "cnn-digits (sample)")
    samples.bring(runs)
    known = runs.all()
    assert runs.find(id_of("cnn-digits")).name == "cnn-digits (sample) 2"
    assert runs.again(own).name == "cnn-digits (sample)"
    assert len({run.request.color for run in known}) == len(known)


def test_a_damaged_sample_can_be_removed_and_comes_back_whole(
    runs: Runs, brought: list[Run]
) -> None:
    brought[0].folder.state.write_text("{")
    assert [run.id for run in runs.damaged()] == [brought[0].id]
    samples.remove(runs)
    samples.bring(runs)
    assert runs.damaged() == []


def test_many_who_bring_them_at_once_bring_each_once(runs: Runs) -> None:
    with ThreadPoolExecutor(4) as pool:
        told = [pool.submit(samples.bring, Runs(runs.workspace)) for _ in range(4)]
    assert sorted(recipe for each in told for recipe in each.result()) == sorted(SAMPLED)
    assert not runs.damaged()


# --- what can go wrong ------------------------------------------------------------------------


def test_a_changed_file_is_told_and_brings_nothing(runs: Runs, tmp_path: Path) -> None:
    folder = bundled_copy(tmp_path)
    file = folder / file_of("cnn-digits")
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedFile, match=r"cnn-digits\.zip is damaged: .* `git checkout"):
        samples.bring(runs, folder)
    assert not runs.workspace.root.exists()


def test_a_missing_file_is_told(runs: Runs, tmp_path: Path) -> None:
    folder = bundled_copy(tmp_path)
    (folder / file_of("cnn-digits")).unlink()
    with pytest.raises(DamagedFile, match=r"cnn-digits\.zip is missing"):
        samples.bring(runs, folder)


def test_a_workspace_that_cannot_be_written_is_told(runs: Runs) -> None:
    runs.workspace.root.mkdir()
    runs.workspace.runs.write_text("a file where a folder should be")
    with pytest.raises(WorkFailed, match=r"the run 'cnn-digits \(sample\)' cannot be written to"):
        samples.bring(runs)


@pytest.mark.skipif(os.name == "nt", reason="limits are POSIX")
def test_a_full_disk_leaves_nothing_half_unpacked(runs: Runs) -> None:
    with files_no_larger_than(2**20), pytest.raises(WorkFailed, match=r"File too large; make room"):
        samples.bring(runs)
    assert list(runs.workspace.runs.iterdir()) == []
    assert samples.bring(runs) == list(SAMPLED)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_somebody_left_who_was_killed_at_it_is_replaced(runs: Runs) -> None:
    left = runs.workspace.runs / f".new-{id_of('cnn-digits')}"
    left.mkdir(parents=True)
    (left / "half").touch()
    samples.bring(runs)
    assert sorted(path.name for path in runs.workspace.runs.iterdir()) == sorted(
        map(id_of, SAMPLED)
    )
    assert "half" not in files_of(runs.find(id_of("cnn-digits")).folder.path)


# --- the command ------------------------------------------------------------------------------


def test_the_command_lists_brings_and_removes_them(command: Command, runs: Runs) -> None:
    for words, there in (((), False), (("--bring",), True), (("--remove",), False)):
        answer = command("samples", *words, "--json")
        assert answer.status == 0
        told = {each["recipe"]: each["in_workspace"] for each in answer.document["samples"]}
        assert told == dict.fromkeys(SAMPLED, there)
        assert len(runs.all()) == there * len(SAMPLED)


def test_the_command_tells_in_a_sentence_what_went_wrong(command: Command, runs: Runs) -> None:
    runs.workspace.root.mkdir()
    runs.workspace.runs.touch()
    answer = command("samples", "--bring")
    assert answer.status == 1
    assert answer.err.startswith("python -m core: the run 'cnn-digits (sample)' cannot be written")
    assert answer.err.count("\n") == 1
