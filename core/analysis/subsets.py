"""Subsets of test images under names: kept to be looked at again, and with other networks.

All of a workspace stand in one readable JSON file.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Annotated

from filelock import FileLock, Timeout
from pydantic import AfterValidator, Field, ValidationError

from core.analysis.selection import PARAMETERS, Selection, from_address, to_address
from core.errors import DamagedFile, InvalidRequest, WorkFailed
from core.files import write_json
from core.validation import Frozen
from core.workspace import Workspace

LONGEST_NAME = 60
MOST = 100
"""Subsets of one workspace."""
PATIENCE = 10.0
"""Seconds to wait for somebody else who is saving one."""


def checked_name(text: str) -> str:
    """A name without the space around it. Raises ValueError where it breaks a rule."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ValueError(
            f"a subset's name must have 1 to {LONGEST_NAME} characters that can be seen, got "
            f"{text[:100]!r}"
        )
    return name


class Subset(Frozen):
    """Some of a dataset's test images, by what a link would say of them.

    address: the parameters of a selection. They name no network, so that A and B are whichever two
    are compared.
    """

    name: Annotated[str, AfterValidator(checked_name)]
    dataset: str
    address: dict[str, str]

    def selection(self, classes: int) -> Selection | None:
        """What it selects of a dataset with so many classes; None where it cannot be understood."""
        selection, unknown = from_address(self.address, classes)
        return None if unknown or not self.address.keys() <= set(PARAMETERS) else selection


def subset_of(selection: Selection, name: str, dataset: str) -> Subset:
    """A selection under a name. Raises InvalidRequest where one of them will not do."""
    if selection.outline:
        raise InvalidRequest(
            "an outline was drawn on the map of one network and says nothing of others; take it "
            "away to save the rest"
        )
    return Subset(name=_allowed(name), dataset=dataset, address=to_address(selection))


class _File(Frozen):
    """The content of the file, in the order in which they were saved."""

    subsets: tuple[Subset, ...] = Field((), max_length=MOST)


def read_subsets(workspace: Workspace, dataset: str) -> tuple[Subset, ...]:
    """Those of a dataset. Raises DamagedFile where the file cannot be read."""
    return tuple(subset for subset in _read(workspace) if subset.dataset == dataset)


def save_subset(workspace: Workspace, subset: Subset) -> None:
    """Keep one more.

    Raises InvalidRequest where its dataset has one of that name or there are too many,
    DamagedFile where the file cannot be read, WorkFailed where it cannot be written.
    """

    def added(known: tuple[Subset, ...]) -> tuple[Subset, ...]:
        _check_free(known, subset.dataset, subset.name)
        if len(known) >= MOST:
            raise InvalidRequest(
                f"there are {MOST} subsets already, which is the most; delete one to save another"
            )
        return (*known, subset)

    _change(workspace, added)


def rename_subset(workspace: Workspace, subset: Subset, name: str) -> None:
    """Call one otherwise. Raises what `save_subset` raises."""
    renamed = subset.model_copy(update={"name": _allowed(name)})

    def changed(known: tuple[Subset, ...]) -> tuple[Subset, ...]:
        if subset not in known:
            raise InvalidRequest(f"the subset {subset.name!r} was deleted or renamed meanwhile")
        if renamed.name != subset.name:
            _check_free(known, subset.dataset, renamed.name)
        return tuple(renamed if each == subset else each for each in known)

    _change(workspace, changed)


def delete_subset(workspace: Workspace, subset: Subset) -> None:
    """Forget one, if it is still there. Raises DamagedFile and WorkFailed as `save_subset`."""
    _change(workspace, lambda known: tuple(each for each in known if each != subset))


def set_aside(workspace: Workspace) -> Path | None:
    """Rename a file that cannot be read, so that a new one can be begun; returns its new path.

    None where it can be read after all. Raises WorkFailed where it cannot be renamed.
    """
    path = workspace.subsets
    with _alone(workspace):
        try:
            _read(workspace)
        except DamagedFile:
            numbered = (path.with_name(f"{path.stem}.damaged-{n}.json") for n in count(1))
            return path.rename(next(aside for aside in numbered if not aside.exists()))
    return None


def _allowed(name: str) -> str:
    try:
        return checked_name(name)
    except ValueError as error:
        raise InvalidRequest(str(error)) from None


def _check_free(known: tuple[Subset, ...], dataset: str, name: str) -> None:
    if any((each.dataset, each.name) == (dataset, name) for each in known):
        raise InvalidRequest(f"there is a subset named {name!r} already; choose another name")


def _read(workspace: Workspace) -> tuple[Subset, ...]:
    try:
        return _File.model_validate_json(workspace.subsets.read_bytes()).subsets
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError, ValueError):
        raise DamagedFile(
            f"the saved subsets in {workspace.subsets} cannot be read; mend the file, or have it "
            "kept aside and begin anew"
        ) from None


def _change(
    workspace: Workspace, change: Callable[[tuple[Subset, ...]], tuple[Subset, ...]]
) -> None:
    with _alone(workspace):
        changed = _File(subsets=change(_read(workspace)))
        write_json(workspace.subsets, changed.model_dump(mode="json"))


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Nobody else changes subsets meanwhile. Raises WorkFailed where they cannot be written."""
    try:
        with FileLock(workspace.locks / "subsets.lock", timeout=PATIENCE):
            yield
    except Timeout:
        raise WorkFailed(
            f"somebody else has been saving subsets for {PATIENCE:.0f} s; try again"
        ) from None
    except OSError as error:
        raise WorkFailed(
            f"{workspace.subsets} cannot be written: {error.strerror or error}; make room or "
            "permit it, then try again"
        ) from None
