"""How much an import may take on: the one place for its limits.

| what | at most | where |
|---|---|---|
| files of a folder or ZIP, rows of an array, lines of a file list | 1,000,000 | `MOST_FILES` |
| rows of a table of pixels | 1,000,000 | `core.data.kaggle.MOST_ROWS` |
| bytes of one picture file | 256 MiB | `core.data.archives.MOST_OF_ENTRY` |
| bytes of all files of a ZIP, or of an array, once unpacked | 100 GiB | `MOST_BYTES` |
| how many times smaller a ZIP or gzip may be packed, above 16 MiB | 200 | `ZIP` |
| bytes of the list of a ZIP's files | 64 MiB: some 600,000 files | `ZIP` |
| pixels of one picture | 50 million | `core.data.preprocessing.LARGEST_IMAGE` |
| bytes of a line of a class list or file list | 8,192 | `LONGEST_LINE` |
| bytes of a line of a table of pixels | 16,384 | `core.data.kaggle.LONGEST_LINE` |
| classes | 10,000 | `MOST_CLASSES` |
| characters of a class name in a list | 255, as of a folder | `LONGEST_CLASS_NAME` |
| archives within archives | none are opened | `core.importing.picture_files` |

Symbolic links are not followed, and names that lead out of a ZIP or out of the folder of a file
list are not read.
"""

from core.data.archives import Limits

MOST_FILES = 1_000_000
MOST_BYTES = 100 * 2**30
LONGEST_LINE = 8_192
MOST_CLASSES = 10_000
LONGEST_CLASS_NAME = 255
AT_ONCE = 16 * 2**20
"""Bytes of an array that are read at a time."""

ZIP = Limits(
    most_bytes=MOST_BYTES,
    most_of_entry=MOST_BYTES,
    small=16 * 2**20,  # labels in order of class are packed as tightly as a bomb
    most_of_directory=64 * 2**20,
)
"""A table or array in a ZIP is read piece by piece, so it may be as large as all together."""
