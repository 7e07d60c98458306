"""The datasets that were imported into a workspace."""

import shutil
from collections.abc import Sequence

from core.data.catalogue import DATASETS, IMPORTED_NAME
from core.errors import DamagedFile, InvalidRequest, WorkFailed
from core.imported.dataset import ImportedDataset
from core.validation import shown
from core.workspace import Workspace

CLASS_NAME_LENGTH = 255


class Library:
    """Finds, lists and deletes imported datasets."""

    def __init__(self, workspace: Workspace) -> None:
        self.folder = workspace.imported

    def names(self) -> list[str]:
        """What the datasets are called, in alphabetical order, damaged ones too."""
        if not self.folder.is_dir():
            return []
        return sorted(
            path.name for path in self.folder.iterdir() if IMPORTED_NAME.fullmatch(path.name)
        )

    def all(self) -> list[ImportedDataset]:
        """The datasets that can be read, in alphabetical order."""
        found = []
        for name in self.names():
            try:
                found.append(ImportedDataset(self.folder / name))
            except DamagedFile:
                continue
        return found

    def find(self, name: str) -> ImportedDataset:
        """The dataset of that name. Raises InvalidRequest where there is none, DamagedFile."""
        if name not in self.names():
            known = ", ".join(self.names()[:10]) or "none so far"
            raise InvalidRequest(
                f"there is no imported dataset {name!r} in this workspace (there are: {known}); "
                "import it on Data or with `import-dataset`"
            )
        return ImportedDataset(self.folder / name)

    def check_free(self, name: str) -> None:
        """Raise InvalidRequest where no dataset can be called so."""
        if not IMPORTED_NAME.fullmatch(name):
            raise InvalidRequest(
                "the name of a dataset must have 1 to 40 small letters, digits, - or _, and begin "
                f"with a letter or digit, got {shown(name)}; choose another name"
            )
        if name in (*DATASETS, "handwriting"):  # the latter for tags of samples on Compare
            raise InvalidRequest(f"{name!r} is the name of a built-in dataset; choose another name")
        if name in self.names():
            raise InvalidRequest(
                f"there is a dataset {name!r} already; choose another name, or delete that one "
                "first"
            )

    def delete(self, name: str) -> None:
        """Remove a dataset.

        Raises InvalidRequest where there is none, WorkFailed where it stays.
        """
        if name not in self.names():
            raise InvalidRequest(
                f"there is no imported dataset {name!r}; perhaps it is deleted already"
            )
        folder = self.folder / name
        doomed = self.folder / f".deleted-{name}"
        try:
            shutil.rmtree(doomed, ignore_errors=True)
            folder.rename(doomed)  # a half-deleted dataset must never be found
            shutil.rmtree(doomed, ignore_errors=True)
        except OSError as error:
            raise WorkFailed(
                f"the dataset {name!r} could not be deleted: {error.strerror}; permit writing in "
                f"{self.folder}"
            ) from None


def checked_classes(dataset: ImportedDataset, names: Sequence[str]) -> tuple[str, ...]:
    """Other names for the classes of a dataset, without the space around them.

    What a class was called before is right, whatever it is. Raises InvalidRequest where one is
    empty, too long, doubled or missing.
    """
    before = dataset.about.class_names
    if len(names) != len(before):
        raise InvalidRequest(f"there must be {len(before)} class names, got {len(names)}")
    cleaned = tuple(
        name if name == known else " ".join(name.split())
        for name, known in zip(names, before, strict=True)
    )
    for label, name in enumerate(cleaned):
        well_formed = name.isprintable() and 1 <= len(name) <= CLASS_NAME_LENGTH
        if name != before[label] and not well_formed:
            raise InvalidRequest(
                f"a class name must have 1 to {CLASS_NAME_LENGTH} characters that can be seen, got "
                f"{shown(name)} for {shown(before[label])}"
            )
        if cleaned.index(name) != label:
            raise InvalidRequest(f"each class must have a name of its own, got {shown(name)} twice")
    return cleaned
