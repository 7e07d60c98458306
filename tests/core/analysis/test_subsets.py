import json
import threading

import pytest

from core.analysis.selection import Selection
from core.analysis.subsets import (
    LONGEST_NAME,
    MOST,
    Subset,
    delete_subset,
    read_subsets,
    rename_subset,
    save_subset,
    set_aside,
    subset_of,
)
from core.errors import DamagedFile, InvalidRequest, WorkFailed
from core.workspace import Workspace

FOURS = Selection(group="all", truths=(4, 9))


def save(workspace: Workspace, name: str, dataset: str = "mnist") -> Subset:
    subset = subset_of(FOURS, name, dataset)
    save_subset(workspace, subset)
    return subset


def names(workspace: Workspace, dataset: str = "mnist") -> list[str]:
    return [subset.name for subset in read_subsets(workspace, dataset)]


def test_where_nothing_was_saved_there_is_none_and_no_file(workspace: Workspace) -> None:
    assert read_subsets(workspace, "mnist") == ()
    assert not workspace.root.exists()


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        FOURS,
        Selection(group="only_a_right", confidence_b=(0.5, 1.0), order="loss", turned=True),
        Selection(group="all", tags=("wrong label", "faint"), loss=(0.25, 3.0)),
        Selection(group="all", special="learned_a", said_either=(3,)),
    ],
)
def test_what_was_saved_is_selected_again(workspace: Workspace, selection: Selection) -> None:
    save_subset(workspace, subset_of(selection, "kept", "mnist"))
    (found,) = read_subsets(workspace, "mnist")
    assert found.selection(classes=10) == selection


def test_the_file_is_readable_and_names_no_network(workspace: Workspace) -> None:
    save(workspace, "fours and nines")
    assert json.loads(workspace.subsets.read_text()) == {
        "subsets": [
            {
                "name": "fours and nines",
                "dataset": "mnist",
                "address": {"show": "all", "true": "4 9"},
            }
        ]
    }


def test_each_dataset_has_its_own_in_the_order_of_saving(workspace: Workspace) -> None:
    for name, dataset in (("b", "mnist"), ("a", "mnist"), ("b", "pets")):
        save(workspace, name, dataset)
    assert names(workspace) == ["b", "a"]
    assert names(workspace, "pets") == ["b"]


def test_classes_that_a_dataset_has_not_are_not_understood(workspace: Workspace) -> None:
    assert save(workspace, "fours").selection(classes=5) is None


@pytest.mark.parametrize("address", [{"show": "nothing"}, {"ca": "much"}, {"run": "1"}])
def test_what_means_nothing_is_not_understood(address: dict[str, str]) -> None:
    assert Subset(name="odd", dataset="mnist", address=address).selection(10) is None


@pytest.mark.parametrize("name", ["", "  ", "x" * (LONGEST_NAME + 1), "a\x00b"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="a subset's name must have 1 to 60 characters"):
        subset_of(FOURS, name, "mnist")


def test_a_name_is_tidied_and_given_once(workspace: Workspace) -> None:
    assert save(workspace, "  fours   and nines ").name == "fours and nines"
    with pytest.raises(InvalidRequest, match="there is a subset named 'fours and nines' already"):
        save(workspace, "fours and nines")
    assert names(workspace) == ["fours and nines"]


def test_an_outline_on_the_map_of_one_network_is_no_subset() -> None:
    outlined = Selection(outlined="pca_a", outline=((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
    with pytest.raises(InvalidRequest, match="an outline was drawn on the map of one network"):
        subset_of(outlined, "outlined", "mnist")


def test_one_is_renamed_where_it_stands(workspace: Workspace) -> None:
    first, _ = save(workspace, "first"), save(workspace, "second")
    rename_subset(workspace, first, "1st")
    assert names(workspace) == ["1st", "second"]
    with pytest.raises(InvalidRequest, match="already"):
        rename_subset(workspace, read_subsets(workspace, "mnist")[0], "second")
    with pytest.raises(InvalidRequest, match="'first' was deleted or renamed meanwhile"):
        rename_subset(workspace, first, "another")


def test_one_is_deleted_once(workspace: Workspace) -> None:
    first, _ = save(workspace, "first"), save(workspace, "second")
    delete_subset(workspace, first)
    delete_subset(workspace, first)
    assert names(workspace) == ["second"]


def test_there_are_not_more_than_can_be_looked_through(workspace: Workspace) -> None:
    kept = [{"name": f"{n}", "dataset": "mnist", "address": {}} for n in range(MOST)]
    workspace.root.mkdir()
    workspace.subsets.write_text(json.dumps({"subsets": kept}))
    with pytest.raises(InvalidRequest, match="which is the most; delete one"):
        save(workspace, "one more")


def test_two_who_save_at_once_are_both_heard(workspace: Workspace) -> None:
    def save_some(letter: str) -> None:
        for number in range(5):
            save(workspace, f"{letter}{number}")

    threads = [threading.Thread(target=save_some, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names(workspace)) == sorted(f"{x}{n}" for x in "ab" for n in range(5))


@pytest.mark.parametrize("content", ["", "no JSON", "[]", '{"subsets": [{"name": ""}]}'])
def test_a_damaged_file_is_told_of_and_stays_until_it_is_set_aside(
    workspace: Workspace, content: str
) -> None:
    workspace.root.mkdir()
    workspace.subsets.write_text(content)
    with pytest.raises(DamagedFile, match=r"subsets\.json cannot be read; mend the file, or have"):
        read_subsets(workspace, "mnist")
    with pytest.raises(DamagedFile):
        save(workspace, "one")
    aside = set_aside(workspace)
    assert aside == workspace.root / "subsets.damaged-1.json"
    assert aside.read_text() == content
    save(workspace, "one")
    assert names(workspace) == ["one"]


def test_a_file_that_can_be_read_is_not_set_aside(workspace: Workspace) -> None:
    save(workspace, "one")
    assert set_aside(workspace) is None
    assert names(workspace) == ["one"]


def test_where_nothing_can_be_written_that_is_told(workspace: Workspace) -> None:
    workspace.root.mkdir()
    workspace.locks.write_text("in the way")
    with pytest.raises(WorkFailed, match=r"subsets\.json cannot be written: .*; make room or"):
        save(workspace, "one")
