"""Pictures in folders that are called as their classes: CLASS/*, or train/CLASS/* and test/CLASS/*.

Folders within the folder of a class count to it, and a folder that wraps all is looked through.
Where there are train and validation but no test, validation is what networks are tested on.
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
    roots = _roots(listing)
    placed: list[_Placed] = []
    skipped = list(listing.skipped)
    for name, file in listing.files.items():
        place = _place(name, roots)
        reason = why_no_picture(name, file) if place else _why_nowhere(name)
        if place is None or reason:
            skipped.append(Skipped(name=readable(name), reason=reason or ""))
        else:
            placed.append(_Placed(name, *place))
    return _source(listing, placed, skipped) if placed else None


def _source(listing: Listing, placed: list[_Placed], skipped: list[Skipped]) -> Source:
    known = {picture.class_name for picture in placed if picture.part == "train"}
    if not known:
        raise UnreadableUpload(
            f"{listing.place} must hold pictures to learn from in train/CLASS/, got none there; "
            "put some of each class there"
        )
    for picture in placed:
        if picture.class_name not in known:
            reason = f"nothing in train is of its class {picture.class_name!r}; put some there"
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


def _roots(listing: Listing) -> dict[str, Part]:
    """Where class folders lie, such as "train/", each with its part.

    A class may be called as a part is, such as train beside ship: it is a part where it has folders
    in it, or where all folders are called so.
    """
    level, folders = _level(listing)
    parts = {f"{level}{folder}/": part for folder in folders if (part := part_of(folder))}
    if any(part == "train" and listing.folders(place) for place, part in parts.items()):
        return {_unwrapped(listing, place, part): part for place, part in parts.items()}
    if folders and len(parts) == len(folders):
        lacking = "folders of classes in train" if "train" in parts.values() else "a folder train"
        raise UnreadableUpload(
            f"{listing.place} must hold {lacking} to learn from, got "
            f"{' and '.join(map(readable, folders))}; put a folder for each class into train"
        )
    return {level: "train"}


def _level(listing: Listing) -> tuple[str, list[str]]:
    """The innermost of the levels that holds folders, and these."""
    *outer, innermost = listing.levels
    folders = listing.folders(innermost)
    if folders or not outer:
        return innermost, folders
    return outer[-1], listing.folders(outer[-1])


def _unwrapped(listing: Listing, place: str, part: Part) -> str:
    """The folder of a part, or the one in it that is called so too and holds its classes."""
    inside = listing.folders(place)
    within = f"{place}{inside[0]}/" if inside else place
    twice = len(inside) == 1 and part_of(inside[0]) == part and listing.folders(within)
    return within if twice else place


def _place(name: str, roots: dict[str, Part]) -> tuple[Part, str] | None:
    """The part and the class of a file, by its path."""
    for root, part in roots.items():
        if name.startswith(root):
            class_name, inside, _ = name[len(root) :].partition("/")
            return (part, readable(class_name)) if inside else None
    return None


def _why_nowhere(name: str) -> str:
    if named_as_picture(name):
        return "it lies in no class folder; put it into the folder of its class"
    return "it lies in no class folder, and is no picture by its ending"


def _check_classes(listing: Listing, class_names: list[str]) -> None:
    if len(class_names) > MOST_CLASSES:
        raise UnreadableUpload(
            f"{listing.place} must hold at most {MOST_CLASSES:,} class folders, got "
            f"{len(class_names):,}; choose the folder whose folders are classes"
        )
