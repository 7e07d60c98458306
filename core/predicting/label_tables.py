"""Tables that tell the true class of pictures: a CSV with the columns file and label."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import UnreadableUpload

MOST_OF_TABLE = 16 * 2**20
"""Bytes of a table; 10,000 rows take one of them."""
_COLUMNS = ["file", "label"]


@dataclass(frozen=True)
class Labels:
    """What tables call the true class of each file, by the names that stand in them."""

    by_file: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str | None:
        """The label of a file, found under its whole name or under any end of it.

        >>> Labels({"a/1.png": "7"}).of("digits.zip/a/1.png")
        '7'
        """
        parts = name.replace("\\", "/").split("/")
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((self.by_file[end] for end in ends if end in self.by_file), None)

    def with_those_of(self, other: "Labels") -> "Labels":
        """The labels of both."""
        return Labels({**self.by_file, **other.by_file})


def read_labels(content: bytes) -> Labels:
    """Read a table. Raises UnreadableUpload, naming the line, where it is not as it must be."""
    if len(content) > MOST_OF_TABLE:
        raise UnreadableUpload(f"the table must have at most {MOST_OF_TABLE // 2**20} MiB")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UnreadableUpload("the table must be text in UTF-8; save it so") from None
    header = lines[0] if lines else ""
    rows = csv.reader(lines, delimiter=max(",;\t", key=header.count))
    try:
        found = [column.strip().lower() for column in next(rows, [])]
        if any(column not in found for column in _COLUMNS):
            raise UnreadableUpload(
                "a table beside pictures must have the columns file and label, got "
                f"{_listed(found)}; a table of pixels is to be handed in by itself"
            )
        file, label = map(found.index, _COLUMNS)
        labels = {_plain(row[file]): row[label].strip() for row in rows if row}
    except IndexError:
        raise UnreadableUpload(f"line {rows.line_num} of the table has too few columns") from None
    except csv.Error as error:
        raise UnreadableUpload(f"line {rows.line_num} of the table is damaged ({error})") from None
    return Labels({name: said for name, said in labels.items() if name and said})


def _plain(name: str) -> str:
    return name.strip().replace("\\", "/").removeprefix("./")


def _listed(columns: list[str]) -> str:
    named = ", ".join(column[:20] for column in columns[:3])
    return f"{named} and {len(columns) - 3} more" if len(columns) > 3 else named or "none"
