"""Pictures in folders that are called as their classes: CLASS/*, or train/CLASS/* and test/CLASS/*.

Folders within the folder of a class count to it. Where there are train and validation but no test,
validation is what networks are tested on.
"""

from dataclasses import dataclass

from core.errors import UnreadableUpload
from core.imported.dataset import PARTS, Part
from core.imported.report import Skipped
from core.importing.items import CLASS_FOLDERS, PictureFile, Source
from core.importing.limits import MOST_CLASSES
from core.importing.listing import Listing, natural, part_of, readable, roles
from core.importing.picture_files import named_as_picture, why_no_picture


@dataclass(frozen=True, slots=True)
class _Placed:
    """A picture that lies in the folder of a class."""

    name: str
    part: Part
    class_name: str


def find_class_folders(listing: Listing) -> Source | None:
    """What lies in class folders, None where there are none with pictures.

    Raises UnreadableUpload where there are parts but none to learn from.
    """
    level, folders = _level(listing)
    split = any(part_of(folder) == "train" for folder in folders)
    placed: list[_Placed] = []
    skipped = list(listing.skipped)
    for name, file in listing.files.items():
        place = _place(name, level, split)
        reason = why_no_picture(name, file) if place else _why_nowhere(name, split)
        if place is None or reason:
            skipped.append(Skipped(name=readable(name), reason=reason or ""))
        else:
            placed.append(_Placed(name, *place))
    if not placed:
        return None
    if not split:
        _check_no_part(listing, level, folders)
    return _source(listing, placed, skipped)


def _source(listing: Listing, placed: list[_Placed], skipped: list[Skipped]) -> Source:
    known = {picture.class_name for picture in placed if picture.part == "train"}
    if not known:
        raise UnreadableUpload(
            f"{listing.place} must hold pictures to learn from in train/CLASS/, got none there; "
            "put some of each class there"
        )
    for picture in placed:
        if picture.class_name not in known:
            reason = (
                f"its class {picture.class_name!r} has no pictures to learn from in "
                "train; put some there"
            )
            skipped.append(Skipped(name=readable(picture.name), reason=reason))
    class_names = sorted(known, key=natural)
    _check_classes(listing, class_names)
    labels = {name: label for label, name in enumerate(class_names)}
    parts = roles({picture.part for picture in placed if picture.class_name in known})
    files = [
        PictureFile(
            readable(picture.name),
            labels[picture.class_name],
            parts[picture.part],
            listing.files[picture.name],
        )
        for picture in placed
        if picture.class_name in known
    ]
    files.sort(key=lambda file: (PARTS.index(file.part), file.label))  # else as they were listed
    return Source(
        kind=CLASS_FOLDERS,
        class_names=tuple(class_names),
        files=files,
        count=len(files),
        skipped=tuple(skipped),
    )


def _level(listing: Listing) -> tuple[str, list[str]]:
    """The innermost of the levels that holds folders, and these."""
    *outer, innermost = listing.levels
    folders = listing.folders(innermost)
    if folders or not outer:
        return innermost, folders
    return outer[-1], listing.folders(outer[-1])


def _place(name: str, level: str, split: bool) -> tuple[Part, str] | None:
    """The part and the class of a file, by its path."""
    if not name.startswith(level):
        return None
    pieces = name[len(level) :].split("/")
    if not split:
        return ("train", readable(pieces[0])) if len(pieces) > 1 else None
    part = part_of(pieces[0])
    in_class = part is not None and part != "unlabelled" and len(pieces) > 2
    return (part, readable(pieces[1])) if part and in_class else None


def _why_nowhere(name: str, split: bool) -> str:
    if not named_as_picture(name):
        return "it lies in no class folder, and is no picture by its ending"
    where = "a folder of train, test or validation" if split else "a folder"
    return f"it lies in no class folder; put it into {where} that is called as its class"


def _check_no_part(listing: Listing, level: str, folders: list[str]) -> None:
    """Refuse test and validation without train: they would be taken for classes."""
    if all(part_of(folder) for folder in folders):
        raise UnreadableUpload(
            f"{listing.place} must hold a folder train to learn from, beside "
            f"{' and '.join(map(readable, folders))}; add it, or rename what is there to train"
        )


def _check_classes(listing: Listing, class_names: list[str]) -> None:
    if len(class_names) > MOST_CLASSES:
        raise UnreadableUpload(
            f"{listing.place} must hold at most {MOST_CLASSES:,} class folders, got "
            f"{len(class_names):,}; choose the folder whose folders are classes"
        )
