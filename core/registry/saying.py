"""What people call runs and say of them, checked before it is written down."""

import itertools
from collections.abc import Collection, Iterable

from core.errors import InvalidRequest

LONGEST_NAME = 80
LONGEST_TAG = 30
LONGEST_NOTE = 10_000
MOST_TAGS = 20


def free_name(wanted: str, taken: Collection[str]) -> str:
    """A name that nothing has yet: the wanted one, or that with a number.

    >>> free_name("cnn-digits", {"cnn-digits", "cnn-digits 2"})
    'cnn-digits 3'
    """
    numbered = (f"{wanted} {number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([wanted], numbered) if name not in taken)


def check_name(name: str, taken: Collection[str]) -> str:
    """A name for a run, tidied. Raises InvalidRequest where it cannot be one or is taken."""
    tidy = " ".join(name.split())
    if not 1 <= len(tidy) <= LONGEST_NAME or not tidy.isprintable():
        raise InvalidRequest(
            f"name must have 1 to {LONGEST_NAME} printable characters, got {name[:100]!r}"
        )
    if tidy in taken:
        raise InvalidRequest(f"there is a run named {tidy!r} already; choose another name")
    return tidy


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags, tidied, none of them twice. Raises InvalidRequest where they cannot be a run's."""
    tidy = tuple(dict.fromkeys(" ".join(tag.split()) for tag in tags))
    for tag in tidy:
        if not 1 <= len(tag) <= LONGEST_TAG or not tag.isprintable() or "," in tag:
            raise InvalidRequest(
                f"a tag must have 1 to {LONGEST_TAG} printable characters and no comma, "
                f"got {tag[:100]!r}"
            )
    if len(tidy) > MOST_TAGS:
        raise InvalidRequest(f"a run may have at most {MOST_TAGS} tags, got {len(tidy)}")
    return tidy


def check_note(note: str) -> str:
    """A note without blank ends. Raises InvalidRequest where it is too long."""
    if len(note) > LONGEST_NOTE:
        raise InvalidRequest(
            f"a note may have at most {LONGEST_NOTE:,} characters, got {len(note):,}"
        )
    return note.strip()
