"""Runs on imported datasets, on the pages that show their images."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.data_config import DataConfig
from core.data.datasets import load_test, settle
from core.imported.dataset import ImportedDataset
from core.imported.library import Library
from core.registry.predictions import write_epoch, write_truth
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace

OpenPage = Callable[..., AppTest]
ImportPictures = Callable[..., ImportedDataset]
UGLY = ("<b>dark</b>", "x" * 200)


@pytest.fixture
def two(import_pictures: ImportPictures, runs: Runs, workspace: Workspace) -> tuple[Run, Run]:
    """Two runs that disagree about the first test picture of a dataset with ugly class names."""
    import_pictures(class_names=UGLY)
    data = settle(DataConfig(name="shades"), workspace)
    return tuple(_made(runs, data, name, first) for first, name in enumerate(("a", "b")))


def _made(runs: Runs, data: DataConfig, name: str, first: int) -> Run:
    config = RECIPES["cnn-digits"].config
    network = config.network.model_copy(update={"side": 16, "channels": 3})
    run = runs.create(config.model_copy(update={"data": data, "network": network}), name)
    test = load_test(data, side=16, workspace=runs.workspace)
    write_truth(run.folder.predictions, test.labels, test.indices, test.fingerprint())
    guessed = np.concatenate([[first], test.labels[1:]])
    write_epoch(run.folder.predictions, 1, np.eye(2, dtype=np.float16)[guessed])
    accuracy = float(np.mean(test.labels == guessed))
    return run.write_state(
        status="finished",
        best_epoch=1,
        epochs_done=1,
        test_fingerprint=test.fingerprint(),
        metrics={"test_accuracy": accuracy, "val_accuracy": accuracy},
    )


def test_their_test_pictures_are_compared(open_page: OpenPage, two: tuple[Run, Run]) -> None:
    at = open_page("pages/4_Compare.py", a=two[0].id, b=two[1].id)
    assert not at.exception
    assert not at.error
    assert r"**Test image 0** · true class **\<b\>dark\</b\>**" in [m.value for m in at.markdown]


def test_other_class_names_since_leave_a_comparison_alone(
    open_page: OpenPage, two: tuple[Run, Run], workspace: Workspace
) -> None:
    Library(workspace).find("shades").rename_classes(("night", "day"))
    at = open_page("pages/4_Compare.py", a=two[0].id, b=two[1].id)
    assert not at.error
    assert any("dark" in text.value for text in at.markdown)


@pytest.mark.parametrize("again", [False, True], ids=["deleted", "other pictures"])
def test_a_dataset_that_is_not_what_it_was_is_told_in_a_sentence(
    open_page: OpenPage,
    two: tuple[Run, Run],
    workspace: Workspace,
    import_pictures: ImportPictures,
    again: bool,
) -> None:
    Library(workspace).delete("shades")
    if again:
        import_pictures(seed=1)
    at = open_page("pages/4_Compare.py", a=two[0].id, b=two[1].id)
    assert not at.exception
    told = at.error[0].value.replace("\\", "")
    assert ("have changed since" if again else "no longer in this workspace") in told


def test_runs_can_be_filtered_by_the_dataset_they_learned_from(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    at = open_page("pages/3_Runs.py", dataset="shades")
    assert not at.exception
    assert "2 runs" in [caption.value for caption in at.caption]


def test_nothing_is_drawn_where_no_network_takes_digits(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    at = open_page("pages/5_Predict.py", run=two[0].id)
    assert not at.exception
    assert "Draw" not in str(at.segmented_control(key="source").options)
