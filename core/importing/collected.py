"""Pictures that somebody took class by class in a browser, packed as what can be imported."""

import base64
import binascii
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from core.errors import InvalidRequest

FEWEST, MOST = 5, 400
"""Pictures that each class needs, and that all may have together."""
MOST_CLASSES = 20
LONGEST_NAME = 40
TESTED = 5
"""Every so manieth picture is for testing."""
_UNFIT = re.compile(r"[/\\\x00-\x1f\x7f]|^\.|^__macosx$", re.IGNORECASE)


@dataclass(frozen=True)
class Collected:
    """The picture files of one class, in the order in which they were taken."""

    name: str
    pictures: Sequence[bytes]


def unpacked(sent: Sequence[Mapping[str, Any]]) -> list[Collected]:
    """What a browser sends: the name of each class with its pictures in base64.

    Raises InvalidRequest where it is something else.
    """
    try:
        return [
            Collected(
                str(each["name"]),
                [base64.b64decode(picture, validate=True) for picture in each["pictures"]],
            )
            for each in sent
        ]
    except (binascii.Error, KeyError, TypeError, ValueError):
        raise InvalidRequest(
            "the browser sent something else than pictures; load the page anew and take them again"
        ) from None


def packed(classes: Sequence[Collected]) -> BytesIO:
    """A ZIP of class folders in train and test, to be imported.

    The last fifth of each class is for testing: pictures taken one after the other are much alike,
    and of two neighbours one would be learned and the other asked about. Raises InvalidRequest.
    """
    check(classes)
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # JPEG gets no smaller
        for each in classes:
            learned = len(each.pictures) - max(1, len(each.pictures) // TESTED)
            for number, picture in enumerate(each.pictures):
                part = "train" if number < learned else "test"
                archive.writestr(f"{part}/{each.name.strip()}/{number + 1:03}.jpg", picture)
    return file


def check(classes: Sequence[Collected]) -> None:
    """Raise InvalidRequest where no dataset can be made of these."""
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise InvalidRequest(
            f"there must be 2 to {MOST_CLASSES} classes to tell apart, got {len(classes)}"
        )
    names = [each.name.strip() for each in classes]
    for place, name in enumerate(names):
        if not 0 < len(name) <= LONGEST_NAME or _UNFIT.search(name):
            raise InvalidRequest(
                f"a class must have a name of up to {LONGEST_NAME} characters, without slashes and "
                f"no dot at its beginning, got {name[:LONGEST_NAME]!r}"
            )
        if name.casefold() in map(str.casefold, names[:place]):
            raise InvalidRequest(f"each class must have a name of its own, got {name!r} twice")
    for name, each in zip(names, classes, strict=True):
        if len(each.pictures) < FEWEST:
            raise InvalidRequest(
                f"each class must have at least {FEWEST} pictures, got {len(each.pictures)} "
                f"of {name!r}; take some more"
            )
    if (count := sum(len(each.pictures) for each in classes)) > MOST:
        raise InvalidRequest(f"there must be at most {MOST} pictures, got {count}; remove some")
